"""What the parts of scripts/bench share: lines of figures, programs, clusters."""
import json
import os
import pathlib
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parent.parent.parent
RELEASE = ROOT / "build" / "release"


def number(text):
    try:
        return int(text) if text.lstrip("-").isdigit() else float(text)
    except ValueError:
        return text


def show(line, as_json):
    if as_json:
        name, *pairs = line.split()
        line = json.dumps({"figure": name, **{key: number(value) for key, value in (pair.split("=", 1) for pair in pairs)}})
    print(line, flush=True)


def lines_of(arguments, **more):
    with subprocess.Popen([str(a) for a in arguments], stdout=subprocess.PIPE, text=True, **more) as program:
        for line in program.stdout:
            yield line.strip()
    if program.returncode != 0:
        sys.exit("bench: %s ended with %d" % (arguments[0], program.returncode))


def run_program(arguments, as_json, **more):
    for line in lines_of(arguments, **more):
        show(line, as_json)


def certificates(folder):
    """One certificate for everybody, which is its own authority, as the environment that daemons and links_bench read."""
    cert, key = pathlib.Path(folder) / "cert.pem", pathlib.Path(folder) / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2", "-subj", "/CN=bench",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", str(key), "-out", str(cert)], check=True, stderr=subprocess.DEVNULL)
    return {"TROUPE_TLS_CERT": str(cert), "TROUPE_TLS_KEY": str(key), "TROUPE_TLS_CA": str(cert)}


def cpu_seconds(pid):
    """Of the threads of a process: what it started is not in it. To the nanosecond, where /proc/PID/stat counts ticks."""
    return sum(int((thread / "schedstat").read_text().split()[0]) for thread in pathlib.Path("/proc/%d/task" % pid).iterdir()) / 1e9


class cluster:
    """A cluster of one master and one agent."""

    def __init__(self, folder, *options):
        self.folder = pathlib.Path(folder) / "cluster"
        self.options = options
        self.environment = dict(os.environ, TROUPE_CLUSTER_DIR=str(self.folder))

    def __enter__(self):
        self.script("up", "--agents", "1", "--resources", "cpus:100;mem:100000;disk:1000", *self.options)
        self.environment["TROUPE_MASTER"] = (self.folder / "master.ready").read_text().strip()
        if "--tls" in self.options:
            tls = self.folder / "tls"
            self.environment.update(TROUPE_TLS_CA=str(tls / "ca.pem"), TROUPE_TLS_CERT=str(tls / "cert.pem"), TROUPE_TLS_KEY=str(tls / "key.pem"))
        return self

    def __exit__(self, *_):
        self.script("down")

    def script(self, *arguments):
        subprocess.run([str(ROOT / "scripts" / "cluster"), *arguments], env=self.environment, check=True, stdout=subprocess.DEVNULL)

    def pid(self, name):
        return int((self.folder / (name + ".pid")).read_text().split()[0])

    def cpu(self):
        return {name: cpu_seconds(self.pid(name)) for name in ("master", "agent-1")}

    def resident_mb(self, name):
        status = pathlib.Path("/proc/%d/status" % self.pid(name)).read_text()
        return next(int(line.split()[1]) / 1024 for line in status.splitlines() if line.startswith("VmRSS"))


def bench_folder():
    """A folder that ends with its block, where journals are put."""
    return tempfile.TemporaryDirectory(prefix="troupe-bench.", dir=os.environ.get("TROUPE_BENCH_DIR", "/var/tmp"))
