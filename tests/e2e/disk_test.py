"""Disks that are full, gone, read-only or broken under live daemons: nothing that was told is lost, tasks run on, and all goes on once there is room.

Needs to mount: in a mount namespace of this process alone, so that nothing is left behind however it ends."""
import ctypes
import errno
import fcntl
import os
import pathlib
import shutil
import signal
import struct
import subprocess
import tempfile
import unittest

from cluster import BIN, ClusterTest, PATIENCE_S, await_true

CLONE_NEWNS, MS_RDONLY, MS_REMOUNT, MS_REC, MS_PRIVATE, MNT_DETACH = 0x20000, 1, 32, 0x4000, 0x40000, 2
LIBC = ctypes.CDLL(None, use_errno=True)
JOURNAL_FAILED = 74
WAITS = "echo $$ > pid; while [ ! -e go ]; do sleep 0.02; done; exit 7"


def system(call, *arguments):
    if call(*arguments) != 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))


def mount(target, kind="tmpfs", flags=0, options="size=24m,nr_inodes=150", source="none"):
    system(LIBC.mount, str(source).encode(), str(target).encode(), kind.encode(), ctypes.c_ulong(flags), options.encode())


def unmount(target):
    LIBC.umount2(str(target).encode(), MNT_DETACH)


def setUpModule():
    try:
        system(LIBC.unshare, CLONE_NEWNS)
        mount("/", "none", MS_REC | MS_PRIVATE, "")
    except OSError as e:
        raise unittest.SkipTest("no mount namespace of our own: " + e.strerror)


def fill(folder):
    """To the last page, as a task would, or whatever else shares the disk."""
    with open(folder / "filling", "wb", buffering=0) as file:
        for size in (1 << 20, 4096):
            try:
                while True:
                    file.write(bytes(size))
            except OSError as e:
                if e.errno != errno.ENOSPC:
                    raise
    return folder / "filling"


def started(pid):
    """Tells a process from a later one of its number."""
    return pathlib.Path("/proc/%s/stat" % pid).read_text().rsplit(")", 1)[1].split()[19]


class SmallDisks(ClusterTest):
    """A cluster whose daemons have a disk of 24 MiB each, which holds nothing but their work folder."""

    agent_arguments = ["--disk-watch-interval", "200ms"]

    def start(self, name, role, *arguments):
        disk = self.folder / name
        disk.mkdir()
        self.mount_disk(disk)
        return super().start(name, role, *arguments)

    def mount_disk(self, disk):
        mount(disk)

    def sweep(self):
        disks = [daemon.work for daemon in self.daemons]
        try:
            super().sweep()
        finally:
            for disk in disks:
                unmount(disk)
            shutil.rmtree(self.folder, ignore_errors=True)

    def lasting(self):
        """A task that runs until it is told; who asked for it, and its process."""
        run = self.spawn(BIN / "troupe", "run", "--name", "lasting", "--", "sh", "-c", WAITS)
        self.await_task("TASK_RUNNING", "lasting")
        self.sandbox = [pathlib.Path(root) for root, _, files in os.walk(self.agents[0].work) if "stdout" in files][0]
        pid = await_true(lambda: (self.sandbox / "pid").exists() and (self.sandbox / "pid").read_text().strip(), "the task's pid")
        return run, pid, started(pid)

    def end_lasting(self, run):
        (self.sandbox / "go").touch()
        run.communicate(timeout=PATIENCE_S)
        self.assertEqual(run.returncode, 7)

    def provoke(self, daemon, code=5):
        """Runs tasks until the daemon has found its disk full: its last page has room for some records. The last of them, who waits
        with it, unless it was refused at the last moment."""
        for number in range(100):
            run = self.spawn(BIN / "troupe", "run", "--name", "provoking-%d" % number, "--", "sh", "-c", "exit %d" % code)
            await_true(lambda: run.poll() is not None or self.lines(daemon, ".waits_for_disk"), "the task's end, or the disk's")
            if self.lines(daemon, ".waits_for_disk"):
                return run
            self.assert_ended(run, code)
        self.fail("a full disk takes everything")

    def assert_ended(self, run, code=5):
        """As the command did, or refused with a reason, where there was no room for its sandbox."""
        _, err = run.communicate(timeout=PATIENCE_S)
        if run.returncode != code:
            self.assertEqual(run.returncode, 1, err)
            self.assertIn("No space left on device (REASON_CONTAINER_LAUNCH_FAILED)", err)

    def lines(self, daemon, event):
        return [line for line in daemon.log.read_text(errors="replace").splitlines() if event in line]

    def await_line(self, daemon, event, count=1):
        return await_true(lambda: len(self.lines(daemon, event)) >= count and self.lines(daemon, event), "%s in %s" % (event, daemon.name))

    def assert_waits_clearly(self, daemon, reason):
        """One line says what is wrong, where, and one that it waits; then there is silence."""
        self.await_line(daemon, daemon.arguments[0] + ".waits_for_disk")
        failed = self.lines(daemon, "journal_failed")
        self.assertEqual(len(failed), 1, failed)
        self.assertIn(str(daemon.work / "journal"), failed[0])
        self.assertIn(reason, failed[0])
        self.assertEqual(self.lines(daemon, "[error]") + self.lines(daemon, "supervisor."), [])
        self.assertIsNone(daemon.process.poll())


class AgentsDiskFull(SmallDisks):
    def test_tasks_run_on_and_it_goes_on_when_there_is_room(self):
        agent = self.agents[0]
        before = agent.state()["id"]
        run, pid, birth = self.lasting()
        filling = fill(agent.work)
        second = self.provoke(agent)
        self.assert_waits_clearly(agent, "Free some space")
        self.assertEqual(started(pid), birth)
        said = self.said(agent)
        # The master still takes frameworks, and this one's task waits.
        third = self.spawn(BIN / "troupe", "run", "--name", "third", "--", "sh", "-c", "exit 6")
        await_true(lambda: any(f["name"] == "troupe run third" for f in self.master.state()["frameworks"]), "the third framework")
        self.assertEqual(self.said(agent), said)
        filling.unlink()
        self.await_line(agent, "agent.starts_over")
        self.assert_ended(second)
        third.communicate(timeout=PATIENCE_S)
        self.assertEqual(third.returncode, 6)
        self.assertEqual(started(pid), birth)
        self.assertEqual(agent.state()["id"], before)
        self.end_lasting(run)

    def said(self, agent):
        return [line for line in agent.log.read_text().splitlines() if "sandbox.collected" not in line]

    def test_a_task_that_fills_it_and_ends_is_told_of_and_its_sandbox_goes(self):
        filler = self.spawn(BIN / "troupe", "run", "--name", "filler", "--", "sh", "-c", "cat /dev/zero > big 2>&-; exit 3")
        filler.communicate(timeout=PATIENCE_S)
        self.assertEqual(filler.returncode, 3)
        await_true(lambda: not any("big" in files for _, _, files in os.walk(self.agents[0].work)), "the sandbox to be collected")
        self.assertEqual(self.troupe("run", "--", "true").returncode, 0)

    def test_a_task_without_room_for_its_sandbox_is_refused_with_the_reason(self):
        agent = self.agents[0]
        names = agent.work / "names"
        names.mkdir()
        with self.assertRaisesRegex(OSError, "No space left"):
            for number in range(1000):
                (names / str(number)).touch()
        refused = self.troupe("run", "--", "true", check=False)
        self.assertEqual(refused.returncode, 1)
        self.assertIn("cannot make the sandbox", refused.stderr)
        self.assertIn("No space left on device (REASON_CONTAINER_LAUNCH_FAILED)", refused.stderr)
        shutil.rmtree(names)
        self.assertEqual(self.troupe("run", "--", "true").returncode, 0)
        self.assertEqual(self.lines(agent, "starts_over"), [])

    def test_it_ends_when_told_to_while_it_waits(self):
        agent = self.agents[0]
        run, pid, birth = self.lasting()
        filling = fill(agent.work)
        self.provoke(agent)
        agent.process.terminate()
        self.assertEqual(agent.process.wait(PATIENCE_S), JOURNAL_FAILED)
        self.assertEqual(started(pid), birth)
        filling.unlink()
        agent.start()
        self.await_agents(1)
        self.end_lasting(run)


class MastersDiskFull(SmallDisks):
    def test_tasks_run_on_and_all_come_back_when_there_is_room(self):
        agent, url = self.agents[0], self.master.url
        run, pid, birth = self.lasting()
        before = self.master.state()
        filling = fill(self.master.work)
        second = self.provoke(self.master)
        self.assert_waits_clearly(self.master, "Free some space")
        self.assertEqual(started(pid), birth)
        filling.unlink()
        self.await_line(self.master, "master.listening", 2)
        self.assert_ended(second)
        self.await_agents(1)
        await_true(lambda: any(f["id"] == before["frameworks"][0]["id"] and f["connected"] for f in self.master.state()["frameworks"]),
                   "the framework to return")
        after = self.master.state()
        self.assertEqual([a["id"] for a in after["slaves"]], [a["id"] for a in before["slaves"]])
        self.assertEqual(self.await_task("TASK_RUNNING", "lasting")["slave_id"], agent.state()["id"])
        self.assertEqual(self.lines(self.master, "master.listening")[-1].split("url=")[1].split()[0], url)
        self.end_lasting(run)


class AgentsFolderGone(SmallDisks):
    def test_nothing_is_told_that_is_written_to_no_name_and_a_new_one_is_not_begun(self):
        agent = self.agents[0]
        before = agent.state()["id"]
        run, pid, birth = self.lasting()
        journal, away = agent.work / "journal", agent.work / "away"
        journal.rename(away)
        second = self.spawn(BIN / "troupe", "run", "--name", "second", "--", "sh", "-c", "exit 5")
        self.assert_waits_clearly(agent, "was removed, replaced or unmounted")
        self.assertFalse(journal.exists())
        away.rename(journal)
        second.communicate(timeout=PATIENCE_S)
        self.assertEqual(second.returncode, 5)
        self.assertEqual(agent.state()["id"], before)
        self.assertEqual(started(pid), birth)
        self.end_lasting(run)


@unittest.skipUnless(shutil.which("mkfs.ext4") and os.path.exists("/dev/loop-control"), "no ext4 on a file")
class AgentsDiskBroken(SmallDisks):
    SHUT_DOWN, LOSE_WHAT_IS_NOT_SYNCED = 0x8004587D, 2  # EXT4_IOC_SHUTDOWN; every access answers EIO from then on

    def mount_disk(self, disk):
        image = disk.with_suffix(".img")
        with open(image, "wb") as file:
            file.truncate(32 << 20)
        subprocess.run(["mkfs.ext4", "-q", "-F", image], check=True)
        self.mount_image(disk)

    def mount_image(self, disk):
        subprocess.run(["mount", "-n", "-o", "loop", disk.with_suffix(".img"), disk], check=True)

    def test_what_cannot_be_written_is_not_told_and_a_repaired_disk_is_gone_on_with(self):
        agent = self.agents[0]
        before = agent.state()["id"]
        run, pid, birth = self.lasting()
        folder = os.open(agent.work, os.O_RDONLY)
        try:
            fcntl.ioctl(folder, self.SHUT_DOWN, struct.pack("I", self.LOSE_WHAT_IS_NOT_SYNCED))
        except OSError as e:
            self.skipTest("this kernel breaks no ext4: " + e.strerror)
        finally:
            os.close(folder)
        second = self.spawn(BIN / "troupe", "run", "--name", "second", "--", "sh", "-c", "exit 5")
        self.assert_waits_clearly(agent, "Input/output error")
        unmount(agent.work)
        # The task holds the broken file system open; what it wrote is on another copy of the disk from now on.
        shutil.copy(agent.work.with_suffix(".img"), self.folder / "copy")
        os.replace(self.folder / "copy", agent.work.with_suffix(".img"))
        self.mount_image(agent.work)
        second.communicate(timeout=PATIENCE_S)
        self.assertEqual(second.returncode, 5)
        self.assertEqual(agent.state()["id"], before)
        self.assertEqual(started(pid), birth)
        self.troupe("kill", "lasting")
        run.communicate(timeout=PATIENCE_S)


class Starts(unittest.TestCase):
    """On disks that are no good from the start: an error that names the option, at once."""

    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="troupe-e2e."))
        self.disk = self.folder / "disk"
        self.disk.mkdir()
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.addCleanup(unmount, self.disk)

    def refused(self, role, work, runtime, **how):
        arguments = ["--master", "http://127.0.0.1:1"] if role == "agent" else []
        done = subprocess.run([BIN / "troupe", role, "--port", "0", "--work-dir", work, "--runtime-dir", runtime, *arguments],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=PATIENCE_S, **how)
        self.assertEqual(done.returncode, 1, done.stderr)
        lines = [line for line in done.stderr.splitlines() if line.startswith("troupe: ")]
        self.assertEqual(len(lines), 1, done.stderr)
        return lines[0]

    def both(self, check):
        for role in ("master", "agent"):
            with self.subTest(role):
                check(role)

    def test_full(self):
        mount(self.disk)
        (self.disk / "w").mkdir()
        fill(self.disk)

        def check(role):
            said = self.refused(role, self.disk / "w", self.folder / "run")
            self.assertIn("--work-dir %s" % (self.disk / "w"), said)
            self.assertIn("No space left on device", said)
        self.both(check)

    def test_full_where_sockets_and_ring_go(self):
        mount(self.disk)
        fill(self.disk)

        def check(role):
            said = self.refused(role, self.folder / "w", self.disk)
            self.assertIn("--runtime-dir %s" % self.disk, said)
            self.assertIn("No space left on device", said)
        self.both(check)

    def test_read_only(self):
        mount(self.disk)
        (self.disk / "w").mkdir()
        mount(self.disk, flags=MS_REMOUNT | MS_RDONLY)

        def check(role):
            for work in ("w", "new"):
                said = self.refused(role, self.disk / work, self.folder / "run")
                self.assertIn("--work-dir %s" % (self.disk / work), said)
                self.assertIn("Read-only file system", said)
        self.both(check)

    def test_of_another_user(self):
        nobody = {"user": 65534, "group": 65534, "extra_groups": []}
        try:
            subprocess.run([BIN / "troupe", "version"], check=True, capture_output=True, **nobody)
        except OSError as e:
            self.skipTest("another user cannot run the program: " + e.strerror)
        self.folder.chmod(0o777)
        (self.folder / "w").mkdir(0o755)

        def check(role):
            said = self.refused(role, self.folder / "w", self.folder / ("run-" + role), **nobody)
            self.assertIn("--work-dir %s" % (self.folder / "w"), said)
            self.assertIn("Permission denied", said)
        self.both(check)

    def test_where_a_file_is(self):
        (self.folder / "file").touch()

        def check(role):
            self.assertIn("--work-dir %s/file: " % self.folder, self.refused(role, self.folder / "file", self.folder / "run"))
            said = self.refused(role, self.folder / "w", self.folder / "file" / "run")
            self.assertIn("--runtime-dir %s/file/run: " % self.folder, said)
            self.assertIn("a file", said)
        self.both(check)


if __name__ == "__main__":
    unittest.main(verbosity=2)
