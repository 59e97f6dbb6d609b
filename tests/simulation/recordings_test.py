"""What actors of a simulated cluster recorded is played again, and they decide the same."""
import os
import pathlib
import subprocess
import tempfile
import unittest

BUILD = pathlib.Path(os.environ["TROUPE_BUILD"])


class Recordings(unittest.TestCase):
    def test_simulated_actors_replay_identically(self):
        with tempfile.TemporaryDirectory(prefix="troupe-sim.") as folder:
            subprocess.run([BUILD / "tests" / "sim_runs", "--seed", "3", "--record", folder], check=True, capture_output=True)
            files = sorted(pathlib.Path(folder).glob("*.recording"))
            kinds = {kind for kind in ("master-", "agent-", "allocator-", "executor-") if any(kind in f.name for f in files)}
            self.assertEqual(len(kinds), 4, "every kind is recorded")
            done = subprocess.run([BUILD / "bin" / "troupe", "replay", "--verify", *files], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stdout[-2000:] + done.stderr[-2000:])
            lines = [line for line in done.stdout.splitlines() if line.startswith("replay ")]
            self.assertEqual(len(lines), len(files))
            self.assertTrue(all("identical=yes" in line for line in lines))


if __name__ == "__main__":
    unittest.main()
