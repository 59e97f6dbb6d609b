"""How far a soak is: a bar that redraws itself on a terminal, a line now and then elsewhere."""
import sys
import time

WIDTH = 30
PAUSE_S = {True: 0.1, False: 10}


class Progress:
    def __init__(self, what, total):
        self.what, self.total = what, total
        self.terminal = sys.stderr.isatty()
        self.began = self.drawn = time.monotonic()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.terminal:
            print(file=sys.stderr)

    def show(self, done, more=""):
        now = time.monotonic()
        if now - self.drawn < PAUSE_S[self.terminal] and done < self.total:
            return
        self.drawn = now
        filled = min(WIDTH, WIDTH * done // self.total)
        line = "%s %s/%d %s in %.0f s" % (self.what, done, self.total, more, now - self.began)
        if self.terminal:
            line = "\r[" + "#" * filled + "." * (WIDTH - filled) + "] " + line
        print(line, end="" if self.terminal else "\n", file=sys.stderr, flush=True)
