"""`troupe run` behaves as a person expects."""
import json
import signal
import unittest

from cluster import ClusterTest, await_true


class Run(ClusterTest):
    def test_the_tasks_exit_code_is_its_own(self):
        self.assertEqual(self.troupe("run", "--", "sh", "-c", "exit 7", check=False).returncode, 7)
        self.assertEqual(self.troupe("run", "--", "true").returncode, 0)

    def test_a_task_that_a_signal_ended_exits_like_in_a_shell(self):
        done = self.troupe("run", "--", "sh", "-c", "kill -9 $$", check=False)
        self.assertEqual(done.returncode, 128 + 9, done.stderr)

    def test_output_is_the_tasks_own_byte_for_byte(self):
        done = self.troupe("run", "--quiet", "--", "sh", "-c", "echo out; echo err >&2; printf 'no newline'")
        self.assertEqual(done.stdout, "out\nno newline")
        self.assertEqual(done.stderr, "err\n")

    def test_environment_reaches_the_task_and_nothing_of_the_agents_does(self):
        done = self.troupe("run", "--quiet", "--env", "GREETING=hello world", "--", "sh", "-c", "echo $GREETING; env")
        self.assertIn("hello world\n", done.stdout)
        self.assertNotIn("TROUPE_MASTER", done.stdout)

    def test_a_task_over_its_memory_is_killed_and_told_so_with_figures(self):
        done = self.troupe("run", "--mem", "32", "--", "python3", "-c", "x=bytearray(10**9)", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"(?i)memory.*32")
        self.assertIn("REASON_CONTAINER_LIMITATION_MEMORY", done.stderr)

    def test_a_program_that_is_not_there_is_named(self):
        done = self.troupe("run", "--", "no-such-program", check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("no-such-program", done.stderr)

    def test_an_interrupt_kills_the_task_and_says_so(self):
        from cluster import BIN
        process = self.spawn(BIN / "troupe", "run", "--name", "long", "--", "sleep", "1000")
        self.await_task("TASK_RUNNING", "long")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=60)
        self.assertEqual(process.returncode, 130)
        self.assertIn("interrupted; killed: 1 KILLED", err)
        self.await_task("TASK_KILLED", "long")

    def test_a_task_whose_output_nobody_reads_is_killed(self):
        from cluster import BIN
        process = self.spawn(BIN / "troupe", "run", "--name", "endless", "--", "sh", "-c", "while :; do echo more; sleep 0.05; done")
        self.assertEqual(process.stdout.readline(), "more\n")
        process.stdout.close()
        self.assertEqual(process.wait(60), 128 + signal.SIGPIPE)
        self.assertIn("nobody reads", process.stderr.read())
        self.await_task("TASK_KILLED", "endless")

    def test_a_master_that_is_not_there_is_named_while_it_is_waited_for(self):
        from cluster import BIN
        nobody = "http://127.0.0.1:1"
        process = self.spawn(BIN / "troupe", "run", "--master", nobody, "--", "true")
        self.assertIn("127.0.0.1:1", process.stderr.readline())
        process.send_signal(signal.SIGINT)
        self.assertEqual(process.wait(60), 130)

    def test_wrong_options_are_named_and_exit_2(self):
        for arguments, word in ((["run"], "command"), (["run", "--cpus", "-1", "--", "true"], "--cpus"),
                                (["run", "--env", "novalue", "--", "true"], "NAME=VALUE"), (["run", "--role", "a//b", "--", "true"], "--role"),
                                (["run", "--instances", "0", "--", "true"], "instances"), (["nonsense"], "nonsense")):
            done = self.troupe(*arguments, check=False)
            self.assertEqual(done.returncode, 2, arguments)
            self.assertIn(word, done.stderr + done.stdout, arguments)

    def test_json_says_each_state(self):
        done = self.troupe("run", "--json", "--", "true")
        states = [json.loads(line)["state"] for line in done.stdout.splitlines()]
        self.assertEqual(states[-1], "TASK_FINISHED")
        self.assertIn("TASK_RUNNING", states)


class ManyTasks(ClusterTest):
    agents_wanted = 2
    resources = "cpus:60;mem:20000;disk:4096"

    def test_two_hundred_instances_all_finish(self):
        done = self.troupe("run", "--instances", "200", "--cpus", "0.1", "--mem", "32", "--", "true")
        self.assertIn("200 FINISHED", done.stderr)

    def test_two_hundred_tasks_run_at_once(self):
        from cluster import BIN
        process = self.spawn(BIN / "troupe", "run", "--name", "crowd", "--instances", "200", "--cpus", "0.1", "--mem", "32", "--", "sleep", "1000")
        await_true(lambda: sum(t["state"] == "TASK_RUNNING" for t in self.tasks()) == 200, "200 running tasks")
        process.send_signal(signal.SIGINT)
        _, err = process.communicate(timeout=120)
        self.assertIn("200 KILLED", err)

    def test_a_thousand_short_tasks_all_finish(self):
        done = self.troupe("run", "--instances", "1000", "--cpus", "0.1", "--mem", "32", "--", "true")
        self.assertIn("1000 FINISHED", done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
