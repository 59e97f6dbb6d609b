"""A cluster of separate processes that are killed and started again, and swept away whatever happens."""
import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile

from cluster import BIN, PATIENCE_S, Daemon, all_shims, await_true
from history import now_ms


class Failed(Exception):
    """What should have held and did not, in words."""


class Framework:
    """The program soak_framework, with its state in the cluster's folder."""

    def __init__(self, name, cluster, *arguments):
        self.name, self.cluster, self.arguments = name, cluster, arguments
        self.log = cluster.folder / (name + ".log")
        self.process = None

    def launch(self):
        folder = self.cluster.folder
        command = [BIN / "soak_framework", "--name", self.name, "--state-dir", folder / self.name, "--told", folder / (self.name + ".told"),
                   *self.arguments]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen([str(c) for c in command], env=dict(os.environ, TROUPE_MASTER=self.cluster.master.url),
                                            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def kill(self):
        self.process.kill()
        self.process.wait()


class SoakCluster:
    def __init__(self, agents, agent_arguments=(), keep=False):
        self.keep = keep
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-soak.", dir=os.environ.get("TROUPE_SOAK_DIR", "/var/tmp")))
        # A socket's path has at most 107 bytes, and what is in here is best on a tmpfs.
        self.run = pathlib.Path(tempfile.mkdtemp(prefix="troupe-soak-run."))
        self.shims_before = all_shims()
        self.frameworks, self.failed = [], False
        self.master = self.daemon("master", "master", "--agent-ping-timeout", "60s")
        self.agents = []
        self.agents_wanted, self.agent_arguments = agents, agent_arguments

    def daemon(self, name, role, *arguments):
        daemon = Daemon(name, self.folder, [role, "--port", "0", *arguments])
        daemon.runtime = self.run / name
        daemon.launched_ms = 0
        return daemon

    def __enter__(self):
        try:
            self.master.start()
            self.fix_port(self.master)
            for i in range(self.agents_wanted):
                self.agents.append(self.daemon("agent-%d" % i, "agent", "--master", self.master.url, "--registration-backoff-factor", "20ms",
                                               *self.agent_arguments))
                self.agents[-1].start()
                self.fix_port(self.agents[-1])
        except BaseException:
            self.sweep(failed=True)
            raise
        return self

    @staticmethod
    def fix_port(daemon):
        """A daemon that comes back is looked for where it was."""
        daemon.arguments[2] = daemon.url.rsplit(":", 1)[1]

    def __exit__(self, kind, *_):
        self.sweep(failed=kind is not None)

    def daemons(self):
        return [self.master, *self.agents]

    def start_again(self, member):
        member.launched_ms = now_ms()
        member.launch()

    def add_framework(self, name, *arguments):
        self.frameworks.append(Framework(name, self, *arguments))
        self.start_again(self.frameworks[-1])
        return self.frameworks[-1]

    def containers(self):
        """What the agents' runtime folders hold of containers."""
        return [entry for agent in self.agents for entry in (agent.runtime / "containers" / "containers").glob("*")]

    def sweep(self, failed):
        for framework in self.frameworks:
            if framework.process and framework.process.poll() is None:
                framework.kill()
        for daemon in reversed(self.daemons()):
            try:
                daemon.stop()
            except subprocess.TimeoutExpired:
                print("soak: %s did not end when told to, and was killed" % daemon.name, file=sys.stderr)
                failed = True
        for agent in self.agents:
            if (code := agent.clean_up()) != 0:
                print("soak: cleaning up after %s exited with %d" % (agent.name, code), file=sys.stderr)
                failed = True
        shims = await_gone(lambda: all_shims() - self.shims_before)
        if shims:
            print("soak: shims were left behind: " + " ".join(sorted(shims)), file=sys.stderr)
        if failed or self.keep:
            print("soak: logs and all else are kept in %s" % self.folder, file=sys.stderr)
        else:
            shutil.rmtree(self.folder, ignore_errors=True)
        shutil.rmtree(self.run, ignore_errors=True)
        self.failed = failed or bool(shims)


def await_gone(look):
    try:
        await_true(lambda: not look(), "nothing to be left")
        return set()
    except AssertionError:
        return look()


def interrupted_by_term():
    """SIGTERM takes the cluster down, as Ctrl-C does."""
    def end(*_):
        raise KeyboardInterrupt
    signal.signal(signal.SIGTERM, end)
