"""What became of each task, from what its framework was told and from what the task itself wrote, and what of that must not be."""
import collections
import os
import pathlib
import time

# Where the tasks of a framework run: each by itself; in a custom executor, and end with it; in one that returns to them when it is killed.
COMMANDS, EXECUTORS, RESUMING_EXECUTORS = "commands", "executors", "resuming executors"

TERMINAL = {"FINISHED", "FAILED", "KILLED", "ERROR", "LOST", "DROPPED", "GONE", "GONE_BY_OPERATOR"}


def now_ms():
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1_000_000


def start_time(pid):
    """When the process began, in clock ticks since the machine did; None if there is none, or only what its parent has not asked about."""
    try:
        fields = pathlib.Path("/proc/%d/stat" % pid).read_text().rsplit(")", 1)[1].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else fields[19]


class Process:
    """A process that cannot be taken for a later one of its number."""

    def __init__(self, pid, started):
        self.pid, self.started = int(pid), started

    def lives(self):
        return start_time(self.pid) == self.started

    def cgroups(self):
        try:
            return pathlib.Path("/proc/%d/cgroup" % self.pid).read_text()
        except OSError:
            return None


class Tail:
    """The lines that were added to a file since it was last asked."""

    def __init__(self, path):
        self.path, self.file, self.rest = path, None, ""

    def lines(self):
        if self.file is None:
            if not self.path.exists():
                return []
            self.file = open(self.path, encoding="utf-8")
        *whole, self.rest = (self.rest + self.file.read()).split("\n")
        return whole

    def close(self):
        if self.file:
            self.file.close()


class Task:
    def __init__(self, name, runs_in):
        self.name, self.runs_in = name, runs_in
        self.kind = name.split(".")[1]  # L: long, S: short, K: short, and killed
        self.launched_ms = self.state = self.process = self.parent = self.cgroups = None
        self.starts = self.beats = 0
        self.withdrawn = False  # its framework died before it remembered the launch: it must never run
        self.asked_to_end = self.reached_end = False
        self.ends = []  # each terminal state told, once
        self.events = []

    def ended(self):
        return bool(self.ends)

    def note(self, at_ms, text):
        self.events.append((at_ms, text))


class Framework:
    def __init__(self, name, tasks_in, tail):
        self.name, self.tasks_in, self.tail = name, tasks_in, tail
        self.subscribed_ms = 0
        self.sure = False  # it knows of each of its tasks what became of it
        self.remembers = None  # tasks of its present life, until it is subscribed


class History:
    """Reads `NAME.told` of each framework (soak_scheduler.hpp says what is in it) and `witness`, to which tasks and executors write."""

    def __init__(self, folder, frameworks):
        self.frameworks = {name: Framework(name, tasks_in, Tail(folder / (name + ".told"))) for name, tasks_in in frameworks.items()}
        self.witness = Tail(folder / "witness")
        self.tasks = {}
        self.executors = {}  # by pid
        self.kills = []  # (when, whom)
        self.killed_executors = set()  # pids
        self.found = collections.OrderedDict()  # (kind of finding, task): what is wrong
        self.open = {}  # tasks that are not settled: not ended, or still to be seen dead
        self.touched = set()

    def close(self):
        for tail in [self.witness, *(f.tail for f in self.frameworks.values())]:
            tail.close()

    def read(self):
        # In this order: a task whose end was told has written before what it will have written.
        for framework in self.frameworks.values():
            for line in framework.tail.lines():
                at_ms, word, *rest = line.split(" ")
                self.on_told(framework, int(at_ms) or now_ms(), word, rest)
        for line in self.witness.lines():
            name, word, *rest = line.split(" ")
            if name == "executor":
                self.executors[int(rest[1])] = Process(*rest[1:3])
            else:
                self.on_witness(name, word, rest)
        for name in self.touched:
            self.judge(self.tasks[name])
        self.touched.clear()

    def task(self, framework, name, news=True):
        if name not in self.tasks:
            self.tasks[name] = self.open[name] = Task(name, framework.tasks_in)
        if news:
            self.touched.add(name)
        return self.tasks[name]

    def on_told(self, framework, at_ms, word, rest):
        if word == "up":
            framework.remembers, framework.sure = set(), False
        elif word == "remembered":
            framework.remembers.add(rest[0])
        elif word in ("subscribed", "disconnected"):
            framework.sure = False
            if word == "subscribed":
                framework.subscribed_ms = at_ms
                self.withdraw_forgotten(framework, at_ms)
        elif word == "sure":
            framework.sure = True
        elif word == "launch":
            task = self.task(framework, rest[0])
            if task.launched_ms is None or task.withdrawn:
                task.launched_ms, task.withdrawn = at_ms, False
                self.open[task.name] = task
            task.note(at_ms, "launched on agent " + rest[1])
        elif word == "kill":
            task = self.task(framework, rest[0])
            task.asked_to_end = True
            task.note(at_ms, "its framework asks that it be killed")
        elif word == "told":
            task = self.task(framework, rest[0])
            task.state = rest[1]
            task.note(at_ms, "told %s %s" % (rest[1], rest[2]))
            if rest[1] in TERMINAL and rest[1] not in task.ends:
                task.ends.append(rest[1])
        elif word == "refused":
            self.found[("lost", framework.name)] = "framework %s is refused: %s" % (framework.name, " ".join(rest))

    def withdraw_forgotten(self, framework, at_ms):
        if framework.remembers is None:
            return
        for task in list(self.open.values()):
            if task.name.startswith(framework.name + ".") and not task.ended() and task.name not in framework.remembers:
                task.withdrawn = True
                task.note(at_ms, "its framework was killed before it remembered the launch")
                self.touched.add(task.name)
        framework.remembers = None

    def on_witness(self, name, word, rest):
        framework = self.frameworks[name.split(".")[0]]
        task = self.task(framework, name, word != "beat")
        if word == "start":
            task.starts += 1
            task.process, task.parent = Process(*rest[:2]), int(rest[2])
            task.note(now_ms(), "started as process %s, child of %s" % (rest[0], rest[2]))
        elif word == "beat":
            task.beats = int(rest[0])
        elif word == "end":
            task.reached_end = True
            task.note(now_ms(), "came to its end")

    def excused(self, task):
        """Its executor was killed: it ended with that one, however."""
        return task.runs_in == EXECUTORS and task.parent in self.killed_executors

    def judge(self, task):
        def is_wrong(kind, why):
            self.found.setdefault((kind, task.name), why)

        if task.starts > 1:
            is_wrong("duplicated", "its command was started %d times" % task.starts)
        if task.withdrawn and task.starts:
            is_wrong("lost", "it was started although its framework had not remembered the launch: nobody looks after it")
        if len(task.ends) > 1:
            is_wrong("disturbed", "its end was told twice, and differently: " + ", then ".join(task.ends))
        if not task.ended():
            return
        if task.starts and not self.excused(task):
            expected = {"L": None, "S": "FINISHED", "K": "KILLED"}[task.kind]
            if task.ends[0] != expected:
                is_wrong("disturbed", "its command ran, nobody killed its executor%s, and it ended as %s" %
                         (", nobody asked for its end" if task.kind != "K" else "", task.ends[0]))
            elif task.kind == "S" and not task.reached_end:
                is_wrong("disturbed", "it was told FINISHED and never came to its end")
            elif task.kind == "K" and not task.asked_to_end:
                is_wrong("disturbed", "it was told KILLED, and nobody had asked for that")
        if task.ends[0] == "FINISHED" and not task.starts:
            is_wrong("lost", "it was told FINISHED and never started")

    def unsettled(self, before_ms):
        """Of each task that was launched before, what has yet to be seen. What is settled is looked at no more."""
        missing = []
        for task in list(self.open.values()):
            lives = task.process is not None and task.process.lives()
            if task.withdrawn and not task.starts:
                pass  # until its framework uses the name again
            elif task.ended() and not lives:
                del self.open[task.name]
            elif task.launched_ms is None or task.launched_ms >= before_ms:
                continue
            elif task.ended():
                missing.append((task, "was told %s and runs on as process %d" % (task.ends[0], task.process.pid)))
            elif task.kind != "L":
                missing.append((task, "has not been told to have ended; last heard: %s" % task.state))
            elif task.state != "RUNNING":
                missing.append((task, "has not been told to run; last heard: %s" % task.state))
            elif not task.starts:
                missing.append((task, "was told RUNNING and never started"))
            elif not lives:
                missing.append((task, "was told RUNNING, and its process %d is no more" % task.process.pid))
            elif task.cgroups is None:
                task.cgroups = task.process.cgroups()
            elif self.excused(task):
                continue  # it is about to end, and whoever ends has left its cgroups already
            elif task.process.cgroups() not in (task.cgroups, None):
                self.found.setdefault(("disturbed", task.name), "it was moved to other cgroups")
        return missing

    def running(self, framework):
        """Its long tasks that it knows to run."""
        return {t.name for t in self.open.values() if t.kind == "L" and t.name.startswith(framework + ".") and t.state == "RUNNING" and not t.ended()}

    def live_executors(self):
        return sorted((e for e in self.executors.values() if e.lives()), key=lambda e: e.pid)

    def undelivered(self):
        return sum(1 for t in self.tasks.values() if t.ended() and not t.starts)

    def timeline(self, name, context_ms=5000):
        """Lines: what was seen of a task, and who was killed about then."""
        task = self.tasks.get(name)
        events = list(task.events) if task else []
        first = events[0][0] if events else 0
        last = events[-1][0] if events else now_ms()
        events += [(at, "KILLED " + whom) for at, whom in self.kills if first - context_ms <= at <= last + context_ms]
        return ["  %9.3f s  %s" % ((at - first) / 1000, text) for at, text in sorted(events, key=lambda e: e[0])]

    def count(self, kind):
        return sum(1 for found, _ in self.found if found == kind)
