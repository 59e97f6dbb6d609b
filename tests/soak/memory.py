"""scripts/soak memory: as many short tasks again leave master and agent no larger."""
import json
import os
import pathlib
import subprocess
import sys
import time

from cluster import await_true
from progress import Progress
from soak_cluster import Failed, SoakCluster

MORE_AT_MOST = 1.05
WARM_UP = 20  # of so many tasks that count, one goes before; twice
QUIET_S, QUIET_SHARE = 1.0, 0.02  # less processor time than that, in so long


def resident_kib(pid, ring_folder):
    """Of the whole process; of its ring of events, a file of fixed size that fills as events come; of its heap and stacks."""
    fields = dict(line.split(":", 1) for line in pathlib.Path("/proc/%d/status" % pid).read_text().splitlines())
    ring, counts = 0, False
    for line in pathlib.Path("/proc/%d/smaps" % pid).read_text().splitlines():
        words = line.split()
        if not words[0].endswith(":"):
            counts = words[-1].startswith(str(ring_folder))
        elif counts and words[0] == "Rss:":
            ring += int(words[1])
    return {"rss": int(fields["VmRSS"].split()[0]), "ring": ring, "anonymous": int(fields["RssAnon"].split()[0])}


def descriptors(pid):
    """Without those of the journal's tables, which it opens and closes as it sees fit, up to a bound of its own."""
    count = 0
    for entry in pathlib.Path("/proc/%d/fd" % pid).iterdir():
        try:
            count += not os.readlink(entry).removesuffix(" (deleted)").endswith(".ldb")
        except OSError:
            continue  # closed meanwhile
    return count


def cpu_s(pid):
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in pathlib.Path("/proc/%d/task" % pid).iterdir()) / 1e9


def await_quiet(cluster):
    """Nothing is left to be done: no task is known as live, no container is kept, and nobody works."""
    def nothing_live():
        return (not cluster.containers() and not any(f["tasks"] for f in cluster.master.state()["frameworks"]) and
                not any(f["executors"] for f in cluster.agents[0].state()["frameworks"]))

    def nobody_works():
        before, began = {d.name: cpu_s(d.process.pid) for d in cluster.daemons()}, time.monotonic()
        time.sleep(QUIET_S)
        return all(cpu_s(d.process.pid) - before[d.name] < QUIET_SHARE * (time.monotonic() - began) for d in cluster.daemons())

    await_true(nothing_live, "tasks to be forgotten")
    await_true(nobody_works, "the daemons to be at rest")


def run_tasks(cluster, total, given, progress):
    """The framework goes on until it has run `total` in all its lives."""
    framework = cluster.add_framework("load", "--short", "40", "--short-command", "true", "--total", total)
    told = cluster.folder / "load.told"
    deadline = time.monotonic() + given.patience + total
    while framework.process.poll() is None:
        if time.monotonic() > deadline:
            raise Failed("%d tasks did not end within %d s" % (total, given.patience + total))
        time.sleep(0.1)
        progress.show(min(2 * given.tasks, ended(told)))
    if framework.process.returncode != 0:
        raise Failed("the framework ended with %d; see %s" % (framework.process.returncode, framework.log))
    if (count := ended(told)) != total:
        raise Failed("%d tasks were launched, and of %d it was told that they ended well" % (total, count))


def ended(told):
    """How many tasks were told to have finished, each once."""
    if not told.exists():
        return 0
    return len({line.split(" ")[2] for line in told.read_text().splitlines() if " told " in line and line.split(" ")[3] == "FINISHED"})


def measure(cluster):
    found = {}
    for name, daemon in (("master", cluster.master), ("agent", cluster.agents[0])):
        found[name] = dict(resident_kib(daemon.process.pid, daemon.runtime), fds=descriptors(daemon.process.pid))
        found[name]["kib"] = found[name]["rss"] - found[name]["ring"]
    return found


def memory(given):
    why, figures = [], {"tasks": 2 * given.tasks}
    with SoakCluster(1, ["--resources", "cpus:40;mem:16000;disk:4096", "--no-cfs"], given.keep) as cluster:
        try:
            with Progress("tasks", 2 * given.tasks) as progress:
                # What is needed once, and once for a framework that returns, is no growth.
                few = max(1, given.tasks // WARM_UP)
                for total in (few, 2 * few):
                    run_tasks(cluster, total, given, progress)
                    await_quiet(cluster)
                run_tasks(cluster, 2 * few + given.tasks, given, progress)
                await_quiet(cluster)
                first = measure(cluster)
                run_tasks(cluster, 2 * few + 2 * given.tasks, given, progress)
                await_quiet(cluster)
                second = measure(cluster)
            for name in first:
                for what in ("kib", "ring", "fds"):
                    unit = "_kib" if what == "ring" else ""
                    figures.update({"%s_first_%s%s" % (name, what, unit): first[name][what], "%s_second_%s%s" % (name, what, unit): second[name][what]})
                if second[name]["kib"] > MORE_AT_MOST * first[name]["kib"] + given.spare_kib:
                    why.append("the %s has grown by %.1f %%: %s, then %s" %
                               (name, 100 * (second[name]["kib"] / first[name]["kib"] - 1), first[name], second[name]))
                if second[name]["fds"] > first[name]["fds"]:
                    why.append("the %s has %d descriptors more" % (name, second[name]["fds"] - first[name]["fds"]))
        except (Failed, AssertionError, subprocess.SubprocessError) as e:
            why.append(str(e))
        cluster.keep = cluster.keep or bool(why)
    if not why and cluster.failed:
        why.append("something was left behind")
    for each in why:
        print("soak: " + each, file=sys.stderr)
    if given.json:
        print(json.dumps({"soak": "memory", "ok": not why, **figures}))
    else:
        print("soak.memory " + " ".join("%s=%s" % pair for pair in figures.items()) + (" failed" if why else " ok"), flush=True)
    return 1 if why else 0
