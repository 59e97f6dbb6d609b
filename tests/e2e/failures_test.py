"""Crashes and kills of real processes: what was told survives, what was running is accounted for."""
import json
import os
import pathlib
import signal
import subprocess
import unittest

from cluster import BIN, ClusterTest, await_true


class AgentRestarted(ClusterTest):
    """However it ends: tasks go on, and what became of them is known."""

    WAITS = "echo $$ > pid; i=0; while [ ! -e go ]; do i=$((i+1)); echo $i; sleep 0.02; done; echo through; exit 7"

    def test_tasks_outlive_an_agent_that_is_killed(self):
        self.go_through(self.agents[0].kill)

    def test_tasks_outlive_an_agent_that_is_stopped(self):
        self.go_through(self.agents[0].stop)

    def lasting(self):
        """A task that waits until it is told to go on: who runs it, where, and its process."""
        run = self.spawn(BIN / "troupe", "run", "--name", "lasting", "--", "sh", "-c", self.WAITS)
        self.await_task("TASK_RUNNING", "lasting")
        sandbox = self.sandbox()
        pid = await_true(lambda: (sandbox / "pid").read_text().strip() if (sandbox / "pid").exists() else None, "the task's pid")
        return run, sandbox, pid

    def go_through(self, end):
        agent = self.agents[0]
        before = agent.state()["id"]
        run, sandbox, pid = self.lasting()
        started = self.started(pid)
        end()
        said = self.lines(sandbox)
        await_true(lambda: self.lines(sandbox) > said + 2, "output while no agent is there")
        agent.start()
        self.await_agents(1)
        self.assertEqual(agent.state()["id"], before)
        said = self.lines(sandbox)
        await_true(lambda: self.lines(sandbox) > said + 2, "output after the agent's return")
        self.assertEqual(self.started(pid), started)
        (sandbox / "go").touch()
        run.communicate(timeout=120)
        self.assertEqual(run.returncode, 7)
        self.assertEqual((sandbox / "stdout").read_text().splitlines()[-1], "through")
        await_true(lambda: not self.shims(), "the shim to be gone")
        # Nothing of it is kept once its end is known.
        await_true(lambda: not self.kept(), "the runtime files to be gone")
        self.assertEqual(self.troupe("run", "--", "true").returncode, 0)

    def test_a_task_that_ends_while_its_agent_is_away_ends_as_it_did(self):
        agent = self.agents[0]
        run = self.spawn(BIN / "troupe", "run", "--name", "away", "--", "sh", "-c", self.WAITS)
        self.await_task("TASK_RUNNING", "away")
        agent.kill()
        sandbox = self.sandbox()
        (sandbox / "go").touch()
        await_true(lambda: not self.shims(), "the task to end")
        agent.start()
        run.communicate(timeout=120)
        self.assertEqual(run.returncode, 7)
        self.assertEqual((sandbox / "stdout").read_text().splitlines()[-1], "through")

    def test_a_task_whose_container_nobody_knows_ends_with_a_reason(self):
        agent = self.agents[0]
        run = self.spawn(BIN / "troupe", "run", "--name", "lost", "--", "sleep", "1000")
        self.await_task("TASK_RUNNING", "lost")
        agent.kill()
        # With another work folder: what this agent remembers stays.
        self.clean_up(self.folder / "nobody", agent.runtime)
        self.assertEqual(self.shims(), [])
        agent.start()
        _, err = run.communicate(timeout=120)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("REASON_AGENT_RESTARTED", err)

    def test_an_agent_with_more_resources_is_the_same_one_and_offers_them(self):
        agent = self.agents[0]
        before = agent.state()["id"]
        run = self.spawn(BIN / "troupe", "run", "--name", "lasting", "--", "sh", "-c", self.WAITS)
        self.await_task("TASK_RUNNING", "lasting")
        agent.kill()
        self.give_resources("cpus:8;mem:2048;disk:4096;ports:[31000-32000];licenses:3")
        agent.start()
        self.await_agents(1)
        known = await_true(lambda: [s for s in self.master.state()["slaves"] if s["resources"]["cpus"] == 8], "the master to know")[0]
        self.assertEqual((known["id"], agent.state()["id"]), (before, before))
        self.assertEqual(known["resources"]["licenses"], 3)
        # More than it had before, beside what runs.
        self.assertEqual(self.troupe("run", "--cpus", "6", "--", "true").returncode, 0)
        (self.sandbox("pid") / "go").touch()
        run.communicate(timeout=120)
        self.assertEqual(run.returncode, 7)

    def test_an_agent_with_fewer_resources_exits_with_the_difference_and_disturbs_nothing(self):
        agent = self.agents[0]
        before = agent.state()["id"]
        run, sandbox, pid = self.lasting()
        started, shims = self.started(pid), self.shims()
        agent.kill()
        self.give_resources("cpus:2.5;mem:2048;disk:4096", "--attributes", "rack:1")
        refused = self.run_agent()
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("resource cpus: was cpus:4, would be cpus:2.5; valid: cpus:4 or more", refused.stderr)
        self.assertIn("--recover=cleanup", refused.stderr)
        for other in "mem", "disk", "ports", "rack":
            self.assertNotIn(other + ":", refused.stderr.split("Nothing was changed")[0])
        self.assertFalse(agent.ready.exists())
        refused = self.run_agent("--reconfiguration-policy", "equal")
        self.assertEqual(refused.returncode, 2, refused.stderr)
        self.assertIn("attribute rack: was nothing, would be rack:1; valid: nothing", refused.stderr)
        self.assertEqual((self.started(pid), self.shims()), (started, shims))
        self.give_resources(self.resources)
        agent.start()
        self.await_agents(1)
        self.assertEqual(agent.state()["id"], before)
        self.assertEqual(self.started(pid), started)
        (sandbox / "go").touch()
        run.communicate(timeout=120)
        self.assertEqual(run.returncode, 7)

    def test_an_agent_that_begins_afresh_may_have_any_configuration(self):
        agent = self.agents[0]
        before = agent.state()["id"]
        run = self.spawn(BIN / "troupe", "run", "--name", "ended", "--cpus", "3", "--", "sleep", "1000")
        self.await_task("TASK_RUNNING", "ended")
        agent.kill()
        self.give_resources("cpus:1;mem:512;disk:1024;ports:[]")
        self.assertEqual(self.run_agent().returncode, 2)
        self.clean_up(agent.work, agent.runtime)
        self.assertEqual(self.shims(), [])
        agent.start()
        await_true(lambda: [s["resources"]["cpus"] for s in self.master.state()["slaves"]] == [1], "the new agent to be the only one")
        _, err = run.communicate(timeout=120)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("REASON_AGENT_REMOVED", err)
        self.assertNotEqual(agent.state()["id"], before)
        self.assertEqual(self.troupe("run", "--", "true").returncode, 0)

    def give_resources(self, resources, *others):
        arguments = self.agents[0].arguments
        at = arguments.index("--resources")
        self.agents[0].arguments = arguments[:at] + ["--resources", resources, *others] + arguments[at + 2:at + 4]

    def run_agent(self, *arguments):
        """Of one that is to end by itself."""
        agent = self.agents[0]
        agent.ready.unlink(missing_ok=True)
        return subprocess.run([BIN / "troupe", *agent.arguments, *arguments, "--work-dir", agent.work, "--runtime-dir", agent.runtime,
                               "--ready-file", agent.ready], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)

    def clean_up(self, work, runtime):
        subprocess.run([BIN / "troupe", "agent", "--recover=cleanup", "--work-dir", work, "--runtime-dir", runtime], check=True, timeout=120)

    def sandbox(self, having="stdout"):
        found = {pathlib.Path(root) for root, _, files in os.walk(self.agents[0].work) if having in files}
        self.assertEqual(len(found), 1)
        return found.pop()

    def lines(self, sandbox):
        return len((sandbox / "stdout").read_text().splitlines())

    def kept(self):
        return list((self.agents[0].runtime / "containers" / "containers").iterdir())

    def started(self, pid):
        """Tells a process from a later one of its number."""
        return pathlib.Path("/proc/%s/stat" % pid).read_text().rsplit(")", 1)[1].split()[19]


class AgentLeaves(ClusterTest):
    def test_the_master_knows_at_once_and_nothing_is_left(self):
        agent = self.agents[0]
        before = agent.state()["id"]
        run = self.spawn(BIN / "troupe", "run", "--name", "left", "--", "sleep", "1000")
        self.await_task("TASK_RUNNING", "left")
        agent.process.send_signal(signal.SIGUSR1)
        _, err = run.communicate(timeout=120)
        self.assertNotEqual(run.returncode, 0)
        self.assertIn("REASON_AGENT_REMOVED", err)
        self.assertEqual(agent.process.wait(60), 0)
        self.assertEqual(self.shims(), [])
        self.assertEqual(self.master.state()["slaves"], [])
        agent.start()
        self.await_agents(1)
        self.assertNotEqual(agent.state()["id"], before)
        self.assertEqual(self.troupe("run", "--", "true").returncode, 0)


class FrameworkKilled(ClusterTest):
    def test_it_is_back_under_the_same_id_and_its_tasks_are_undisturbed(self):
        state = self.folder / "steady"
        first = self.spawn(BIN / "steady", state)
        await_true(lambda: sum(t["state"] == "TASK_RUNNING" for t in self.tasks()) == 3, "three running tasks")
        before = {t["id"]: t for t in self.tasks()}
        pids = self.pids()
        self.assertEqual(len(pids), 3)
        first.kill()
        first.wait()
        await_true(lambda: not self.framework()["connected"], "the master to notice")
        second = self.spawn(BIN / "steady", state)
        await_true(lambda: self.framework()["connected"], "the framework to return")
        self.assertEqual({t["framework_id"] for t in self.tasks()}, {t["framework_id"] for t in before.values()})
        self.assertEqual({t["id"]: t["state"] for t in self.tasks()}, {i: "TASK_RUNNING" for i in before})
        self.assertEqual(self.pids(), pids)
        second.send_signal(signal.SIGINT)
        self.assertEqual(second.wait(60), 0)
        await_true(lambda: not self.pids(), "its tasks to end with it")

    def framework(self):
        found = [f for f in self.master.state()["frameworks"] if f["name"] == "steady"]
        self.assertEqual(len(found), 1)
        return found[0]

    def pids(self):
        """The tasks' processes, by the argument that only they have."""
        found = set()
        for entry in os.scandir("/proc"):
            if entry.name.isdigit():
                try:
                    with open("/proc/%s/cmdline" % entry.name, "rb") as line:
                        if line.read() == b"sleep\x00100000.5\x00":
                            found.add(int(entry.name))
                except OSError:
                    continue
        return found


class MasterKilled(ClusterTest):
    def test_agents_come_back_and_running_tasks_go_on(self):
        run = self.spawn(BIN / "troupe", "run", "--name", "through", "--", "sh", "-c", "while [ ! -e go ]; do sleep 0.05; done; echo through")
        task = self.await_task("TASK_RUNNING", "through")
        self.assertTrue(task)
        # The port must stay for those who look for the master there.
        port = self.master.url.rsplit(":", 1)[1]
        self.master.kill()
        self.master.arguments[2] = port
        self.master.start()
        self.await_agents(1)
        sandbox = [os.path.join(root) for root, _, files in os.walk(self.agents[0].work) if "stdout" in files]
        self.assertEqual(len(sandbox), 1)
        open(os.path.join(sandbox[0], "go"), "w").close()
        self.await_task("TASK_FINISHED", "through")
        run.kill()


class Kill(ClusterTest):
    def test_an_operator_ends_a_task(self):
        run = self.spawn(BIN / "troupe", "run", "--name", "victim", "--", "sleep", "1000")
        self.await_task("TASK_RUNNING", "victim")
        self.troupe("kill", "victim")
        run.communicate(timeout=60)
        self.assertNotEqual(run.returncode, 0)
        self.await_task("TASK_KILLED", "victim")

    def test_a_task_that_ignores_term_is_killed_after_its_grace(self):
        run = self.spawn(BIN / "troupe", "run", "--grace", "200ms", "--name", "stubborn", "--", "sh", "-c", "trap '' TERM; echo ready; while :; do sleep 0.1; done")
        self.await_task("TASK_RUNNING", "stubborn")
        await_true(lambda: self.troupe("logs", "stubborn").stdout == "ready\n", "the task to ignore TERM")
        self.troupe("kill", "stubborn")
        run.communicate(timeout=60)
        self.await_task("TASK_KILLED", "stubborn")

    def test_an_unknown_task_is_refused(self):
        done = self.troupe("kill", "nobody", check=False)
        self.assertEqual(done.returncode, 1)
        self.assertIn("nobody", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
