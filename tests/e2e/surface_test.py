"""What people and tools see of the daemons: listings, HTTP endpoints, logs, refusals."""
import json
import os
import subprocess
import unittest
import urllib.error
import urllib.request

from cluster import BIN, ClusterTest, await_true


class Surface(ClusterTest):
    def test_listings_are_tables_for_people_and_json_for_scripts(self):
        self.troupe("run", "--name", "done", "--", "sh", "-c", "echo something")
        self.assertIn("active", self.troupe("agents").stdout)
        agents = json.loads(self.troupe("agents", "--json").stdout)
        self.assertEqual([a["resources"]["cpus"] for a in agents], [4.0])
        self.assertEqual(json.loads(self.troupe("tasks", "--json").stdout), [])
        tasks = json.loads(self.troupe("tasks", "--all", "--json").stdout)
        self.assertEqual([(t["id"], t["state"]) for t in tasks], [("done", "TASK_FINISHED")])
        self.assertEqual(json.loads(self.troupe("frameworks", "--json").stdout), [])
        self.assertEqual(json.loads(self.troupe("offers", "--json").stdout), [])
        self.assertEqual(self.troupe("logs", "done").stdout, "something\n")

    def test_every_endpoint_answers(self):
        for daemon in (self.master, self.agents[0]):
            self.assertEqual(daemon.get("/health"), b"")
            self.assertIn("version", json.loads(daemon.get("/version")))
            self.assertTrue(json.loads(daemon.get("/actors")))
            self.assertIn(b"# TYPE", daemon.get("/metrics"))
            self.assertIs(daemon.state()["insecure"], False)
        actors = json.dumps(json.loads(self.master.get("/actors")))
        self.assertIn("master/leader", actors)
        self.assertIn("allocator/leader", actors)

    def test_sandboxes_are_read_and_nothing_else_is(self):
        self.troupe("run", "--name", "files", "--", "sh", "-c", "echo inside >note; ln -s /etc/passwd escape; ln -s / top")
        agent = self.agents[0]
        task = [t for t in self.tasks() if t["id"] == "files"][0]
        container = task["statuses"][-1]["container_status"]["container_id"]["value"]
        folder = "/frameworks/%s/executors/files/runs/%s" % (task["framework_id"], container)
        names = [os.path.basename(f["path"]) for f in json.loads(agent.get("/files/browse?path=" + folder))]
        self.assertIn("note", names)
        self.assertEqual(json.loads(agent.get("/files/read?path=%s/note&offset=0" % folder)), {"offset": 0, "data": "inside\n"})
        self.assertEqual(agent.get("/files/download?path=%s/note" % folder), b"inside\n")
        for hostile in (folder + "/escape", folder + "/top/etc/passwd", "/etc/passwd", folder + "/../../../../../../../../etc/passwd"):
            with self.assertRaises(urllib.error.HTTPError) as refused:
                agent.get("/files/download?path=" + hostile)
            self.assertGreaterEqual(refused.exception.code, 400, hostile)

    def test_the_latest_run_has_a_name_of_its_own(self):
        self.troupe("run", "--name", "named", "--", "echo", "here")
        task = [t for t in self.tasks() if t["id"] == "named"][0]
        path = "/frameworks/%s/executors/named/runs/latest/stdout" % task["framework_id"]
        self.assertEqual(self.agents[0].get("/files/download?path=" + path), b"here\n")

    def test_the_master_says_where_it_really_listens(self):
        state = self.master.state()
        self.assertEqual(str(state["leader_info"]["port"]), self.master.url.rsplit(":", 1)[1])
        self.assertIn("MULTI_ROLE", state["slaves"][0]["capabilities"])

    def test_an_address_beyond_loopback_needs_insecure(self):
        done = self.troupe("master", "--ip", "0.0.0.0", "--work-dir", str(self.folder / "open"), check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--insecure", done.stderr)

    def test_a_daemon_without_standard_descriptors_prints_into_no_file_of_its_own(self):
        ready = self.folder / "mute.ready"
        process = subprocess.Popen([BIN / "troupe", "master", "--port", "0", "--work-dir", self.folder / "mute", "--runtime-dir",
                                    self.folder / "run" / "mute", "--ready-file", ready], preexec_fn=lambda: os.closerange(0, 3))
        self.others.append(process)
        await_true(lambda: ready.exists() or process.poll() is not None, "it to listen")
        self.assertEqual([os.readlink("/proc/%d/fd/%d" % (process.pid, fd)) for fd in (0, 1, 2)], ["/dev/null"] * 3)
        process.terminate()
        self.assertEqual(process.wait(60), 0)

    def test_no_master_is_said_plainly(self):
        environment = {k: v for k, v in os.environ.items() if k != "TROUPE_MASTER"}
        done = subprocess.run([BIN / "troupe", "agents"], env=environment, capture_output=True, text=True)
        self.assertEqual(done.returncode, 2)
        self.assertIn("TROUPE_MASTER", done.stderr)

    def test_a_second_agent_in_the_same_folders_is_refused(self):
        agent = self.agents[0]
        done = self.troupe("agent", "--master", self.master.url, "--port", "0", "--work-dir", str(agent.work), "--runtime-dir",
                           str(self.folder / "run" / "other"), check=False)
        self.assertNotEqual(done.returncode, 0)
        self.assertIn("journal", done.stderr)

    def test_wrong_resources_are_named(self):
        done = self.troupe("agent", "--master", self.master.url, "--port", "0", "--work-dir", str(self.folder / "bad"), "--runtime-dir",
                           str(self.folder / "run" / "bad"), "--resources", "cpus:many", check=False)
        self.assertEqual(done.returncode, 2)
        self.assertIn("--resources", done.stderr)
        self.assertIn("many", done.stderr)


class Sandboxes(ClusterTest):
    agent_arguments = ["--gc-delay", "0secs", "--disk-watch-interval", "100ms"]

    def test_they_are_removed_by_age_but_not_from_under_a_task(self):
        running = self.spawn(BIN / "troupe", "run", "--name", "running", "--", "sleep", "1000")
        self.await_task("TASK_RUNNING", "running")
        self.troupe("run", "--name", "over", "--", "true")
        await_true(lambda: self.sandboxes("over") == [], "the sandbox of an ended task to go")
        self.assertEqual(len(self.sandboxes("running")), 1)
        self.troupe("kill", "running")
        running.communicate(timeout=60)
        await_true(lambda: self.sandboxes("running") == [], "the other sandbox to go as well")

    def sandboxes(self, executor):
        return [p for p in self.agents[0].work.glob("agents/*/frameworks/*/executors/%s/runs/*" % executor) if not p.is_symlink()]


if __name__ == "__main__":
    unittest.main(verbosity=2)
