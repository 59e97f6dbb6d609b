"""scripts/bench scale: one master, and emulated agents and frameworks."""
import json
import os
import pathlib
import signal
import subprocess
import sys
import time

from bench_tools import RELEASE, bench_folder, cpu_seconds, run_program, show


class background:
    """A program that runs beside us, its log in a file; ends with the block."""

    def __init__(self, folder, name, *arguments):
        self.name, self.log = name, pathlib.Path(folder) / (name + ".log")
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([RELEASE / "bin" / "troupe", *(str(a) for a in arguments)], stdin=subprocess.DEVNULL,
                                            stdout=subprocess.PIPE, stderr=log, text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.communicate(timeout=120)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.stdout.close()
        self.process.wait()

    def until(self, *phases):
        """The next line in one of these phases."""
        for text in self.process.stdout:
            line = json.loads(text)
            if line["phase"] in phases:
                return line
        sys.exit("bench: %s ended with %d:\n%s" % (self.name, self.process.wait(), self.log.read_text()[-2000:]))

    def end(self):
        """Ends it; the figures that it leaves."""
        self.process.send_signal(signal.SIGTERM)
        return self.until("done")

    def cpu(self):
        return cpu_seconds(self.process.pid)

    def memory_mb(self):
        status = pathlib.Path("/proc/%d/status" % self.process.pid).read_text()
        return {key: int(line.split()[1]) / 1024 for line in status.splitlines()
                for key in ("VmRSS", "VmHWM") if line.startswith(key + ":")}


def start_master(folder):
    ready = pathlib.Path(folder) / "master.ready"
    master = background(folder, "master", "master", "--port", 0, "--work-dir", pathlib.Path(folder) / "master", "--runtime-dir",
                        pathlib.Path(folder) / "run", "--ready-file", ready, "--log-level", "warning")
    while not ready.exists():
        if master.process.poll() is not None:
            sys.exit("bench: the master did not start:\n" + master.log.read_text())
        time.sleep(0.05)
    return master, ready.read_text().strip()


def pairs(**values):
    return " ".join("%s=%s" % (key, ("%.3f" % value).rstrip("0").rstrip(".") if isinstance(value, float) else value)
                    for key, value in values.items())


def show_load(given, shape, agents, load, master, players):
    """What thousands of agents that are kept full make of one master; `players` is what those take who play agents and frameworks. Where
    all of them together need more cores than the machine has, the delays are theirs."""
    delay, measured = agents["idle"], load["measured"]
    show("scale.delay %s %s" % (shape, pairs(tasks=delay["count"], mean_ms=float(delay["mean_ms"]), p50_ms=float(delay["p50_ms"]),
                                             p99_ms=float(delay["p99_ms"]), max_ms=float(delay["max_ms"]))), given.json)
    show("scale.tasks %s %s" % (shape, pairs(ended_per_s=float(measured["ended_per_s"]), seconds=float(measured["seconds"]),
                                             launched=load["tasks"]["launched"], finished=load["tasks"]["finished"],
                                             failed=load["tasks"]["failed"], lost=load["tasks"]["lost"], open=load["tasks"]["open"])), given.json)
    show("scale.master %s %s" % (shape, pairs(**master)), given.json)
    show("scale.players %s %s" % (shape, pairs(agent_bytes=agents["agents"]["bytes_each"], **players)), given.json)


def load_over_sockets(given, folder, agents, frameworks, agent_options, load_options):
    """One master, agents and frameworks in a process each: their figures, and what each of the three took meanwhile."""
    master, url = start_master(folder)
    with master, background(folder, "agents", "emulate", "agents", "--master", url, "--count", agents, "--json", *agent_options) as hosts:
        hosts.until("measuring")
        # Nobody reads its lines meanwhile, which are few.
        with background(folder, "frameworks", "emulate", "frameworks", "--master", url, "--count", frameworks, "--json", *load_options) as load:
            load.until("measuring")
            before = [each.cpu() for each in (master, hosts, load)]
            load.until("ending")
            took = [each.cpu() - first for each, first in zip((master, hosts, load), before)]
            memory = master.memory_mb()
            load_figures = load.until("done")
        return hosts.end(), load_figures, took, memory


def scale(given):
    agents = given.agents or (15000 if given.full else 5000)
    lengths = ["--task-seconds", given.task_seconds]
    window = ["--warm-up", "%ds" % (10 + agents // 1000), "--duration", "%ds" % given.seconds]
    shape = "links=%%s agents=%%d frameworks=%d task_s=%s" % (given.frameworks, given.task_seconds)
    with bench_folder() as folder:
        hosts, load, took, memory = load_over_sockets(given, folder, agents, given.frameworks, lengths, window)
    master = {"cores": took[0] / load["measured"]["seconds"], "memory_mb": round(memory["VmRSS"]), "memory_max_mb": round(memory["VmHWM"])}
    seconds = load["measured"]["seconds"]
    show_load(given, shape % ("sockets", agents), hosts, load, master,
              {"agents_cores": took[1] / seconds, "frameworks_cores": took[2] / seconds, "machine_cores": os.cpu_count()})
    # Agents large enough that offers are not what is measured alone; tasks end at once, so the next launch follows.
    few, slots, launchers = 100, 40, 10
    for name, durable in (("memory", False), ("disk", True)):
        with bench_folder() as folder:
            kept = (lambda part: ["--work-dir", "%s/%s" % (folder, part)]) if durable else (lambda part: [])
            resources = ["--resources", "cpus:%d;mem:%d" % (slots, slots * 1024), "--task-seconds", "0"]
            hosts, load, took, memory = load_over_sockets(given, folder, few, launchers, resources + kept("agents-state"),
                                                          ["--warm-up", "3s", "--duration", "%ds" % min(10, given.seconds), *kept("frameworks-state")])
        ended = max(1, load["measured"]["ended"])
        show("launch.emulated " + pairs(records=name, agents=few, slots=slots, frameworks=launchers,
                                        per_s=round(load["measured"]["ended_per_s"]),
                                        **{part + "_us": float(1e6 * cpu / ended) for part, cpu in zip(("master", "agents", "frameworks"), took)},
                                        to_running_p50_ms=float(load["launch_to_running"]["p50_ms"]),
                                        to_end_p50_ms=float(load["launch_to_end"]["p50_ms"])), given.json)
    run_program([RELEASE / "bench" / "core_state_bench", agents, given.frameworks], given.json)
    if given.full:
        count = 50000
        with bench_folder() as folder, \
                background(folder, "cluster", "emulate", "cluster", "--agents", count, "--frameworks", given.frameworks, "--json", *lengths,
                           "--warm-up", "45s", "--duration", "%ds" % given.seconds) as cluster:
            figures = cluster.until("done")
        show_load(given, shape % ("in_process", count), figures, figures, {"cores": float(figures["master"]["cores"])},
                  {"process_cores": float(figures["process"]["cores"]), "machine_cores": os.cpu_count(),
                   "process_mb": round(figures["process"]["resident_bytes"] / (1 << 20))})
