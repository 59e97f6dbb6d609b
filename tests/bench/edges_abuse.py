"""One abuse of a master's port, until stdin ends: edges_abuse.py NAME URL PID. Says "on" once it is under way, and at the end how often it
was tried. It is an ordinary process; whoever starts it makes it nice."""
import os
import pathlib
import random
import resource
import select
import socket
import sys
import urllib.parse

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parent.parent / "e2e"))
import hostile  # noqa: E402
from hostile import FRAMEWORK, MASTER, envelope, nested, part, ws  # noqa: E402

PATIENCE_S = 5
BEGINNINGS = (b"", b"G", b"GET / HTTP/1.1\r\nHost: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\nx")


class Abuse:
    def __init__(self, name, url, pid):
        where = urllib.parse.urlsplit(url)
        self.door = hostile.Door(name, "master", socket.AF_INET, (where.hostname, where.port))
        self.name, self.pid, self.tried, self.held, self.chance = name, pid, 0, [], random.Random(name)
        self.prepare = {"descriptors": self.take_descriptors, "slow_readers": self.begin_reading, "half_open": self.open_halves}.get(name)
        self.step = getattr(self, name)
        hostile.PATIENCE_S = PATIENCE_S

    def run(self):
        if self.prepare:
            self.prepare()
        self.once()
        print("on", flush=True)
        try:
            while not select.select([sys.stdin], [], [], 0)[0]:
                self.once()
        finally:
            self.end()
        print(self.tried, flush=True)

    def once(self):
        try:
            self.step()
        except (OSError, AssertionError):
            pass  # turned away, cut off: as it should be
        self.tried += 1

    def end(self):
        for s in self.held:
            s.close()

    def hold(self, s, most):
        self.held.append(s)
        if len(self.held) > most:
            self.held.pop(0).close()

    # --- the abuses

    def connections(self):
        """New ones as fast as they come, the last few hundred held."""
        self.hold(self.door.connect(), 900)

    def garbage(self):
        """Malformed requests, handshakes, frames, letters, each on a connection of its own."""
        if not self.held:
            self.villain, self.held = hostile.Villain(self.door, 1), [socket.socket()]
        self.villain.send_one()

    def requests(self):
        """Sound requests, pipelined, for what is the most work."""
        if not self.held:
            self.held = [self.door.connect() for _ in range(50)]
        for s in self.held:
            s.sendall(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\nGET /state HTTP/1.1\r\nHost: x\r\n\r\n")
        for s in self.held:
            s.recv(1 << 20)

    def begin_reading(self):
        for _ in range(200):
            self.slow_readers()

    def slow_readers(self):
        """Ask for much and never read."""
        s = self.door.connect()
        s.setblocking(False)
        self.hold(s, 300)
        for _ in range(50):
            s.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100)

    def open_halves(self):
        for _ in range(800):
            self.half_open()

    def half_open(self):
        """Half of everything that begins a conversation; a new one for each that is cut off."""
        s = self.door.upgraded() if self.tried % 5 == 4 else self.door.connect()
        if self.tried % 5 != 4:
            s.sendall(BEGINNINGS[self.tried % 5 % len(BEGINNINGS)])
        self.hold(s, 900)

    def deaf(self):
        """Frameworks that subscribe, want no offers (who sits on offers keeps them from others, and has the master's --offer-timeout), ask for
        answers without end, and never read one."""
        name = "deaf-%d" % self.tried
        s = self.door.linked(FRAMEWORK, name)
        self.hold(s, 30)
        s.sendall(ws(envelope(FRAMEWORK, name, MASTER, 60, part(1, part(1, "root") + part(2, name)) + part(2, "*"))))
        s.settimeout(0.05)
        asked = part(1, part(1, part(1, "t"))) * 1000
        while True:
            s.sendall(ws(envelope(FRAMEWORK, name, MASTER, 68, asked)))

    def nesting(self):
        """Frames nested a million deep, over links."""
        if not self.held:
            self.deep, self.held = (nested(1_000_000, 2), b"\x13" * 1_000_000), [socket.socket()]
        with self.door.linked(FRAMEWORK, "deep") as s:
            s.sendall(ws(self.deep[self.tried % 2]))
            hostile.await_end(s)

    def links(self):
        """Greetings of ever new peers."""
        with self.door.linked(FRAMEWORK, "link-%d" % self.tried):
            pass

    def letters(self):
        """Frames full of letters that nobody may say, over one link."""
        if not self.held:
            letter = envelope(FRAMEWORK, "letters", MASTER, 9999, b"")
            self.frame, self.held = ws(letter * (250_000 // len(letter))), [self.door.linked(FRAMEWORK, "letters")]
        try:
            self.held[0].sendall(self.frame)
            # Credit comes back for all of it: read, so that it is not we who stop.
            self.held[0].setblocking(False)
            try:
                self.held[0].recv(1 << 16)
            except BlockingIOError:
                pass
            self.held[0].settimeout(PATIENCE_S)
        except OSError:
            self.held.pop().close()

    def take_descriptors(self):
        self.before = resource.prlimit(self.pid, resource.RLIMIT_NOFILE)
        top = max(int(fd) for fd in os.listdir("/proc/%d/fd" % self.pid))
        resource.prlimit(self.pid, resource.RLIMIT_NOFILE, (top + 8, self.before[1]))

    def descriptors(self):
        """As connections, and the master has no descriptor left for them."""
        self.hold(self.door.connect(), 100)


ALL = ("connections", "garbage", "requests", "slow_readers", "half_open", "deaf", "nesting", "links", "letters", "descriptors")


def main():
    abuse = Abuse(sys.argv[1], sys.argv[2], int(sys.argv[3]))
    try:
        abuse.run()
    finally:
        if hasattr(abuse, "before"):
            resource.prlimit(abuse.pid, resource.RLIMIT_NOFILE, abuse.before)


if __name__ == "__main__":
    main()
