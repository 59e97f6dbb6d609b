"""`troupe journal`: what daemons remember, read beside them and after them, and never touched."""
import json
import os
import stat
import subprocess
import unittest

from cluster import BIN, PATIENCE_S, ClusterTest


def facts(folder):
    """Bytes, times, modes and inodes of all that is there."""
    found = {}
    for path in [folder, *sorted(folder.rglob("*"))]:
        status = path.lstat()
        found[path] = (path.read_bytes() if path.is_file() else b"", status.st_mtime_ns, status.st_ctime_ns, status.st_mode, status.st_ino)
    return found


class Journal(ClusterTest):
    def journal(self, *arguments, code=0, **options):
        done = subprocess.run([BIN / "troupe", "journal", *arguments], stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S, **options)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return done

    def test_beside_running_daemons_it_shows_a_state_that_they_were_in(self):
        master, agent = self.master, self.agents[0]
        runner = self.spawn(BIN / "troupe", "run", "--name", "many", "--instances", "40", "--cpus", "0.1", "--mem", "16", "--", "true")
        looks = 0
        while runner.poll() is None or looks < 3:
            for daemon in (master, agent):
                # The head record counts what is there, so a mixture of two states would be found out.
                checked = self.journal("check", daemon.work)
                self.assertIn("nothing is damaged or missing", checked.stdout)
            looks += 1
        self.assertEqual(runner.returncode, 0, runner.stderr.read())
        self.spawn(BIN / "troupe", "run", "--name", "stays", "--", "sleep", "600")
        self.await_task("TASK_RUNNING", "stays")

        drawn = self.journal("ls", agent.work).stdout
        self.assertIn("open in process %d (troupe)" % agent.process.pid, drawn)
        self.assertRegex(drawn, r"(?m)^      stays +TaskRecord +\d+ +sound$")
        listed = json.loads(self.journal("ls", agent.work, "--json").stdout)
        task = [r for r in listed if r.get("type") == "troupe.internal.TaskRecord"][0]
        self.assertEqual((task["version"], task["state"]), (1, "sound"))
        record = json.loads(self.journal("get", agent.work, task["key"], "--json").stdout)["record"]
        self.assertEqual(record["info"]["task_id"]["value"], "stays")
        self.assertIn('name: "', self.journal("get", agent.work / "journal", task["key"]).stdout)
        exported = [json.loads(line) for line in self.journal("export", master.work).stdout.splitlines()]
        self.assertIn("troupe.internal.AgentRecord", [r.get("type") for r in exported])
        self.assertEqual([r["key"] for r in exported], sorted(r["key"] for r in exported))
        self.assertTrue(agent.state())  # it still runs

    def test_files_at_rest_are_not_touched_and_need_not_be_writable(self):
        self.troupe("run", "--", "true")
        agent = self.agents[0]
        agent.kill()
        folder = agent.work / "journal"
        for path in [folder, *folder.iterdir()]:
            path.chmod(0o555 if path.is_dir() else 0o444)
        agent.work.chmod(0o755)
        self.folder.chmod(0o755)
        self.addCleanup(folder.chmod, stat.S_IRWXU)
        before = facts(folder)
        key = json.loads(self.journal("ls", agent.work, "--json").stdout)[0]["key"]
        users = [{}] + ([{"user": 65534, "group": 65534, "extra_groups": []}] if os.geteuid() == 0 else [])
        for user in users:
            self.journal("ls", agent.work, **user)
            self.journal("get", agent.work, key, **user)
            self.journal("check", agent.work, **user)
            self.journal("export", agent.work, **user)
        self.assertEqual(facts(folder), before)
        for path in [folder, *folder.iterdir()]:
            path.chmod(0o700 if path.is_dir() else 0o600)
        agent.start()  # and its daemon goes on

    def test_damage_is_named_and_the_rest_is_read(self):
        self.troupe("run", "--", "true")
        self.master.kill()
        log = [p for p in (self.master.work / "journal").iterdir() if p.suffix == ".log"][0]
        sound = log.read_bytes()
        log.write_bytes(sound[:30] + bytes([sound[30] ^ 1]) + sound[31:])
        checked = self.journal("check", self.master.work, code=1)
        self.assertIn("file %s: The record at byte 0 does not match its checksum" % log.name, checked.stdout)
        finding = json.loads(self.journal("check", self.master.work, "--json", code=1).stdout)[0]
        self.assertEqual((finding["kind"], finding["where"]), ("file", log.name))
        self.assertIn("is damaged", self.journal("ls", self.master.work).stderr)
        self.assertIn("master/agent/", self.journal("export", self.master.work).stdout)
        log.write_bytes(sound[:-3])
        self.assertIn("It ends within a record", self.journal("check", self.master.work, code=1).stdout)
        log.write_bytes(sound)
        self.journal("check", self.master.work)

    def test_errors_say_what_would_be_right(self):
        self.assertIn("There is no /nowhere", self.journal("ls", "/nowhere", code=1).stderr)
        self.assertIn("holds no journal", self.journal("check", self.folder / "run", code=2).stderr)
        self.assertIn("journal ls", self.journal("get", self.master.work, "no/such/key", code=1).stderr)
        self.assertIn("required", self.journal("ls", code=2).stderr)
        for command in ("ls", "get", "check", "export"):
            self.assertIn("example: troupe journal " + command, self.journal(command, "--help").stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
