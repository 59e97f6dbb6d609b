"""What a peer that means no good sends: real requests, handshakes and frames, mutated; garbage; and the means to send them."""
import base64
import os
import random
import socket
import ssl
import struct

# Only against hanging for ever: no test measures time.
PATIENCE_S = 60

MASTER, AGENT, EXECUTOR, FRAMEWORK, OPERATOR = 1, 3, 4, 5, 6
ROLES_THAT_DIAL = {"master": (AGENT, FRAMEWORK, OPERATOR), "agent": (EXECUTOR,)}

# Verbs by protocol/verbs.hpp that each role may say, without those that make an agent known to the master: an agent that is made up would
# be given tasks to run.
VERBS = {AGENT: (3, 4, 5, 10, 11, 24, 26, 30), FRAMEWORK: tuple(range(60, 73)), OPERATOR: (42, 43), EXECUTOR: (60, 80, 100, 101, 102, 103)}


# --- protobuf and WebSocket, as far as they are needed

def varint(value):
    out = bytearray()
    while value >= 0x80:
        out.append(value & 0x7f | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def number(field, value):
    return varint(field << 3) + varint(value)


def part(field, content):
    """A text, bytes, or a message within another."""
    content = content.encode() if isinstance(content, str) else content
    return varint(field << 3 | 2) + varint(len(content)) + content


def nested(levels, field, innermost=b""):
    """A message within a message …, each as the one field of the one around it. Built from the inside, back to front."""
    tag, pieces, size = varint(field << 3 | 2), [innermost], len(innermost)
    for _ in range(levels):
        head = tag + varint(size)
        pieces.append(head)
        size += len(head)
    return b"".join(reversed(pieces))


def hello(role, name, version=1):
    return part(1, number(1, version) + number(2, version) + number(3, role) + part(4, name) + number(5, 1) + part(7, "e2e") +
                number(8, 1 << 20))


def envelope(role, name, to, verb, payload):
    sender = number(1, role) + part(2, name)
    return part(6, part(1, sender) + part(2, number(1, to) + part(2, "leader")) + number(3, 1) + number(4, 1) + number(9, verb) +
                part(10, payload))


def ws_head(size, opcode=2):
    """A frame's head, for as many bytes as it claims to have. The mask is zero: what is masked is then as it was."""
    if size < 126:
        length = bytes([0x80 | size])
    elif size < 1 << 16:
        length = b"\xfe" + struct.pack(">H", size)
    else:
        length = b"\xff" + struct.pack(">Q", size)
    return bytes([0x80 | opcode]) + length + b"\0\0\0\0"


def ws(content, opcode=2):
    return ws_head(len(content), opcode) + content


def upgrade_request():
    return (b"GET /link HTTP/1.1\r\nHost: e2e\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            b"Sec-WebSocket-Key: " + base64.b64encode(os.urandom(16)) + b"\r\n\r\n")


# --- connections

class Door:
    """One address that a daemon listens on, and the role behind it."""

    def __init__(self, name, role, family, address):
        self.name, self.role, self.family, self.address = name, role, family, address

    def connect(self, source=None):
        """From `source`, another address of this machine, if the door has addresses."""
        s = socket.socket(self.family, socket.SOCK_STREAM)
        s.settimeout(PATIENCE_S)
        if source and self.family == socket.AF_INET:
            s.bind((source, 0))
        s.connect(self.address)
        return s

    def upgraded(self):
        """A connection that has become a WebSocket, and has yet to say Hello."""
        s = self.connect()
        s.sendall(upgrade_request())
        read_until(s, b"\r\n\r\n")
        return s

    def linked(self, role, name):
        """A connection that has become a link."""
        s = self.upgraded()
        s.sendall(ws(hello(role, name)))
        s.recv(4096)
        return s


def read_until(s, end):
    got = b""
    while end not in got:
        more = s.recv(4096)
        if not more:
            raise AssertionError("the connection ended after %r" % got)
        got += more
    return got


def await_end(s):
    """Reads until the other end has closed; what it said, the first 64 KiB of it."""
    got = b""
    try:
        while True:
            more = s.recv(65536)
            if not more:
                return got
            if len(got) < 65536:
                got += more
    except (ConnectionError, ssl.SSLError):
        return got


# --- inputs

def mutated(chance, content):
    content = bytearray(content)
    for _ in range(chance.choice((1, 1, 2, 4, 8))):
        at = chance.randrange(len(content) + 1)
        what = chance.randrange(6)
        if what == 0 and at < len(content):
            content[at] = chance.randrange(256)
        elif what == 1 and at < len(content):
            content[at] ^= 1 << chance.randrange(8)
        elif what == 2:
            del content[at:at + chance.randrange(1, 16)]
        elif what == 3:
            content[at:at] = chance.choice((b"\0", b"\xff" * 4, b"\xff" * 9 + b"\x01", b"\r\n", b"%", b"%00", b"../", b"\x80"))
        elif what == 4:
            content[at:at] = content[at:at + chance.randrange(1, 32)]
        else:
            del content[at:]
    return bytes(content)


REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n", b"GET /% HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /%00 HTTP/1.1\r\nHost: x\r\n\r\n", b"GET  HTTP/1.1\r\n\r\n", b"POST // HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n",
    b"GET /files/read?path=/master/log&offset=-2 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /files/download?path=/../../etc/passwd&offset=18446744073709551615 HTTP/1.1\r\nHost: x\r\n\r\n",
    b"GET /files/browse?path=%2e%2e%2f&jsonp=a(b) HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /api/v1/scheduler HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n{\"type\":\"SUBSCRIBE\"}\n",
    b"POST /api/v1 HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\nTrailer: T\r\n\r\n2\r\n{}\r\n0\r\nT: trailing\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 99999999999999999999\r\n\r\n", b"GET http:// HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\nabc",
]


class Villain:
    """Sends one malformed input after the other to one door; the same ones for the same seed."""

    def __init__(self, door, seed):
        self.door, self.chance = door, random.Random("%s/%s" % (seed, door.name))
        self.sent = 0

    def send_one(self):
        """One connection with one input, of which the daemon must let go by itself."""
        self.sent += 1
        kinds = (self.garbage, self.request, self.upgrade, self.greeting, self.wrong_role, self.frame, self.letter, self.dropped)
        s, content = kinds[self.chance.randrange(len(kinds))]()
        with s:
            try:
                s.sendall(content)
                if self.chance.randrange(8) == 0:
                    # Gone without a word, and with what was not read yet.
                    s.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                    return
                s.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # closed already
            await_end(s)

    def garbage(self):
        return self.door.connect(), self.chance.randbytes(self.chance.randrange(1, 512))

    def request(self):
        return self.door.connect(), mutated(self.chance, self.chance.choice(REQUESTS))

    def upgrade(self):
        return self.door.connect(), mutated(self.chance, upgrade_request()) + ws(hello(AGENT, "x"))

    def greeting(self):
        return self.door.upgraded(), mutated(self.chance, ws(hello(self.role(), self.name(), self.chance.choice((0, 1, 2, 1 << 31)))))

    def wrong_role(self):
        wrong = [r for r in (0, MASTER, 2, AGENT, EXECUTOR, FRAMEWORK, OPERATOR, 7, 8, 9, 10, 99, (1 << 64) - 1)
                 if r not in ROLES_THAT_DIAL[self.door.role]]
        role = self.chance.choice(wrong)
        return self.door.upgraded(), ws(hello(role, self.name())) + ws(self.letter_of(role))

    def frame(self):
        role = self.role()
        return self.door.linked(role, self.name()), ws(mutated(self.chance, self.letter_of(role)))

    def letter(self):
        """Sound frames whose letters say anything."""
        role = self.role()
        return self.door.linked(role, self.name()), ws(b"".join(self.letter_of(role) for _ in range(self.chance.randrange(1, 8))))

    def dropped(self):
        """Ends in the middle of a frame, of which it claims any size."""
        role = self.role()
        size = self.chance.choice((1, 125, 126, 65535, 65536, 1 << 24, 1 << 32, (1 << 63) - 1, (1 << 64) - 1))
        s = self.door.linked(role, self.name()) if self.chance.randrange(2) else self.door.upgraded()
        return s, ws_head(size) + self.letter_of(role)[:self.chance.randrange(64)]

    def role(self):
        return self.chance.choice(ROLES_THAT_DIAL[self.door.role])

    def name(self):
        return "villain-%d" % self.sent

    def letter_of(self, role):
        framework = part(1, "root") + part(2, self.name()) + part(6, "*")
        payload = self.chance.choice((
            b"", self.chance.randbytes(self.chance.randrange(64)), part(1, framework), mutated(self.chance, part(1, framework)),
            nested(self.chance.randrange(1, 200), self.chance.randrange(1, 20)), part(1, part(1, "id")) + part(2, part(1, "other"))))
        to = MASTER if self.door.role == "master" else AGENT
        verbs = VERBS.get(role, (1, 20, 60))
        verb = self.chance.choice((*verbs, 9999))
        sender = self.name() if self.chance.randrange(8) else "somebody-else"
        return envelope(role, sender, to, verb, payload)
