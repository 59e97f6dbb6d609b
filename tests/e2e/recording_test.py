"""Recordings of a real cluster: they verify against the program that made them, tell a task's story, and tell of what was done to them."""
import json
import os
import re
import stat
import unittest

from cluster import ClusterTest


class Recording(ClusterTest):
    def setUp(self):
        self.recordings_of = {}
        super().setUp()

    def start(self, name, role, *arguments):
        self.recordings_of[name] = self.folder / (name + ".recordings")
        return super().start(name, role, "--record", str(self.recordings_of[name]), *arguments)

    def recordings(self, pattern="*"):
        return sorted(path for folder in self.recordings_of.values() for path in folder.glob(pattern + ".recording"))

    def one(self, pattern):
        found = self.recordings(pattern)
        self.assertEqual(len(found), 1, (pattern, self.recordings()))
        return found[0]

    def verify(self, *files, code=0):
        done = self.troupe("replay", "--verify", "--json", *map(str, files), check=False)
        self.assertEqual(done.returncode, code, done.stdout + done.stderr)
        return [json.loads(line) for line in done.stdout.splitlines()], done.stderr

    def assert_told(self, lines, chapters):
        """Each in its place, among others."""
        rest = list(lines)
        for chapter in chapters:
            while rest and not re.search(chapter, rest[0]):
                rest.pop(0)
            self.assertTrue(rest, "no '%s' in its place in\n%s" % (chapter, "\n".join(lines)))

    def test_every_actor_replays_identically_and_a_task_is_followed_from_launch_to_acknowledgement(self):
        self.troupe("run", "--name", "story", "--", "sh", "-c", "exit 3", check=False)
        self.troupe("run", "--name", "crowd", "--instances", "20", "--cpus", "0.1", "--mem", "16", "--", "true")
        # Beside the daemons: what they have decided so far.
        reports, _ = self.verify(*self.recordings())
        self.assertEqual({r["identical"] for r in reports}, {"yes"}, reports)
        self.assertEqual({r["actor"].split("/")[0] for r in reports}, {"master", "allocator", "agent", "executor"})
        for report in reports:
            self.assertGreater(report["events"], 0, report)

        lines = self.troupe("trace", "follow", "story", "--from", *map(str, self.recordings_of.values())).stdout.splitlines()
        launch = [r"master/leader hears scheduler\.Call\.Accept from framework/", r"agent/\S+ hears RunTask from master/leader",
                  r"agent/\S+ records agent/task/\S+/story", r"executor/\S+ hears executor\.Event\.Launch from agent/",
                  r"executor/\S+ says LaunchContainer to containerizer/", r"executor/\S+ hears ContainerLaunched from containerizer/.*pid=\d+"]
        # The task is short: it may end before everybody has heard that it runs.
        self.assert_told(lines, [*launch, r"agent/\S+ hears executor\.Call\.Update from executor/.*TASK_RUNNING",
                                 r"master/leader hears StatusUpdated from agent/.*TASK_RUNNING",
                                 r"master/leader says scheduler\.Event\.Update to framework/.*TASK_RUNNING",
                                 r"master/leader hears scheduler\.Call\.Acknowledge from framework/",
                                 r"agent/\S+ hears AcknowledgeStatus from master/leader", r"agent/\S+ erases agent/update/\S+/story/"])
        self.assert_told(lines, [*launch, r"executor/\S+ hears ContainerExited from containerizer/.*status=768",
                                 r"master/leader hears StatusUpdated from agent/.*TASK_FAILED",
                                 r"master/leader says scheduler\.Event\.Update to framework/.*TASK_FAILED",
                                 r"master/leader hears scheduler\.Call\.Acknowledge from framework/"])
        self.assertEqual(lines, sorted(lines, key=lambda line: line.split()[0]))
        self.assertNotIn("crowd", "\n".join(lines))

        told = [json.loads(line) for line in self.troupe("trace", "follow", "story", "--json", "--from", *map(str, self.recordings_of.values())).stdout.splitlines()]
        self.assertEqual(len(told), len(lines))
        launch = [t for t in told if t.get("verb") == "executor.Event.Launch"][0]
        # The executor is given its task when it has subscribed.
        self.assertEqual([t["verb"] for t in told if t["kind"] == "hears" and t["event"] == launch["cause"]], ["executor.Call.Subscribe"])

    def test_daemons_that_were_killed_and_started_again_leave_recordings_of_each_life(self):
        task = self.spawn_lasting()
        for daemon in (self.master, self.agents[0]):
            daemon.kill()
            if daemon is self.master:
                daemon.arguments[daemon.arguments.index("--port") + 1] = self.master.url.rsplit(":", 1)[1]
            daemon.start()
        self.await_agents(1)
        task.kill()
        task.wait()
        for pattern in ("master-leader-1", "master-leader-2", "agent-*-1", "agent-*-2", "executor-*"):
            self.assertTrue(self.recordings(pattern), pattern)
        reports, _ = self.verify(*self.recordings())
        self.assertEqual({r["identical"] for r in reports}, {"yes"}, reports)

    def spawn_lasting(self):
        from cluster import BIN
        process = self.spawn(BIN / "troupe", "run", "--name", "lasting", "--", "sleep", "1000")
        self.await_task("TASK_RUNNING", "lasting")
        return process

    def test_files_are_private_and_the_flag_is_an_option_like_others(self):
        for path in self.recordings():
            self.assertEqual(stat.S_IMODE(path.stat().st_mode), 0o600, path)
        flags = self.master.state()["flags"]
        self.assertEqual(flags["record"], str(self.recordings_of["master"]))
        done = self.troupe("master", "--help")
        self.assertIn("TROUPE_MASTER_RECORD", done.stdout)
        done = self.troupe("agent", "--work-dir", str(self.folder / "x"), "--master", self.master.url, "--record", str(self.master.log), check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("--record", done.stderr)

    def test_what_was_done_to_a_recording_is_told(self):
        self.troupe("run", "--name", "story", "--", "true")
        for daemon in (self.agents[0], self.master):
            daemon.stop()
        master = self.one("master-*")
        whole = master.read_bytes()
        (report,), _ = self.verify(master)
        self.assertEqual((report["identical"], report["tail"]), ("yes", "closed"))

        def altered(name, data):
            path = self.folder / (name + ".recording")
            path.write_bytes(data)
            return path

        # One bit, in the middle.
        bits = bytearray(whole)
        bits[len(bits) // 2] ^= 4
        (report,), err = self.verify(altered("flipped", bits), code=1)
        self.assertEqual(report["identical"], "damaged")
        self.assertRegex(err, r"frame \d+ at offset \d+")
        story = self.troupe("trace", "follow", "story", "--from", str(self.folder / "flipped.recording"), check=False)
        self.assertRegex(story.stderr, r"frame \d+ at offset \d+.*read up to there")

        # The end is missing, as after kill -9.
        (report,), err = self.verify(altered("torn", whole[:-30]))
        self.assertEqual((report["identical"], report["tail"]), ("yes", "torn"))
        self.assertIn("cut off", err)

        # Another word in a decision, with checksums to match: what was recorded is not what is decided.
        path = altered("forged", forged(whole, b"state=FINISHED"))
        (report,), _ = self.verify(path, code=1)
        self.assertEqual(report["identical"], "no")
        self.assertIn("first_difference", report)
        said = self.troupe("replay", "--verify", str(path), check=False)
        self.assertEqual(said.returncode, 1)
        self.assertRegex(said.stdout, r"(?m)^replay actor=master/leader .*events=\d+ letters=\d+ edits=\d+ .*identical=no$")
        self.assertRegex(said.stdout, r"first difference: event \d+, \S+ from ")

        newer = bytearray(whole)
        newer[8] = 2
        newer[12:16] = crc32c(bytes(newer[:12])).to_bytes(4, "little")
        done = self.troupe("replay", "--verify", str(altered("newer", newer)), check=False)
        self.assertEqual(done.returncode, 2)
        self.assertRegex(done.stderr, r"version 2; this release reads version 1")
        for path, word in ((self.folder / "absent", "No such file"), (self.master.log, "no recording"), (self.folder, "is a folder")):
            for command in (["replay", "--verify"], ["trace", "follow", "x", "--from"]):
                done = self.troupe(*command, str(path), check=False)
                self.assertNotEqual(done.returncode, 0)
                if not os.path.isdir(path):
                    self.assertIn(word, done.stderr)
        nobody = self.troupe("trace", "follow", "never-heard-of", "--from", str(master), check=False)
        self.assertEqual(nobody.returncode, 1)
        self.assertIn("never-heard-of", nobody.stderr)


def crc32c(data):
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def frames(data):
    """Where each frame's payload begins and ends."""
    at = 16
    while at < len(data):
        size = int.from_bytes(data[at:at + 4], "little")
        yield at, at + 12, at + 12 + size
        at += 12 + size


def forged(data, word):
    """A recording in which the last step that says `word` says another word of its length, with checksums to match."""
    number, (head, begin, end) = [(n, f) for n, f in enumerate(frames(data), 1) if word in data[f[1]:f[2]]][-1]
    payload = data[begin:end]
    at = payload.rindex(word)
    payload = payload[:at] + bytes([payload[at] ^ 1]) + payload[at + 1:]
    fixed = data[head:head + 4] + crc32c(payload).to_bytes(4, "little")
    fixed += crc32c(number.to_bytes(8, "little") + fixed).to_bytes(4, "little")
    return data[:head] + fixed + payload + data[end:]


if __name__ == "__main__":
    unittest.main(verbosity=2)
