"""Emulated agents and frameworks on a real master: every task is accounted for, at every place where tasks are counted."""
import json
import signal
import unittest

from cluster import BIN, ClusterTest, await_true, PATIENCE_S


def last_line(text):
    line = json.loads(text.splitlines()[-1])
    assert line["phase"] == "done", line
    return line


class Emulate(ClusterTest):
    agents_wanted = 0

    def emulate_agents(self, count, *options):
        process = self.spawn(BIN / "troupe", "emulate", "agents", "--count", count, "--json", *options)
        self.troupe("agents", "--wait", str(count), "--timeout", "60s")
        return process

    def figures_of(self, process):
        """Ends it; the figures that it leaves."""
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_S)
        self.assertEqual(process.returncode, 0, err)
        return last_line(out)

    def test_every_task_of_many_frameworks_on_many_agents_is_accounted_for(self):
        agents = self.emulate_agents(50, "--task-seconds", "0.05:0.02")
        load = last_line(self.troupe("emulate", "frameworks", "--count", "2", "--tasks", "401", "--json").stdout)
        self.assertEqual(load["tasks"], {"launched": 401, "running": 401, "finished": 401, "failed": 0, "killed": 0, "lost": 0, "open": 0})
        self.assertEqual(load["measured"]["ended"], 401)
        for delays in ("launch_to_running", "launch_to_end", "wish_to_running"):
            self.assertEqual(load[delays]["count"], 401, delays)
            self.assertLessEqual(load[delays]["mean_ms"], load[delays]["max_ms"], delays)
        state = self.master.state()
        self.assertEqual(sorted(len(f["completed_tasks"]) for f in state["completed_frameworks"]), [200, 201])
        self.assertEqual({t["state"] for t in self.tasks()}, {"TASK_FINISHED"})
        self.assertEqual([a["used_resources"]["cpus"] for a in state["slaves"]], [0.0] * 50)
        figures = self.figures_of(agents)
        self.assertEqual(figures["containers"], {"launched": 401, "running": 0, "ended": 401})
        # A hundred places for 401 tasks: all but the first in each follow one that has ended.
        self.assertGreaterEqual(figures["idle"]["count"], 301)
        await_true(lambda: self.master.state()["slaves"] == [], "the emulated agents to have left")

    def test_frameworks_that_are_told_to_end_leave_nothing_behind(self):
        agents = self.emulate_agents(5, "--task-seconds", "1000")
        load = self.spawn(BIN / "troupe", "emulate", "frameworks", "--count", "3", "--at-once", "2", "--json")
        await_true(lambda: sum(t["state"] == "TASK_RUNNING" for t in self.tasks()) == 6, "six tasks to run")
        figures = self.figures_of(load)
        self.assertEqual(figures["tasks"]["launched"], 6)
        self.assertEqual(figures["tasks"]["failed"] + figures["tasks"]["lost"], 0)
        state = self.master.state()
        self.assertEqual(state["frameworks"], [])
        await_true(lambda: all(a["used_resources"]["cpus"] == 0 for a in self.master.state()["slaves"]), "their tasks to be killed")
        containers = self.figures_of(agents)["containers"]
        self.assertEqual(containers, {"launched": 6, "running": 0, "ended": 6})

    def test_agents_with_a_folder_come_back_as_the_same_ones(self):
        options = ["--work-dir", self.folder / "emulated", "--source-address", "127.0.0.2", "--source-address", "127.0.0.3"]
        first = self.emulate_agents(10, *options)
        known = {a["id"] for a in self.master.state()["slaves"]}
        self.figures_of(first)
        await_true(lambda: not any(a["active"] for a in self.master.state()["slaves"]), "the agents to be away")
        self.figures_of(self.emulate_agents(10, *options))
        self.assertEqual({a["id"] for a in self.master.state()["slaves"]}, known)

    def test_a_cluster_in_one_process_does_the_same_without_sockets(self):
        done = self.troupe("emulate", "cluster", "--agents", "20", "--frameworks", "2", "--tasks", "300", "--task-seconds", "0", "--json")
        figures = last_line(done.stdout)
        self.assertEqual(figures["agents"]["registered"], 20)
        self.assertEqual(figures["tasks"], {"launched": 300, "running": 300, "finished": 300, "failed": 0, "killed": 0, "lost": 0, "open": 0})
        self.assertEqual(figures["containers"], {"launched": 300, "running": 0, "ended": 300})
        self.assertGreater(figures["master"]["cores"], 0)
        self.assertGreater(figures["process"]["cores"], figures["master"]["cores"])

    def test_what_cannot_be_emulated_is_said_plainly(self):
        for options, expected in [(["agents", "--count", "1", "--task-seconds", "long"], "--task-seconds"),
                                  (["agents", "--count", "1", "--resources", "cpus:many"], "--resources"),
                                  (["agents", "--count", "0"], "--count"),
                                  (["frameworks", "--count", "3", "--tasks", "2"], "--tasks"),
                                  (["frameworks", "--count", "1", "--cpus", "0", "--mem", "0"], "--cpus"),
                                  (["frameworks", "--count", "1", "--rate", "1", "--at-once", "1"], "--rate")]:
            done = self.troupe("emulate", *options, check=False)
            self.assertEqual(done.returncode, 2, options)
            self.assertIn(expected, done.stderr)


if __name__ == "__main__":
    unittest.main()
