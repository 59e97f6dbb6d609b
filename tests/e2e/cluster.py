"""A real cluster of separate processes for one test: own folders, free ports, and nothing left behind whatever happens."""
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import time
import unittest
import urllib.request

BIN = pathlib.Path(os.environ["TROUPE_BIN"])
# Only against hanging for ever: no test measures time.
PATIENCE_S = 120


def await_true(condition, what):
    """Polls until condition() is true, and returns what it returned."""
    deadline = time.monotonic() + PATIENCE_S
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError("waited in vain for " + what)
        time.sleep(0.02)


def all_shims():
    program = os.path.realpath(BIN / "troupe-shim")
    found = set()
    for entry in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if os.readlink(entry / "exe").removesuffix(" (deleted)") == program:
                found.add(entry.name)
        except OSError:
            continue  # gone meanwhile
    return found


class Daemon:
    """One daemon process; can be killed and started again in the same folders."""

    def __init__(self, name, folder, arguments):
        self.name, self.arguments = name, arguments
        self.work = folder / name
        self.runtime = folder / "run" / name
        self.ready = folder / (name + ".ready")
        self.log = folder / (name + ".log")
        self.process = None
        self.url = None
        self.trusts = None  # an ssl.SSLContext, of one that speaks TLS

    def launch(self):
        """Starts it without waiting for it; is_ready tells."""
        self.ready.unlink(missing_ok=True)
        command = [BIN / "troupe", *self.arguments, "--work-dir", self.work, "--runtime-dir", self.runtime, "--ready-file", self.ready]
        with open(self.log, "ab") as log:
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True)

    def is_ready(self):
        if self.process.poll() is not None:
            raise AssertionError(self.name + " ended while starting:\n" + self.log.read_text())
        return self.ready.exists()

    def start(self):
        self.launch()
        await_true(self.is_ready, self.name + " to listen")
        self.url = self.ready.read_text().strip()
        return self

    def kill(self):
        self.process.kill()
        self.process.wait()

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(PATIENCE_S)
            except subprocess.TimeoutExpired:
                self.kill()
                raise

    def clean_up(self):
        """Of an agent that has ended: ends its containers, which outlive it. The exit code."""
        return subprocess.run([BIN / "troupe", "agent", "--recover=cleanup", "--work-dir", self.work, "--runtime-dir", self.runtime],
                              stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=PATIENCE_S).returncode

    def get(self, path):
        with urllib.request.urlopen(self.url + path, timeout=PATIENCE_S, context=self.trusts) as answer:
            return answer.read()

    def state(self):
        return json.loads(self.get("/state"))


class ClusterTest(unittest.TestCase):
    """Brings up a master and `agents` agents for each test."""

    agents_wanted = 1
    resources = "cpus:4;mem:2048;disk:4096"
    master_arguments, agent_arguments = [], []

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-e2e."))
        self.daemons, self.others = [], []
        self.shims_before = all_shims()
        self.addCleanup(self.sweep)
        self.master = self.start("master", "master", *self.master_arguments)
        self.agents = [self.start("agent-%d" % i, "agent", "--master", self.master.url, "--resources", self.resources,
                                  "--registration-backoff-factor", "20ms", *self.agent_arguments)
                       for i in range(self.agents_wanted)]
        self.await_agents(self.agents_wanted)

    def start(self, name, role, *arguments):
        daemon = Daemon(name, self.folder, [role, "--port", "0", *arguments])
        self.daemons.append(daemon)
        return daemon.start()

    def await_agents(self, count):
        self.troupe("agents", "--wait", str(count), "--timeout", "60s")

    def sweep(self):
        for process in self.others:
            if process.poll() is None:
                process.kill()
                process.wait()
        failed = []
        for daemon in reversed(self.daemons):
            try:
                daemon.stop()
            except subprocess.TimeoutExpired:
                failed.append(daemon.name)
        for daemon in self.daemons:
            if daemon.arguments[0] == "agent":
                daemon.clean_up()
        if not self.passed():
            for daemon in self.daemons:
                print("== log of " + daemon.name)
                print("\n".join(daemon.log.read_text(errors="replace").splitlines()[-80:]))
        shims = self.shims()
        shutil.rmtree(self.folder, ignore_errors=True)
        self.assertEqual(failed, [], "these did not end when told to")
        self.assertEqual(shims, [], "shims were left behind")

    def passed(self):
        result = self._outcome.result
        return not any(test is self for test, _ in result.failures + result.errors)

    def shims(self):
        """Our shims that live and did not before the test. A shim holds nothing that names its folder, so it is told by its program:
        each clone has one of its own, and these tests run one at a time."""
        return sorted(all_shims() - self.shims_before)

    def environment(self):
        return dict(os.environ, TROUPE_MASTER=self.master.url)

    def troupe(self, *arguments, check=True):
        done = subprocess.run([BIN / "troupe", *arguments], env=self.environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S * 2)
        if check and done.returncode != 0:
            raise AssertionError("troupe %s exited %d:\n%s%s" % (" ".join(arguments), done.returncode, done.stdout, done.stderr))
        return done

    def spawn(self, *command):
        process = subprocess.Popen([str(c) for c in command], env=self.environment(), stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True)
        self.others.append(process)
        self.addCleanup(process.stdout.close)
        self.addCleanup(process.stderr.close)
        return process

    def tasks(self):
        return json.loads(self.troupe("tasks", "--all", "--json").stdout)

    def await_task(self, state, name=None):
        def find():
            for task in self.tasks():
                if task["state"] == state and (name is None or task["id"] == name):
                    return task
            return None
        return await_true(find, "a task in " + state)
