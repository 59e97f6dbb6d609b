"""A hostile peer at every door of live daemons: nothing dies, nothing grows, nobody else is hurt, every connection ends."""
import concurrent.futures
import os
import re
import socket
import unittest
import urllib.parse

from cluster import ClusterTest, await_true
from hostile import (AGENT, EXECUTOR, FRAMEWORK, MASTER, Door, Villain, await_end, envelope, hello, nested, part, ws,
                     ws_head)

INPUTS = int(os.environ.get("TROUPE_HOSTILE_INPUTS", "900"))
SEED = os.environ.get("TROUPE_HOSTILE_SEED", "1")
GROWTH_MAX_KIB = 64 << 10


def resident_kib(daemon):
    with open("/proc/%d/status" % daemon.process.pid) as status:
        return next(int(line.split()[1]) for line in status if line.startswith("VmRSS"))


def sockets_of(daemon):
    folder = "/proc/%d/fd" % daemon.process.pid
    count = 0
    for fd in os.listdir(folder):
        try:
            count += os.readlink(os.path.join(folder, fd)).startswith("socket:")
        except OSError:
            pass  # closed meanwhile
    return count


def counted(daemon, family, cause):
    found = re.search(r'^%s\{cause="%s"\} (\d+)' % (family, cause), daemon.get("/metrics").decode(), re.M)
    return int(found.group(1)) if found else 0


def besiege(door, inputs):
    villain = Villain(door, SEED)
    for i in range(inputs):
        try:
            villain.send_one()
        except Exception as e:
            raise AssertionError("%s, seed %s, input %d: %r" % (door.name, SEED, i, e)) from e
    return villain.sent


class Hostile(ClusterTest):
    def setUp(self):
        super().setUp()
        self.agent = self.agents[0]
        # What grows once, at the first use, is not what a peer made it take.
        self.troupe("run", "--", "true")
        await_true(lambda: not self.frameworks(), "the first job to be gone")
        self.open_before = {d.name: sockets_of(d) for d in self.daemons}
        self.resident_before = {d.name: resident_kib(d) for d in self.daemons}

    def frameworks(self):
        return [f for f in self.master.state()["frameworks"] if f.get("active")]

    def doors(self):
        found = []
        for daemon, role in ((self.master, "master"), (self.agent, "agent")):
            url = urllib.parse.urlsplit(daemon.url)
            found.append(Door(daemon.name, role, socket.AF_INET, (url.hostname, url.port)))
        found.append(Door("agent's socket", "agent", socket.AF_UNIX, str(self.agent.runtime / "agent.sock")))
        return found

    def growth_kib(self):
        return {d.name: resident_kib(d) - self.resident_before[d.name] for d in self.daemons}

    def check_bounded(self):
        for name, kib in self.growth_kib().items():
            self.assertLess(kib, GROWTH_MAX_KIB, name + " grew")

    def check_unhurt(self):
        """What must be true after whatever was tried."""
        for daemon in self.daemons:
            self.assertIsNone(daemon.process.poll(), daemon.name + " has died")
            await_true(lambda d=daemon: sockets_of(d) <= self.open_before[d.name], "every connection of %s to be closed" % daemon.name)
        self.check_bounded()
        self.troupe("run", "--", "true")

    def test_malformed_inputs_at_every_door_hurt_nobody(self):
        doors = self.doors()
        with concurrent.futures.ProcessPoolExecutor(len(doors)) as pool:
            sent = list(pool.map(besiege, doors, [INPUTS] * len(doors)))
        growth = self.growth_kib()
        print("hostile.inputs seed=%s per_door=%d doors=%d %s" %
              (SEED, min(sent), len(sent), " ".join("%s_growth_kib=%d" % item for item in sorted(growth.items()))))
        for daemon in self.daemons:
            # They got as far as they should: to every line of defence.
            for family, causes in (("troupe_link_handshakes_failed_total", ("refused", "malformed")), ("troupe_links_closed_total", ("protocol",)),
                                   ("troupe_link_letters_dropped_total", ("not_allowed", "unknown_verb", "spoofed", "malformed"))):
                for cause in causes:
                    self.assertGreater(counted(daemon, family, cause), 0, "%s %s of %s" % (family, cause, daemon.name))
            self.assertNotIn("libprotobuf", daemon.log.read_text(), "strangers can fill the log of " + daemon.name)
        self.check_unhurt()

    def test_attack_a_frame_that_claims_four_gigabytes_takes_no_memory(self):
        for door in self.doors():
            role = EXECUTOR if door.role == "agent" else FRAMEWORK
            for claim in (1 << 32, (1 << 63) - 1):
                held = []
                for i in range(16):
                    held.append(door.upgraded())
                    held.append(door.linked(role, "claims-%d" % i))
                for s in held:
                    s.sendall(ws_head(claim) + b"x" * 32)
                for s in held:
                    await_end(s)
                    s.close()
            # The largest that may come: it takes memory as its bytes do, which are not coming.
            held = [door.linked(role, "waits-%d" % i) for i in range(16)]
            for s in held:
                s.sendall(ws_head(32 << 20) + b"x" * 32)
            self.check_bounded()
            self.troupe("run", "--", "true")
            for s in held:
                s.close()
        self.check_unhurt()

    def test_attack_messages_nested_a_million_deep_take_no_stack(self):
        deep = {"parts": nested(1_000_000, 2), "groups": b"\x13" * 1_000_000}
        for door in self.doors():
            role = EXECUTOR if door.role == "agent" else AGENT
            to = MASTER if door.role == "master" else AGENT
            for bytes_ in deep.values():
                # In a status update the id of a container may have a parent, which may have a parent …
                status = part(4, part(13, part(4, bytes_)))
                for frame in (bytes_, part(6, bytes_), envelope(role, "deep", to, 30, status), envelope(role, "deep", to, 30, bytes_)):
                    with door.linked(role, "deep") as s:
                        try:
                            s.sendall(ws(frame))
                            s.shutdown(socket.SHUT_WR)
                        except OSError:
                            pass  # put out before the last byte
                        await_end(s)
        self.check_unhurt()

    def test_json_nested_a_million_deep_is_refused(self):
        body = b'{"a":' * 1_000_000
        for door in self.doors():
            for path in (b"/api/v1", b"/api/v1/scheduler", b"/api/v1/executor", b"/files/read"):
                with door.connect() as s:
                    try:
                        s.sendall(b"POST " + path + b" HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nConnection: close\r\n"
                                  b"Content-Length: %d\r\n\r\n" % len(body) + body)
                        s.shutdown(socket.SHUT_WR)
                    except OSError:
                        pass  # refused before the last byte
                    self.assertRegex(await_end(s), rb"^HTTP/1\.1 4\d\d ", "%s of %s" % (path, door.name))
        self.check_unhurt()

    def test_a_peer_of_the_wrong_role_is_no_master_and_is_sent_away(self):
        """Whoever calls itself a master at an agent's door would be told all that is meant for the real one."""
        for door in self.doors():
            wrong = (MASTER, AGENT, FRAMEWORK) if door.role == "agent" else (MASTER, EXECUTOR)
            for role in wrong:
                with door.upgraded() as s:
                    s.sendall(ws(hello(role, "impostor")))
                    self.assertIn(b"role", await_end(s), "%d at %s" % (role, door.name))
        self.check_unhurt()

    def test_connections_that_say_nothing_or_never_read_take_little_and_hurt_nobody(self):
        held = []
        for door in self.doors():
            for beginning in (b"", b"G", b"GET / HTTP/1.1\r\nHost: ", b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"):
                for _ in range(50):
                    s = door.connect()
                    s.sendall(beginning)
                    held.append(s)
            for i in range(50):
                held.append(door.upgraded())
            for i in range(20):
                s = door.connect()
                s.setblocking(False)
                try:
                    for _ in range(1000):
                        s.send(b"GET /metrics HTTP/1.1\r\nHost: x\r\n\r\n" * 100)
                except BlockingIOError:
                    pass  # it takes no more while we do not read: as it should
                held.append(s)
        subscribe = part(1, part(1, "root") + part(2, "deaf"))
        master = self.doors()[0]
        for i in range(20):
            s = master.linked(FRAMEWORK, "deaf-%d" % i)
            s.sendall(ws(envelope(FRAMEWORK, "deaf-%d" % i, MASTER, 60, subscribe)))
            held.append(s)
        self.check_bounded()
        self.assertEqual(self.master.get("/health"), b"")
        self.assertEqual(self.agent.get("/health"), b"")
        for s in held:
            s.close()
        await_true(lambda: not self.frameworks(), "deaf frameworks to be gone")
        self.check_unhurt()


if __name__ == "__main__":
    unittest.main()
