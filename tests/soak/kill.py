"""scripts/soak kill: processes of a cluster are killed and come back, and every task is followed."""
import json
import os
import random
import signal
import sys
import time
import urllib.error

from cluster import PATIENCE_S
from history import COMMANDS, EXECUTORS, RESUMING_EXECUTORS, History, now_ms
from progress import Progress
from soak_cluster import Failed, SoakCluster

AGENTS = 3
FRAMEWORKS = {"commands": COMMANDS, "executors": EXECUTORS, "resuming": RESUMING_EXECUTORS}  # by name: where its tasks run
ARGUMENTS = {COMMANDS: [], EXECUTORS: ["--custom"], RESUMING_EXECUTORS: ["--custom", "--resume"]}
SPREAD_MS = 300  # within which the kills of a round fall
DEEP_EVERY = 25  # rounds
CPUS_A_TASK = 0.1


class KillSoak:
    def __init__(self, cluster, given):
        self.cluster, self.given = cluster, given
        self.chance = random.Random(given.seed)
        self.history = History(cluster.folder, FRAMEWORKS)
        self.kills = 0
        self.longs = given.long_tasks // len(FRAMEWORKS)
        self.epoch = None  # the master's, once its present process has told it
        self.slowest_s, self.waited_for = 0, "nothing"

    def start(self):
        witness = self.cluster.folder / "witness"
        witness.touch()
        for name, tasks_in in FRAMEWORKS.items():
            self.cluster.add_framework(name, "--witness", witness, "--long", self.longs, "--short", self.given.short_tasks, "--kill-every", 8,
                                       "--spread", AGENTS, *ARGUMENTS[tasks_in])
        self.await_whole()

    def round(self):
        """Kills some, at moments that may fall into the recovery of others or of themselves."""
        count = self.chance.randint(1, self.given.together)
        moments = sorted(self.chance.uniform(0, SPREAD_MS) / 1000 for _ in range(count))
        began = time.monotonic()
        for moment in moments:
            time.sleep(max(0, began + moment - time.monotonic()))
            self.kill_one()
        self.await_whole()

    def kill_one(self):
        members = [self.cluster.master, *self.cluster.agents, *self.cluster.frameworks]
        # As many executors as agents, whichever live just now.
        member = self.chance.choice(members + [None] * AGENTS)
        if member is None:
            self.history.read()
            live = self.history.live_executors()
            if not live:
                return
            executor = self.chance.choice(live)
            self.history.killed_executors.add(executor.pid)
            self.note_kill("executor, process %d" % executor.pid)
            kill_surely(executor)
            return
        self.check_lives(member)
        self.note_kill("%s, process %d" % (member.name, member.process.pid))
        member.kill()
        if member is self.cluster.master:
            self.epoch = None
        self.cluster.start_again(member)

    def note_kill(self, whom):
        self.kills += 1
        self.history.kills.append((now_ms(), whom))

    @staticmethod
    def check_lives(member):
        code = member.process.poll()
        if code is not None:
            raise Failed("%s ended by itself, with %d; see %s" % (member.name, code, member.log))

    def await_whole(self):
        before_ms = now_ms()
        began = time.monotonic()
        deadline = began + self.given.patience
        last = []
        while True:
            missing = self.missing(before_ms)
            if self.history.found:
                raise Failed("a task did not live as it should")
            if not missing:
                self.note_duration(time.monotonic() - began, last)
                return
            last = missing
            if time.monotonic() > deadline:
                self.on_never_whole(missing)
            time.sleep(0.02)

    def note_duration(self, seconds, waited_for):
        if seconds > self.slowest_s:
            self.slowest_s, self.waited_for = seconds, in_words(waited_for)

    def on_never_whole(self, missing):
        for task, what in missing:
            if task:
                self.history.found[("lost", task.name)] = "after %d s it %s" % (self.given.patience, what)
        raise Failed("the cluster did not become whole within %d s: %s" % (self.given.patience, in_words(missing)))

    def missing(self, before_ms):
        """Pairs of a task, or None, and what is not as it should be; the cheap things first."""
        self.history.read()
        members = [*self.cluster.daemons(), *self.cluster.frameworks]
        for member in members:
            self.check_lives(member)
        found = [(None, d.name + " does not listen") for d in self.cluster.daemons() if not d.ready.exists()]
        for member in self.cluster.frameworks:
            framework = self.history.frameworks[member.name]
            if framework.subscribed_ms <= max(member.launched_ms, self.cluster.master.launched_ms):
                found.append((None, "framework %s is not subscribed" % member.name))
            elif not framework.sure:
                found.append((None, "framework %s is not sure of its tasks" % member.name))
            elif len(self.history.running(member.name)) != self.longs:
                found.append((None, "framework %s has %d of %d long tasks running" %
                              (member.name, len(self.history.running(member.name)), self.longs)))
        found += self.history.unsettled(before_ms)
        return found or self.not_registered()

    def not_registered(self):
        if self.epoch is None:
            self.epoch = ask(self.cluster.master)["epoch"]
        found = []
        for agent in self.cluster.agents:
            state = ask(agent)
            if not state["registered"] or state["epoch"] != self.epoch:
                found.append((None, agent.name + " is not registered"))
        return found

    def deep(self):
        """All that master and agents show agrees, with itself and with what the frameworks know."""
        deadline = time.monotonic() + self.given.patience
        while (wrong := self.disagreements()) and time.monotonic() < deadline:
            time.sleep(0.1)  # short tasks come and go between two views
        if wrong:
            raise Failed("; ".join(wrong))

    def disagreements(self):
        master, agents = ask(self.cluster.master), {a.name: ask(a) for a in self.cluster.agents}
        self.history.read()
        wrong = []
        seen = {t["id"] for f in master["frameworks"] for t in f["tasks"] if is_long(t["id"]) and t["state"] == "TASK_RUNNING"}
        told = set().union(*(self.history.running(name) for name in FRAMEWORKS))
        if seen != told:
            wrong.append("the master shows as running, and frameworks do not know it: %s; the other way: %s" % (sorted(seen - told), sorted(told - seen)))
        run = {t["id"] for a in agents.values() for f in a["frameworks"] for e in f["executors"] for t in e["tasks"]
               if is_long(t["id"]) and t["state"] == "TASK_RUNNING"}
        if run != told:
            wrong.append("agents show as running, and frameworks do not know it: %s; the other way: %s" % (sorted(run - told), sorted(told - run)))
        for agent in master["slaves"]:
            holders = sum(1 for f in master["frameworks"] for t in f["tasks"] if t["slave_id"] == agent["id"] and is_live(t["state"]))
            holders += sum(1 for f in master["frameworks"] for e in f["executors"] if e["slave_id"] == agent["id"])
            used = agent["used_resources"]["cpus"]
            if abs(used - holders * CPUS_A_TASK) > 0.001:
                wrong.append("the master counts %.1f cpus in use on agent %s, where %d tasks and executors use %.1f" %
                             (used, agent["id"], holders, holders * CPUS_A_TASK))
        return wrong

    def await_beats(self):
        """Every long task is not only there: it goes on."""
        tasks = [t for t in self.history.open.values() if t.kind == "L" and t.state == "RUNNING" and not t.ended()]
        heard = {t.name: t.beats for t in tasks}
        self.await_condition(lambda: [t.name + " does not go on" for t in tasks if t.beats == heard[t.name]])

    def end(self):
        """The frameworks leave, and nothing of them stays."""
        processes = [t.process for t in self.history.tasks.values() if t.process]
        for framework in self.cluster.frameworks:
            self.check_lives(framework)
            framework.process.send_signal(signal.SIGINT)
        for framework in self.cluster.frameworks:
            if (code := framework.process.wait(PATIENCE_S)) != 0:
                raise Failed("framework %s ended with %d; see %s" % (framework.name, code, framework.log))
        self.await_condition(lambda: ["process %d of a task is left" % p.pid for p in processes if p.lives()])
        self.await_condition(lambda: ["executor %d is left" % e.pid for e in self.history.live_executors()])
        self.await_condition(lambda: ["container %s is left" % c for c in self.cluster.containers()])
        self.await_condition(lambda: ["%s cpus of agent %s are in use" % (a["used_resources"]["cpus"], a["id"])
                                      for a in ask(self.cluster.master)["slaves"] if a["used_resources"]["cpus"]])
        self.await_condition(lambda: ["framework %s is still on %s" % (f["id"], a.name) for a in self.cluster.agents for f in ask(a)["frameworks"]])

    def await_condition(self, wrong):
        deadline = time.monotonic() + self.given.patience
        while True:
            self.history.read()
            left = wrong()
            if not left:
                return
            if time.monotonic() > deadline:
                raise Failed("after %d s: %s" % (self.given.patience, "; ".join(left[:10])))
            time.sleep(0.05)


def in_words(missing):
    return "; ".join((task.name + " " if task else "") + what for task, what in missing)


def ask(daemon):
    try:
        return daemon.state()
    except (OSError, urllib.error.URLError) as e:
        raise Failed("%s does not answer: %s" % (daemon.name, e)) from e


def is_long(task):
    return task.split(".")[1] == "L"


def is_live(state):
    return state in ("TASK_STAGING", "TASK_STARTING", "TASK_RUNNING", "TASK_KILLING")


def kill_surely(process):
    """Only that very process, not a later one of its number."""
    try:
        held = os.pidfd_open(process.pid)
    except ProcessLookupError:
        return
    try:
        if process.lives():
            signal.pidfd_send_signal(held, signal.SIGKILL)
    except ProcessLookupError:
        pass
    finally:
        os.close(held)


def report(soak, why, given):
    history = soak.history
    if why:
        print("soak: " + why, file=sys.stderr)
    for (kind, name), what in history.found.items():
        print("soak: %s: %s: %s" % (kind, name, what), file=sys.stderr)
        for line in history.timeline(name):
            print(line, file=sys.stderr)
    if why:
        print("soak: scripts/soak kill --seed %d --rounds %d --together %d chooses the same again" % (given.seed, given.rounds, given.together),
              file=sys.stderr)
    figures = {"kills": soak.kills, "tasks": len(history.tasks), "lost": history.count("lost"), "duplicated": history.count("duplicated"),
               "disturbed": history.count("disturbed")}
    if given.json:
        print(json.dumps({"soak": "kill", "seed": given.seed, "ok": not why, **figures}), flush=True)
    else:
        print(" ".join("%s=%s" % pair for pair in figures.items()), flush=True)


def kill(given):
    # Executors get long to return: that they are slow on a busy machine is not what is looked for.
    agent = ["--resources", "cpus:40;mem:16000;disk:4096", "--no-cfs", "--executor-reregistration-timeout", "15s", "--gc-delay", "10s",
             "--disk-watch-interval", "10s"]
    with SoakCluster(AGENTS, agent, given.keep) as cluster:
        soak = KillSoak(cluster, given)
        why = None
        try:
            with Progress("rounds", given.rounds) as progress:
                soak.start()
                for done in range(1, given.rounds + 1):
                    soak.round()
                    if done % DEEP_EVERY == 0:
                        soak.deep()
                    progress.show(done, "kills=%d tasks=%d" % (soak.kills, len(soak.history.tasks)))
                soak.deep()
                soak.await_beats()
                soak.end()
        except (Failed, AssertionError) as e:
            why = str(e)
            cluster.keep = True
        finally:
            soak.history.close()
        undelivered = soak.history.undelivered()
    if not why and cluster.failed:
        why = "something was left behind"
    if not why:
        print("soak: seed=%d undelivered=%d (launches that a crash overtook: never ran, and told so) slowest_round_s=%.1f (waited for: %s)" %
              (given.seed, undelivered, soak.slowest_s, soak.waited_for), file=sys.stderr)
    report(soak, why, given)
    return 1 if why else 0
