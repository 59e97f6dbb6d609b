"""Daemons of today over the journals that earlier releases left (tests/golden/journals)."""
import json
import pathlib
import shutil
import subprocess
import unittest

from cluster import BIN, PATIENCE_S, ClusterTest, await_true

JOURNALS = pathlib.Path(__file__).resolve().parent.parent / "golden" / "journals"


def releases():
    return sorted(folder for folder in JOURNALS.iterdir() if (folder / "facts.txt").exists())


def facts_of(release):
    lines = [line.split() for line in (release / "facts.txt").read_text().splitlines()]
    facts = {words[0]: words[1] for words in lines if words[0] != "task"}
    return facts, {words[1]: words[2] for words in lines if words[0] == "task"}


class Golden(ClusterTest):
    agents_wanted = 0

    def setUp(self):
        super().setUp()
        self.assertTrue(releases())

    def test_journals_of_earlier_releases_say_what_they_said(self):
        for release in releases():
            for owner in ("master", "agent", "hello"):
                with self.subTest(release=release.name, owner=owner):
                    done = subprocess.run([BIN / "troupe", "journal", "export", release / owner], capture_output=True, text=True, timeout=PATIENCE_S, check=True)
                    self.assertEqual([json.loads(line) for line in done.stdout.splitlines()],
                                     [json.loads(line) for line in (release / owner / "records.jsonl").read_text().splitlines()])

    def test_a_cluster_of_an_earlier_release_goes_on(self):
        for release in releases():
            with self.subTest(release=release.name):
                self.go_on(release)

    def go_on(self, release):
        facts, tasks = facts_of(release)
        for owner in ("master", "agent"):
            shutil.copytree(release / owner / "journal", self.folder / (release.name + "-" + owner) / "journal")
        master = self.start(release.name + "-master", "master")
        agent = self.start(release.name + "-agent", "agent", "--master", master.url, "--resources", "cpus:4;mem:1024;disk:1024;ports:[31000-31009]",
                           "--attributes", "rack:r1;level:2;new:1", "--registration-backoff-factor", "20ms")
        known = await_true(lambda: master.state()["slaves"], "the agent to return")
        self.assertEqual([a["id"] for a in known], [facts["agent_id"]])
        self.assertEqual(agent.state()["id"], facts["agent_id"])
        # The machine was started again since, so what ran has ended; its framework has not come back yet.
        framework = lambda: [f for f in master.state()["frameworks"] if f["id"] == facts["framework_id"]][0]
        ended = await_true(lambda: len(framework()["tasks"]) == len(tasks) and all(t["state"] != "TASK_RUNNING" for t in framework()["tasks"]) and framework()["tasks"],
                           "the tasks to have ended")
        self.assertEqual({t["id"] for t in ended}, set(tasks))
        self.master = master
        self.assertEqual(self.troupe("run", "--", "true").returncode, 0)
        agent.stop()
        master.stop()

    def test_a_journal_of_a_newer_release_is_refused_and_not_touched(self):
        work = self.folder / "newer"
        shutil.copytree(JOURNALS / "newer" / "agent" / "journal", work / "journal")
        before = self.contents(work)
        done = subprocess.run([BIN / "troupe", "agent", "--master", self.master.url, "--port", "0", "--work-dir", work, "--runtime-dir", self.folder / "run-newer"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("head has version 2, and this release reads versions up to 1", done.stderr)
        self.assertEqual(self.contents(work), before)

    def contents(self, folder):
        return {path: (path.read_bytes() if path.is_file() else b"", path.lstat().st_mtime_ns) for path in [folder, *sorted(folder.rglob("*"))]}


if __name__ == "__main__":
    unittest.main(verbosity=2)
