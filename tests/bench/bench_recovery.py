"""scripts/bench recovery: an agent and a master that are killed and started again, and what their checkpoints cost."""
import contextlib
import json
import os
import pathlib
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import time
import urllib.request

from bench_scale import background, pairs
from bench_tools import RELEASE, bench_folder, cpu_seconds, lines_of, show

BENCH = RELEASE / "bench" / "recovery_bench"
PATIENCE_S = 120
# Of protocol/verbs.hpp.
REREGISTER_AGENT, AGENT_REGISTERED, SUBSCRIBE, CONTAINER_LAUNCHED = 2, 3, 100, 231
FRAMEWORK_SUBSCRIBES = 60


class events:
    """Follows a process's event ring (actors/runtime/event_ring.hpp) from its first event, without disturbing it: (verb, from, to, wall
    nanoseconds) of each. A ring that was filled once is not followed further."""
    SLOT = struct.Struct("=QqQQQII40s40s")

    def __init__(self, path):
        self.path, self.read = pathlib.Path(path), 0

    def fresh(self):
        found = []
        if not self.path.exists():
            return found
        with open(self.path, "rb") as ring:
            ring.seek(self.read)
            while len(block := ring.read(self.SLOT.size * 4096)) >= self.SLOT.size:
                for identity, wall, _, _, _, verb, _, sender, to in self.SLOT.iter_unpack(block[:len(block) // self.SLOT.size * self.SLOT.size]):
                    if identity == 0:
                        return found
                    found.append((verb, sender.rstrip(b"\0").decode(), to.rstrip(b"\0").decode(), wall))
                    self.read += self.SLOT.size
        return found


def spread(name, values, digits=0):
    """The median of rounds, with the least and the greatest."""
    rounded = (lambda value: round(value, digits) if digits else round(value))
    return {"n": len(values), name + "_p50": rounded(statistics.median(values)), "min": rounded(min(values)), "max": rounded(max(values))}


def await_ready(daemon, ready):
    while not ready.exists():
        if daemon.process.poll() is not None:
            sys.exit("bench: the %s did not start:\n%s" % (daemon.name, daemon.log.read_text()))
        time.sleep(0.02)
    return ready.read_text().strip()


def port_nobody_dials_from():
    """A free port that is no source of connections while the daemon is away: below those that the system gives out."""
    least = int(pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()[0])
    for port in range(least - 1, 1024, -1):
        with socket.socket() as tried, contextlib.suppress(OSError):
            tried.bind(("127.0.0.1", port))
            return port
    sys.exit("bench: no port is free below %d" % least)


class lives:
    """A daemon that is killed and started again: same folders, same port."""

    def __init__(self, folder, role, *arguments):
        self.folder, self.role, self.port = pathlib.Path(folder), role, port_nobody_dials_from()
        self.run_folder = tempfile.TemporaryDirectory(prefix="troupe-run.", dir="/dev/shm" if os.access("/dev/shm", os.W_OK) else None)
        self.run = pathlib.Path(self.run_folder.name)
        self.arguments, self.count, self.now = arguments, 0, None

    def __enter__(self):
        self.start()
        return self

    def __exit__(self, *_):
        if self.now:
            self.now.__exit__()
        self.run_folder.cleanup()

    def start(self):
        """Returns when it was started, in nanoseconds since 1970."""
        self.count += 1
        self.ready = self.folder / ("%s-%d.ready" % (self.role, self.count))
        self.ring = self.run / "events.ring"
        self.ring.unlink(missing_ok=True)
        begun = time.time_ns()
        self.now = background(self.folder, "%s-%d" % (self.role, self.count), self.role, *self.arguments, "--port", self.port, "--work-dir",
                              self.folder / self.role, "--runtime-dir", self.run, "--ready-file", self.ready)
        return begun

    def url(self):
        return await_ready(self.now, self.ready)

    def kill(self):
        self.now.process.kill()
        self.now.process.wait()
        self.now.process.stdout.close()

    def cpu_at_rest(self):
        """Its processor time in seconds, once it has nothing to do any more."""
        last = self.now.cpu()
        while True:
            time.sleep(0.25)
            now = self.now.cpu()
            if now - last < 0.01:
                return now
            last = now


def until(daemon, follow, complete):
    """Follows events until all that were to come are there."""
    deadline = time.monotonic() + PATIENCE_S
    while not complete(follow.fresh()):
        if daemon.now.process.poll() is not None or time.monotonic() > deadline:
            sys.exit("bench: the %s did not recover within %d s:\n%s" % (daemon.role, PATIENCE_S, daemon.now.log.read_text()[-2000:]))
        time.sleep(0.05)


# --- an agent with real tasks

def living_tasks(run):
    """Of each container that has a task which lives: the process, as its pid and when it began."""
    found = {}
    for file in run.glob("containers/containers/*/pid"):
        if file.is_dir():
            continue
        words = file.read_text().split()
        pid, began = words[words.index("task") + 1:words.index("task") + 3]
        with contextlib.suppress(OSError):
            fields = pathlib.Path("/proc/%s/stat" % pid).read_text().rpartition(") ")[2].split()
            if fields[19] == began and fields[0] != "Z":
                found[file.parent.name] = (pid, began)
    return found


def reattach(agent, tasks):
    """Kills the agent and starts it again; when, in milliseconds after its start, the last executor had subscribed, the last task was known
    to run, and the master had taken the agent in."""
    agent.kill()
    follow = events(agent.ring)
    begun = agent.start()
    last = {}
    subscribed, running = set(), set()

    def complete(fresh):
        for verb, sender, to, wall in fresh:
            if verb == CONTAINER_LAUNCHED and to.startswith("executor/"):
                running.add(to)
            elif verb == SUBSCRIBE:
                subscribed.add(sender)
            elif verb != AGENT_REGISTERED:
                continue
            last[verb] = (wall - begun) / 1e6
        return len(running) >= tasks and len(subscribed) >= tasks and AGENT_REGISTERED in last

    until(agent, follow, complete)
    return last[SUBSCRIBE], last[CONTAINER_LAUNCHED], last[AGENT_REGISTERED]


def recover_agent(given):
    with bench_folder() as folder, contextlib.ExitStack() as stack:
        url = stack.enter_context(lives(folder, "master")).url()
        agent = lives(folder, "agent", "--master", url, "--resources", "cpus:100;mem:100000;disk:1000")
        stack.callback(agent.run_folder.cleanup)
        stack.callback(lambda: subprocess.run([RELEASE / "bin" / "troupe", "agent", "--recover=cleanup", "--work-dir", agent.folder / "agent",
                                               "--runtime-dir", agent.run], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False))
        agent.start()
        stack.callback(lambda: agent.now.__exit__())
        agent.url()
        holder = stack.enter_context(subprocess.Popen([BENCH, "hold", str(given.tasks)], env=dict(os.environ, TROUPE_MASTER=url),
                                                      stdout=subprocess.PIPE, text=True))
        stack.callback(holder.terminate)
        if holder.stdout.readline().split() != ["running", str(given.tasks)]:
            sys.exit("bench: the tasks did not run")
        rounds, cpu, harmed = [], [], 0
        for _ in range(given.pairs):
            before = living_tasks(agent.run)
            rounds.append(reattach(agent, given.tasks))
            cpu.append(1000 * agent.cpu_at_rest())
            after = living_tasks(agent.run)
            harmed += given.tasks - sum(1 for key, process in before.items() if after.get(key) == process)
        # Whoever is really attached can be ended.
        holder.terminate()
        killed = [line for line in holder.stdout if line.startswith("killed ")]
        harmed += given.tasks - int(killed[0].split()[1]) if killed else given.tasks
        holder.wait()
    last = [max(each) for each in rounds]
    middle = [statistics.median(each) for each in zip(*rounds)]
    show("recovery.agent " + pairs(tasks=given.tasks, **spread("last_reattached_ms", last), subscribed_ms_p50=round(middle[0]),
                                   running_ms_p50=round(middle[1]), registered_ms_p50=round(middle[2]),
                                   cpu_ms_p50=round(statistics.median(cpu)), harmed=harmed), given.json)


# --- a master with emulated agents

def come_back(master, agents):
    """Kills the master and starts it again: seconds until the last agent was registered, the processor time that took, and how many times
    agents had reported meanwhile: who is not answered soon asks again."""
    master.kill()
    follow = events(master.ring)
    begun = master.start()
    returned, last, reports = set(), 0, 0

    def complete(fresh):
        nonlocal last, reports
        for verb, sender, _, wall in fresh:
            if verb != REREGISTER_AGENT:
                continue
            reports += 1
            if sender not in returned:
                returned.add(sender)
                last = wall
        return len(returned) >= agents

    until(master, follow, complete)
    cpu = master.cpu_at_rest()
    complete(follow.fresh())
    return (last - begun) / 1e9, cpu, reports, follow


def await_frameworks(master, follow, frameworks):
    returned = set()

    def complete(fresh):
        returned.update(sender for verb, sender, _, _ in fresh if verb == FRAMEWORK_SUBSCRIBES)
        return len(returned) >= frameworks

    until(master, follow, complete)


def known(url):
    """Agents and tasks that the master has at hand."""
    with urllib.request.urlopen(url + "/state", timeout=PATIENCE_S) as answer:
        state = json.load(answer)
    return (sum(1 for agent in state["slaves"] if agent["active"]),
            sum(1 for framework in state["frameworks"] for task in framework["tasks"] if task["state"] == "TASK_RUNNING"))


def recover_master(given):
    agents, frameworks, each, labels = given.agents or (10000 if given.full else 2000), 10, 10, 10
    tasks = agents * each
    rounds = min(given.pairs, 3 if given.full else 5)
    # As if from as many machines: one address may not have many connections that are no links yet.
    sources = [argument for n in range(1 + agents // 200) for argument in ("--source-address", "127.1.%d.%d" % (n // 250, 1 + n % 250))]
    walls, costs, reports, host_costs, framework_costs, peaks = [], [], [], [], [], []
    with bench_folder() as folder, lives(folder, "master") as master:
        url = master.url()
        with background(folder, "agents", "emulate", "agents", "--master", url, "--count", agents, "--json", "--resources",
                        "cpus:%d;mem:%d" % (each, each * 1024), "--task-seconds", "1000000", "--registration-backoff-factor", "1s",
                        *sources) as hosts, \
                background(folder, "frameworks", "emulate", "frameworks", "--master", url, "--count", frameworks, "--tasks", tasks,
                           "--labels", labels, "--json") as load:
            hosts.until("measuring")
            while load.until("measuring")["tasks"]["running"] < tasks:
                pass
            for _ in range(rounds):
                # What frameworks ask about their tasks is counted apart.
                load.process.send_signal(signal.SIGSTOP)
                before = hosts.cpu()
                wall, cpu, reported, follow = come_back(master, agents)
                walls.append(wall)
                reports.append(reported / agents)
                costs.append(1e6 * cpu / agents)
                host_costs.append(1e6 * (hosts.cpu() - before) / agents)
                peaks.append(master.now.memory_mb()["VmHWM"])
                load.process.send_signal(signal.SIGCONT)
                await_frameworks(master, follow, frameworks)
                framework_costs.append(1e6 * (master.cpu_at_rest() - cpu) / tasks)
            found = known(url)
            # They would end all tasks, one by one.
            for player in (load, hosts):
                player.process.kill()
    show("recovery.master links=sockets " + pairs(
        agents=agents, tasks=tasks, labels=labels, **spread("seconds", walls, 2),
        master_us_per_agent_p50=round(statistics.median(costs)), master_us_min=round(min(costs)), master_us_max=round(max(costs)),
        reports_per_agent=statistics.median(reports), emulator_us_per_agent_p50=round(statistics.median(host_costs)), memory_max_mb=round(max(peaks)),
        known_agents=found[0], known_tasks=found[1]), given.json)
    show("recovery.master.frameworks " + pairs(frameworks=frameworks, tasks=tasks, **spread("master_us_per_task", framework_costs, 1)), given.json)


# --- what checkpoints cost

@contextlib.contextmanager
def small_cluster(folder, records):
    """A master and an agent whose records are on disk or in memory: their pid, and the environment for frameworks."""
    (place := pathlib.Path(folder) / records).mkdir()
    with subprocess.Popen([BENCH, "cluster", place, records], stdout=subprocess.PIPE, text=True) as process:
        try:
            yield process.pid, dict(os.environ, TROUPE_MASTER=process.stdout.readline().strip())
        finally:
            process.terminate()


def launch_figures(folder, environment, *what):
    with tempfile.TemporaryDirectory(dir=folder) as state:
        line, = lines_of([RELEASE / "bench" / "launch_bench", what[0], state, *what[1:]], env=environment)
    return {key: float(value) for key, value in (pair.split("=", 1) for pair in line.split()[1:]) if key.endswith(("per_s", "_ms"))}


def checkpoint_cost(given):
    launches = 40
    with bench_folder() as folder, small_cluster(folder, "disk") as durable, small_cluster(folder, "memory") as forgetful:
        rates, waits, costs, syncs = {"disk": [], "memory": []}, {"disk": [], "memory": []}, {"disk": [], "memory": []}, []
        clusters = (("disk", *durable), ("memory", *forgetful))
        for _, _, environment in clusters:
            launch_figures(folder, environment, "rate", given.tasks // 4 + 1, 1)
        for turn in range(given.pairs):
            for name, pid, environment in clusters if turn % 2 == 0 else clusters[::-1]:
                before = cpu_seconds(pid)
                rates[name].append(launch_figures(folder, environment, "rate", given.tasks, 1)["per_s"])
                costs[name].append(1e6 * (cpu_seconds(pid) - before) / (2 * given.tasks))  # the first round is not among the rates
                waits[name].append(launch_figures(folder, environment, "held", launches)["p50_ms"])
            syncs.append(float(next(lines_of([BENCH, "syncs", folder, 200]))))
    cost = [100 * (1 - with_it / without) for with_it, without in zip(rates["disk"], rates["memory"])]
    added = [(with_it - without) / sync for with_it, without, sync in zip(waits["disk"], waits["memory"], syncs)]
    middle = statistics.median
    show("recovery.checkpoint " + pairs(
        tasks=given.tasks, per_s=round(middle(rates["disk"])), per_s_without=round(middle(rates["memory"])), cost_percent=middle(cost),
        cost_percent_min=min(cost), cost_percent_max=max(cost), cpu_us=round(middle(costs["disk"])), cpu_us_without=round(middle(costs["memory"])),
        latency_p50_ms=middle(waits["disk"]), latency_without_p50_ms=middle(waits["memory"]),
        one_sync_ms=middle(syncs), syncs_added=middle(added), syncs_added_min=min(added), syncs_added_max=max(added), pairs=given.pairs),
        given.json)


RECOVERY_PARTS = {"agent": recover_agent, "master": recover_master, "checkpoint": checkpoint_cost}


def recovery(given):
    for measure in RECOVERY_PARTS.values():
        measure(given)
