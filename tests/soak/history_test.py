"""The checker of scripts/soak finds what it is there to find."""
import os
import pathlib
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent))

from history import COMMANDS, EXECUTORS, RESUMING_EXECUTORS, History, Process, now_ms, start_time

NOBODY = ("999999999", "1")  # pid and start time of no process


class Checked(unittest.TestCase):
    def setUp(self):
        held = tempfile.TemporaryDirectory(prefix="troupe-soak-test.")
        self.addCleanup(held.cleanup)
        self.folder = pathlib.Path(held.name)
        self.history = History(self.folder, {"commands": COMMANDS, "executors": EXECUTORS, "resuming": RESUMING_EXECUTORS})
        self.addCleanup(self.history.close)
        self.me = (str(os.getpid()), start_time(os.getpid()))

    def told(self, framework, *lines):
        with open(self.folder / (framework + ".told"), "a", encoding="utf-8") as file:
            file.writelines("%d %s\n" % (now_ms(), line) for line in lines)
        self.history.read()

    def seen(self, *lines):
        with open(self.folder / "witness", "a", encoding="utf-8") as file:
            file.writelines(line + "\n" for line in lines)
        self.history.read()

    def launched(self, task, *more):
        self.told(task.split(".")[0], "launch %s agent-1" % task, *more)

    def found(self):
        return sorted(self.history.found)

    def missing(self):
        return [(task.name, what.split(";")[0]) for task, what in self.history.unsettled(now_ms() + 1)]

    def start_line(self, task, process=NOBODY, parent=1):
        return "%s start %s %s %d" % (task, *process, parent)


class Lives(Checked):
    def test_a_short_task_that_ends_is_settled_and_nothing_is_wrong(self):
        self.launched("commands.S.1", "told commands.S.1 RUNNING -")
        self.assertEqual(self.missing(), [("commands.S.1", "has not been told to have ended")])
        self.seen(self.start_line("commands.S.1"), "commands.S.1 end")
        self.told("commands", "told commands.S.1 FINISHED -", "told commands.S.1 FINISHED -")
        self.assertEqual((self.missing(), self.found()), ([], []))

    def test_a_long_task_that_runs_is_whole(self):
        self.launched("commands.L.1", "told commands.L.1 RUNNING -")
        self.seen(self.start_line("commands.L.1", self.me), "commands.L.1 beat 1")
        self.assertEqual((self.missing(), self.found()), ([], []))
        self.assertEqual(self.history.running("commands"), {"commands.L.1"})

    def test_lines_that_are_not_whole_wait(self):
        with open(self.folder / "witness", "w", encoding="utf-8") as file:
            file.write("commands.L.1 sta")
        self.history.read()
        self.assertEqual(self.history.tasks, {})
        self.seen("rt 999999999 1 1")
        self.assertEqual(self.history.tasks["commands.L.1"].starts, 1)

    def test_a_launch_that_a_crash_overtook_is_no_loss(self):
        self.launched("commands.S.1")
        self.told("commands", "up 5", "subscribed f-1", "sure")
        self.assertEqual((self.missing(), self.found()), ([], []))
        self.launched("commands.S.1")
        self.assertEqual(self.missing(), [("commands.S.1", "has not been told to have ended")])

    def test_the_tasks_of_a_killed_executor_end_with_it(self):
        self.launched("executors.L.1", "told executors.L.1 RUNNING -")
        self.seen(self.start_line("executors.L.1", parent=77))
        self.history.killed_executors.add(77)
        self.told("executors", "told executors.L.1 GONE -")
        self.assertEqual((self.missing(), self.found()), ([], []))


class Wrongs(Checked):
    def test_a_task_that_ends_with_an_executor_that_should_have_returned_to_it(self):
        self.launched("resuming.L.1", "told resuming.L.1 RUNNING -")
        self.seen(self.start_line("resuming.L.1", parent=77))
        self.history.killed_executors.add(77)
        self.told("resuming", "told resuming.L.1 FAILED -")
        self.assertEqual(self.found(), [("disturbed", "resuming.L.1")])

    def test_a_task_of_which_nothing_is_told(self):
        self.launched("commands.L.1")
        self.assertEqual(self.missing(), [("commands.L.1", "has not been told to run")])

    def test_a_task_that_nobody_runs(self):
        self.launched("commands.L.1", "told commands.L.1 RUNNING -")
        self.assertEqual(self.missing(), [("commands.L.1", "was told RUNNING and never started")])
        self.seen(self.start_line("commands.L.1"))
        self.assertEqual(self.missing(), [("commands.L.1", "was told RUNNING, and its process 999999999 is no more")])

    def test_a_task_that_runs_on_after_its_end(self):
        self.launched("commands.K.1", "kill commands.K.1", "told commands.K.1 KILLED -")
        self.seen(self.start_line("commands.K.1", self.me))
        self.assertEqual(self.missing(), [("commands.K.1", "was told KILLED and runs on as process %s" % self.me[0])])

    def test_a_task_that_runs_and_that_its_framework_does_not_remember(self):
        self.launched("commands.S.1")
        self.told("commands", "up 5", "subscribed f-1")
        self.seen(self.start_line("commands.S.1"))
        self.assertEqual(self.found(), [("lost", "commands.S.1")])

    def test_a_task_that_finished_and_never_started(self):
        self.launched("commands.S.1", "told commands.S.1 FINISHED -")
        self.assertEqual(self.found(), [("lost", "commands.S.1")])

    def test_a_command_that_starts_twice(self):
        self.launched("commands.L.1")
        self.seen(self.start_line("commands.L.1"), self.start_line("commands.L.1"))
        self.assertEqual(self.found(), [("duplicated", "commands.L.1")])

    def test_a_long_task_that_ends(self):
        for name, framework in (("commands.L.1", "commands"), ("executors.L.1", "executors")):
            self.launched(name)
            self.seen(self.start_line(name, parent=78))
            self.history.killed_executors.add(77)
            self.told(framework, "told %s FAILED -" % name)
        self.assertEqual(self.found(), [("disturbed", "commands.L.1"), ("disturbed", "executors.L.1")])

    def test_a_short_task_that_ends_otherwise_than_it_did(self):
        self.launched("commands.S.1")
        self.seen(self.start_line("commands.S.1"), "commands.S.1 end")
        self.told("commands", "told commands.S.1 GONE -")
        self.assertEqual(self.found(), [("disturbed", "commands.S.1")])

    def test_two_different_ends(self):
        self.launched("commands.S.1", "told commands.S.1 DROPPED -", "told commands.S.1 GONE -")
        self.assertEqual(self.found(), [("disturbed", "commands.S.1")])

    def test_a_framework_that_is_refused(self):
        self.told("commands", "refused Framework has been removed")
        self.assertEqual(self.found(), [("lost", "commands")])

    def test_the_timeline_has_the_kills(self):
        self.launched("commands.L.1")
        self.history.kills.append((now_ms(), "master, process 5"))
        self.assertIn("KILLED master, process 5", "\n".join(self.history.timeline("commands.L.1")))


class Processes(unittest.TestCase):
    def test_a_process_is_told_from_a_later_one_of_its_number(self):
        child = subprocess.Popen(["sleep", "1000"])
        it = Process(child.pid, start_time(child.pid))
        self.assertTrue(it.lives())
        self.assertFalse(Process(child.pid, "1").lives())
        child.kill()
        os.waitid(os.P_PID, child.pid, os.WEXITED | os.WNOWAIT)
        self.assertFalse(it.lives())  # though nobody has asked about its end yet
        child.wait()


if __name__ == "__main__":
    unittest.main(verbosity=2)
