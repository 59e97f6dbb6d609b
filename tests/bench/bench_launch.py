"""scripts/bench launch: a cluster of one master and one agent, against what it stands on and against Slurm."""
import statistics
import subprocess
import tempfile

import slurm_peer
from bench_tools import RELEASE, ROOT, bench_folder, cluster, lines_of, show


SLURM_TASKS = 200
SLURM_PAIRS = 3


def launch(given):
    with bench_folder() as folder, cluster(folder) as up:
        measure_cluster(given, folder, up, "plain")
        against_slurm(given, folder, up)
    with bench_folder() as folder, cluster(folder, "--tls") as up:
        measure_cluster(given, folder, up, "tls")


def measure_cluster(given, folder, up, links):
    def measure(what, *numbers):
        with tempfile.TemporaryDirectory(dir=folder) as state:
            for line in lines_of([RELEASE / "bench" / "launch_bench", what, state, *numbers], env=up.environment):
                show(line + " links=" + links, given.json)

    before = up.cpu()
    measure("rate", given.tasks, given.pairs)
    after = up.cpu()
    launches = given.tasks * (given.pairs + 1)  # the first round, which is not among the pairs, costs as much
    show("launch.cpu launches=%d master_us=%.0f agent_us=%.0f links=%s" %
         (launches, *(1e6 * (after[name] - before[name]) / launches for name in ("master", "agent-1")), links), given.json)
    for way in ("revive", "held"):
        measure(way, max(1, int(200 * given.scale)))


def against_slurm(given, folder, up):
    """Rounds of ours and of Slurm's in turn; a first round of each is not counted."""
    subprocess.run([str(ROOT / "scripts" / "setup"), "--peers"], check=True)
    ours, theirs = [], []
    with slurm_peer.slurm(folder) as peer:
        peer.rate(SLURM_TASKS // 4)
        for _ in range(SLURM_PAIRS):
            with tempfile.TemporaryDirectory(dir=folder) as state:
                line, = lines_of([RELEASE / "bench" / "launch_bench", "rate", state, SLURM_TASKS, 1], env=up.environment)
            ours.append(float(dict(pair.split("=", 1) for pair in line.split()[1:])["per_s"]))
            theirs.append(peer.rate(SLURM_TASKS))
    ratios = sorted(our / their for our, their in zip(ours, theirs))
    show("launch.slurm command=true tasks=%d per_s=%.0f slurm_per_s=%.0f ratio_vs_slurm=%.2f ratio_min=%.2f ratio_max=%.2f pairs=%d" %
         (SLURM_TASKS, statistics.median(ours), statistics.median(theirs), statistics.median(ratios), ratios[0], ratios[-1], SLURM_PAIRS),
         given.json)
