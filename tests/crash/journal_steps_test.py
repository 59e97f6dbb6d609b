"""The steps that the fault-injecting disk counts are what the kernel is asked to do: no sync, rename, removal or new file of the
journal's folder that it does not know, none that it only imagines, in the same order, and with as many bytes written before each sync."""
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

PROGRAM = pathlib.Path(os.environ["TROUPE_TESTS"]) / "journal_steps"
CALLS = "openat,write,pwrite64,writev,fsync,fdatasync,sync_file_range,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,ftruncate,truncate,link,linkat"
IGNORED = {"LOG", "LOG.old", "LOCK"}  # LevelDB's text log and lock: nothing is remembered there


def counted(lines):
    """What the disk counted, as (what, file), and (wrote, file, bytes so far) before each sync of a file."""
    steps, written = [], {}
    for line in lines:
        kind, path, *rest = line.split()
        if kind == "append":
            written[path] = written.get(path, 0) + int(rest[0])
        elif kind == "make_file":
            written[path] = 0
            steps.append((kind, path))
        elif kind == "sync":
            steps.append((kind, path, written.get(path, 0)))
        elif kind == "rename":
            steps.append((kind, path, rest[0]))
            written[rest[0]] = written.pop(path, 0)
        elif kind != "flush":
            steps.append((kind, path))
    return steps


def asked(trace, root):
    """The same of what the kernel was asked."""

    def below(path):
        path = os.path.normpath(path)
        return os.path.relpath(path, root) if path == root or path.startswith(root + "/") else None

    steps, written, unfinished = [], {}, {}
    for line in trace:
        process, _, call = line.strip().partition(" ")
        call = call.strip()
        resumed = re.match(r"<\.\.\. \w+ resumed>(.*)", call)
        if resumed:
            call = unfinished.pop(process) + resumed.group(1)
        if call.endswith("<unfinished ...>"):
            unfinished[process] = call[: -len("<unfinished ...>")].rstrip()
            continue
        match = re.match(r"(\w+)\((.*)\)\s+= (-?\d+)", call)
        if not match or int(match.group(3)) < 0:
            continue
        name, arguments, result = match.group(1), match.group(2), int(match.group(3))
        strings = re.findall(r'"([^"]*)"', arguments)
        descriptor = re.match(r"\d+<([^>]*)>", arguments)
        on = below(descriptor.group(1)) if descriptor else None
        paths = [below(s) for s in strings]
        if name in ("write", "pwrite64", "writev"):
            if on is not None:
                written[on] = written.get(on, 0) + result
        elif name in ("fsync", "fdatasync"):
            if on is not None and (pathlib.Path(on).suffix or "-" in on):
                steps.append(("sync", on, written.get(on, 0)))
            elif on is not None:
                steps.append(("sync_folder", on))
        elif name == "openat":
            path = below(strings[0]) if strings else None
            if path is not None and "O_CREAT" in arguments and os.path.basename(path) not in IGNORED:
                steps.append(("make_file", path))
                written[path] = 0
        elif all(p is None for p in paths) or all(p is None or os.path.basename(p) in IGNORED for p in paths):
            continue
        elif name.startswith("rename"):
            steps.append(("rename", paths[0], paths[1]))
            written[paths[1]] = written.pop(paths[0], 0)
        elif name.startswith("unlink"):
            steps.append(("remove", paths[0]))
        elif name.startswith("mkdir"):
            steps.append(("make_folder", paths[0]))
        else:
            steps.append((name, *paths))  # nothing the disk could count
    return steps


class Steps(unittest.TestCase):
    def test_what_is_counted_is_what_is_done(self):
        with tempfile.TemporaryDirectory(prefix="troupe-test-") as scratch:
            folder = os.path.realpath(os.path.join(scratch, "journal"))
            os.mkdir(folder)
            trace = os.path.join(scratch, "trace")
            run = subprocess.run(["strace", "-f", "-y", "-qq", "-e", "signal=none", "-e", "trace=" + CALLS, "-o", trace, PROGRAM, folder],
                                 capture_output=True, text=True, timeout=300)
            self.assertEqual(run.returncode, 0, run.stderr)
            here = counted(run.stdout.splitlines())
            with open(trace, encoding="utf-8", errors="replace") as lines:
                there = asked(lines, folder)
        kinds = {step[0] for step in there}
        self.assertLessEqual({"sync", "sync_folder", "rename", "remove", "make_file"}, kinds)
        for number, (counts, does) in enumerate(zip(here, there)):
            self.assertEqual(counts, does, "step %d: counted, and done; before: %s" % (number, here[max(0, number - 5):number]))
        self.assertEqual(here[len(there):], [], "counted and not done")
        self.assertEqual(there[len(here):], [], "done and not counted")
        print("steps counted and done: %d, of them syncs: %d" % (len(there), sum(s[0].startswith("sync") for s in there)), file=sys.stderr)


if __name__ == "__main__":
    unittest.main()
