"""A Slurm of one machine, in a folder of its own and on free ports, for scripts/bench: Debian's slurmctld, slurmd and munge, set up as
Slurm's guide for high throughput says (no accounting, nothing tracked, scheduling at short intervals, jobs in one array)."""
import os
import pathlib
import shutil
import socket
import subprocess
import time

PACKAGES = ("slurmctld", "slurmd", "slurm-client", "munge")
SLOTS = 100  # as many as the agent that it is compared with offers
START_SECONDS_MAX = 60


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class slurm:
    """Up between enter and exit; everything it is made of lies in the folder."""

    def __init__(self, folder):
        self.folder = pathlib.Path(folder) / "slurm"
        self.environment = dict(os.environ, SLURM_CONF=str(self.folder / "slurm.conf"))
        self.processes = []

    def __enter__(self):
        for name in ("munge", "state", "spool"):
            (self.folder / name).mkdir(parents=True)
        try:
            self.start()
        except BaseException:
            self.__exit__()
            raise
        return self

    def start(self):
        munge = self.folder / "munge"
        (munge / "key").write_bytes(os.urandom(128))
        (munge / "key").chmod(0o400)
        (self.folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
        (self.folder / "slurm.conf").write_text("".join(line + "\n" for line in self.configuration()))
        self.spawn("munged", "--foreground", "--force", *("--%s=%s" % (name.replace("_", "-"), munge / file) for name, file in (
            ("key_file", "key"), ("socket", "socket"), ("pid_file", "pid"), ("log_file", "log"), ("seed_file", "seed"))))
        self.wait("munged", (munge / "socket").exists)
        self.spawn("slurmctld", "-D", "-i", "-c")
        self.spawn("slurmd", "-D", "-c")
        self.wait("slurmd", lambda: "idle" in self.ask("sinfo", "-h", "-o", "%T"))

    def configuration(self):
        host = socket.gethostname().split(".")[0]
        files = {"StateSaveLocation": "state", "SlurmdSpoolDir": "spool", "SlurmctldPidFile": "slurmctld.pid", "SlurmdPidFile": "slurmd.pid",
                 "SlurmctldLogFile": "slurmctld.log", "SlurmdLogFile": "slurmd.log"}
        return [
            "ClusterName=bench", "SlurmctldHost=%s(127.0.0.1)" % host, "SlurmUser=root", "SlurmdUser=root",
            "SlurmctldPort=%d" % free_port(), "SlurmdPort=%d" % free_port(),
            "AuthType=auth/munge", "CredType=cred/munge", "AuthInfo=socket=%s" % (self.folder / "munge" / "socket"),
            *("%s=%s" % (name, self.folder / file) for name, file in files.items()),
            "SlurmctldDebug=error", "SlurmdDebug=error",
            "ProctrackType=proctrack/linuxproc", "TaskPlugin=task/none", "SwitchType=switch/none", "MpiDefault=none",
            "JobAcctGatherType=jobacct_gather/none", "AccountingStorageType=accounting_storage/none", "JobCompType=jobcomp/none",
            "SelectType=select/cons_tres", "SelectTypeParameters=CR_CPU", "SchedulerType=sched/backfill", "PriorityType=priority/basic",
            "SchedulerParameters=batch_sched_delay=1,sched_interval=1,sched_min_interval=10000,default_queue_depth=10000,"
            "partition_job_depth=10000,bf_interval=300,max_rpc_cnt=150",
            "MaxJobCount=100000", "MaxArraySize=100001", "MinJobAge=2", "ReturnToService=2", "KillWait=1", "InactiveLimit=0",
            "PropagateResourceLimits=NONE", "SlurmdParameters=config_overrides",
            "NodeName=%s NodeAddr=127.0.0.1 CPUs=%d State=UNKNOWN" % (host, SLOTS),
            "PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP"]

    def spawn(self, program, *arguments):
        path = shutil.which(program, path=os.environ["PATH"] + ":/usr/sbin:/sbin")
        if path is None:
            raise RuntimeError("%s is not installed: scripts/setup --peers" % program)
        with open(self.folder / (program + ".out"), "w") as out:
            self.processes.append(subprocess.Popen([path, *arguments], env=self.environment, stdin=subprocess.DEVNULL, stdout=out,
                                                   stderr=subprocess.STDOUT))

    def ask(self, *command):
        return subprocess.run(command, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout

    def wait(self, whom, holds):
        end = time.monotonic() + START_SECONDS_MAX
        while not holds():
            if time.monotonic() > end or any(process.poll() is not None for process in self.processes):
                raise RuntimeError("%s does not come up: %s" % (whom, "".join(
                    path.read_text()[-500:] for path in sorted(self.folder.glob("*.out")) + sorted(self.folder.glob("*.log")))))
            time.sleep(0.05)

    def rate(self, jobs):
        """Jobs a second, from the submission of an array of `jobs` runs of `true` until none is left."""
        begin = time.monotonic()
        subprocess.run(["sbatch", "--array=0-%d" % (jobs - 1), "-n1", "-o", "/dev/null", "--chdir=/", "--wrap", "/bin/true"],
                       env=self.environment, check=True, stdout=subprocess.DEVNULL)
        while self.ask("squeue", "-h", "-t", "PD,R,CG"):
            time.sleep(0.05)
        return jobs / (time.monotonic() - begin)

    def __exit__(self, *_):
        for process in reversed(self.processes):
            if process.poll() is not None:
                continue
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
