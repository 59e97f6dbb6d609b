"""scripts/bench edges: how long an ordinary framework waits for its offers while the master's port is abused."""
import os
import statistics
import subprocess
import sys
import time

import edges_abuse
from bench_tools import RELEASE, ROOT, bench_folder, cluster, show


class offers:
    """The framework that waits for offers."""

    def __init__(self, environment):
        self.program = subprocess.Popen([str(RELEASE / "bench" / "edges_bench")], env=environment, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.program.stdin.close()
        self.program.wait()

    def waits_us(self, count):
        self.program.stdin.write("%d\n" % count)
        self.program.stdin.flush()
        line = self.program.stdout.readline()
        if not line:
            sys.exit("bench: edges_bench ended with %s" % self.program.wait())
        return sorted(int(wait) for wait in line.split())


class processors:
    """While the block runs the last processor is left to the abusers, as if they came from another machine. Yields which it is."""

    def __enter__(self):
        self.all = os.sched_getaffinity(0)
        last = max(self.all)
        if len(self.all) > 1:
            os.sched_setaffinity(0, self.all - {last})  # and so all that this process starts
        return last

    def __exit__(self, *_):
        os.sched_setaffinity(0, self.all)


class abuse:
    """Somebody who abuses the master's port while the block runs, so that what is measured is what the master does about it."""

    def __init__(self, name, up, processor):
        self.command = ["taskset", "-c", str(processor), "nice", "-n", "19", sys.executable, "-B", str(ROOT / "tests" / "bench" / "edges_abuse.py"), name,
                        up.environment["TROUPE_MASTER"], str(up.pid("master"))]

    def __enter__(self):
        self.began = time.monotonic()
        self.program = subprocess.Popen(self.command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if self.program.stdout.readline() != "on\n":
            sys.exit("bench: %s ended with %s" % (self.command, self.program.wait()))
        return self

    def __exit__(self, *_):
        self.program.stdin.close()
        tried = self.program.stdout.read().strip()
        self.program.wait()
        self.per_s = int(tried or 0) / (time.monotonic() - self.began)


def percentile(ordered, portion):
    return ordered[min(len(ordered) - 1, int(portion * len(ordered)))]


def edges(given):
    names = given.abuse.split(",") if given.abuse else edges_abuse.ALL
    count = max(20, int(400 * given.scale))
    with processors() as theirs, bench_folder() as folder, cluster(folder) as up, offers(up.environment) as framework:
        framework.waits_us(count)  # what happens once
        for name in names:
            found = []
            for _ in range(given.pairs):
                quiet = framework.waits_us(count)
                with abuse(name, up, theirs) as abuser:
                    began, cpu = time.monotonic(), up.cpu()["master"]
                    abused = framework.waits_us(count)
                    share = (up.cpu()["master"] - cpu) / (time.monotonic() - began)
                    resident = up.resident_mb("master")
                found.append({"p50": percentile(abused, 0.5), "p99": percentile(abused, 0.99), "quiet_p50": percentile(quiet, 0.5),
                              "quiet_p99": percentile(quiet, 0.99), "cpu": share, "rss": resident, "per_s": abuser.per_s})
            middle = {key: statistics.median(each[key] for each in found) for key in found[0]}
            ratios = sorted(each["p99"] / each["quiet_p99"] for each in found)
            show("edges.%s p50_us=%.0f p99_us=%.0f quiet_p50_us=%.0f quiet_p99_us=%.0f ratio=%.2f ratio_min=%.2f ratio_max=%.2f ratio_p50=%.2f "
                 "master_rss_mb=%.0f master_cpu=%.2f tries_per_s=%.0f" %
                 (name, middle["p50"], middle["p99"], middle["quiet_p50"], middle["quiet_p99"], statistics.median(ratios), ratios[0], ratios[-1],
                  statistics.median(each["p50"] / each["quiet_p50"] for each in found), max(each["rss"] for each in found), middle["cpu"],
                  middle["per_s"]), given.json)
