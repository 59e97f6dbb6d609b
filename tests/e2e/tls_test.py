"""A cluster that speaks TLS only: brought up by the cluster script, used as a person would."""
import os
import pathlib
import socket
import subprocess
import tempfile
import unittest
import urllib.parse

from cluster import BIN, PATIENCE_S, await_true

CLUSTER = pathlib.Path(__file__).resolve().parent.parent.parent / "scripts" / "cluster"


class Tls(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.held = tempfile.TemporaryDirectory(prefix="troupe-e2e.")
        cls.addClassCleanup(cls.held.cleanup)
        cls.folder = pathlib.Path(cls.held.name)
        os.chmod(cls.folder, 0o755)  # executors of other users read the authority's file
        cls.outside = dict(os.environ, TROUPE_CLUSTER_DIR=str(cls.folder / "cluster"), TROUPE_BIN=str(BIN))
        cls.addClassCleanup(cls.script, "down")
        cls.script("up", "--tls", "--agents", "2", "--resources", "cpus:4;mem:2048;disk:4096")
        told = cls.script("env").stdout
        shown = subprocess.run(["bash", "-c", told + "\nenv -0"], env=cls.outside, capture_output=True, text=True, check=True).stdout
        cls.environment = dict(pair.split("=", 1) for pair in shown.split("\0") if pair)

    @classmethod
    def script(cls, *arguments):
        done = subprocess.run([CLUSTER, *arguments], env=cls.outside, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S * 2)
        if done.returncode != 0:
            raise AssertionError("cluster %s:\n%s%s" % (arguments, done.stdout, done.stderr))
        return done

    def troupe(self, *arguments, **changed):
        environment = dict(self.environment, **changed)
        return subprocess.run([BIN / "troupe", *arguments], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              timeout=PATIENCE_S)

    def other_authority(self):
        path = self.folder / "other.pem"
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                        "-subj", "/CN=another", "-keyout", self.folder / "other.key", "-out", path], check=True, capture_output=True)
        return str(path)

    def test_a_task_runs_and_its_output_is_read_over_https(self):
        self.assertTrue(self.environment["TROUPE_MASTER"].startswith("https://127.0.0.1:"))
        done = self.troupe("run", "--name", "greeting", "--", "sh", "-c", "echo hello")
        self.assertEqual((done.returncode, done.stdout), (0, "hello\n"), done.stderr)
        logs = self.troupe("logs", "greeting")
        self.assertEqual((logs.returncode, logs.stdout), (0, "hello\n"), logs.stderr)

    def test_executors_read_from_other_agents_over_https(self):
        texts = self.folder / "texts"
        texts.mkdir()
        for number in range(4):
            (texts / ("%d.txt" % number)).write_text("all the world is a stage\n" * 10)
        os.chmod(texts, 0o755)
        done = subprocess.run([BIN / "wordcount", "--root", texts, "--maps", "4", "--reduces", "2", "--spread", "2", "--output",
                               self.folder / "counts"], env=self.environment, capture_output=True, text=True, timeout=PATIENCE_S)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertIn("world 40\n", (self.folder / "counts").read_text())

    def test_a_master_of_another_authority_is_not_believed(self):
        other = self.other_authority()
        for arguments in (["agents"], ["agents", "--tls-ca", other]):
            done = self.troupe(*arguments, TROUPE_TLS_CA=other)
            self.assertEqual(done.returncode, 1)
            self.assertIn("certificate", done.stderr)
            self.assertIn(other, done.stderr)
        process = subprocess.Popen([BIN / "troupe", "run", "--", "true"], env=dict(self.environment, TROUPE_TLS_CA=other),
                                   stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("certificate of the other end is not accepted", process.stderr.readline())
        finally:
            process.kill()
            process.wait()
            process.stderr.close()

    def test_a_framework_without_a_certificate_is_told_what_it_needs(self):
        environment = dict(self.environment)
        del environment["TROUPE_TLS_CERT"], environment["TROUPE_TLS_KEY"]
        process = subprocess.Popen([BIN / "troupe", "run", "--", "true"], env=environment, stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, text=True)
        try:
            self.assertIn("TROUPE_TLS_CERT", process.stderr.readline())
        finally:
            process.kill()
            process.wait()
            process.stderr.close()

    def test_plain_http_is_refused_with_a_line_in_the_log(self):
        address = urllib.parse.urlsplit(self.environment["TROUPE_MASTER"])

        def refused():
            with socket.create_connection((address.hostname, address.port), PATIENCE_S) as client:
                client.sendall(b"GET /state HTTP/1.1\r\nHost: x\r\n\r\n")
                heard = b""
                while piece := client.recv(4096):
                    heard += piece
            self.assertIn(b" 400 ", heard)
            self.assertIn(b"https://", heard)
            return "does not speak TLS" in self.script("logs", "master").stdout

        # One line a second of a cause is written: another test's refusal may have had this one's.
        await_true(refused, "the master's log to say so")
        self.assertIn("https://", self.troupe("agents", "--master", "http://" + address.netloc).stderr)

    def test_a_key_that_does_not_match_is_named(self):
        self.other_authority()
        done = self.troupe("master", "--port", "0", "--work-dir", str(self.folder / "m2"), "--runtime-dir", str(self.folder / "r2"), "--tls-key", str(self.folder / "other.key"))
        self.assertEqual(done.returncode, 2)
        self.assertIn("--tls-key %s: does not match" % (self.folder / "other.key"), done.stderr)


if __name__ == "__main__":
    unittest.main(verbosity=2)
