"""The cluster script never takes away what is not a cluster's."""
import os
import pathlib
import subprocess
import tempfile
import unittest

CLUSTER = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts" / "cluster"


class ClusterScript(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory(prefix="troupe e2e.")
        self.addCleanup(held.cleanup)
        self.folder = pathlib.Path(held.name)

    def cluster(self, *arguments):
        # There is no program to be found: nothing is built or started, whatever the script does.
        environment = dict(os.environ, TROUPE_CLUSTER_DIR=str(self.folder), TROUPE_BIN="/bin")
        return subprocess.run([CLUSTER, *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def test_a_folder_with_other_things_in_it_is_refused_and_kept(self):
        (self.folder / "precious").write_text("work")
        done = self.cluster("down")
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("TROUPE_CLUSTER_DIR", done.stderr)
        self.assertEqual((self.folder / "precious").read_text(), "work")

    def test_what_a_cluster_left_is_removed(self):
        (self.folder / "run").write_text(str(self.folder / "gone") + "\n")
        (self.folder / "agent-1.log").write_text("the end")
        self.assertEqual(self.cluster("down").returncode, 0)
        self.assertFalse(self.folder.exists())
        self.folder.mkdir()


if __name__ == "__main__":
    unittest.main(verbosity=2)
