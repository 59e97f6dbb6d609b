#include "isolators/sandbox.hpp"
#include "isolators/container_files.hpp"
#include "isolators/sandbox_collector.hpp"

#include <catch2/catch.hpp>

#include <stdlib.h>

#include <filesystem>
#include <fstream>

namespace troupe {

namespace {

namespace fs = std::filesystem;
using std::chrono::hours;
using std::chrono::minutes;

struct agent_folders {
  agent_folders() {
    char name[] = "/tmp/troupe-sandbox-XXXXXX";
    REQUIRE(::mkdtemp(name));
    top = name;
    options.agents_folder = top / "agents";
    options.runtime_directory = top / "run";
    fs::create_directories(top / "run" / "containers");
  }
  ~agent_folders() { fs::remove_all(top); }

  fs::path runs(const std::string& framework) const {
    return top / "agents/a/frameworks" / framework / "executors/e/runs";
  }
  fs::path sandbox(const std::string& framework, const std::string& container) const {
    auto path = runs(framework) / container;
    REQUIRE(make_sandbox(path, std::nullopt));
    std::ofstream(path / "stdout") << "said";
    return path;
  }
  void hold(const std::string& container) const { fs::create_directory(top / "run/containers" / container); }
  void let_go(const std::string& container) const { fs::remove(top / "run/containers" / container); }

  fs::path top;
  collection_options options;
  const sandbox_collector::time_point now = std::chrono::system_clock::now();
};

}  // namespace

TEST_CASE("sandboxes are kept for a week on an empty disk, shorter on a fuller one, not at all without headroom") {
  collection_options options;
  CHECK(kept_for(options, 0) == minutes(7 * 24 * 60 * 9 / 10));
  CHECK(kept_for(options, 400) == hours(24 * 7) / 2);
  CHECK(kept_for(options, 899) > hours(0));
  CHECK(kept_for(options, 900) == hours(0));
  CHECK(kept_for(options, 1000) == hours(0));
  options.headroom_permille = 0;
  CHECK(kept_for(options, 0) == hours(24 * 7));
}

TEST_CASE("the latest run of an executor is found under that name") {
  agent_folders f;
  f.sandbox("f", "first");
  CHECK(fs::read_symlink(f.runs("f") / "latest") == "first");
  f.sandbox("f", "second");
  CHECK(fs::read_symlink(f.runs("f") / "latest") == "second");
  REQUIRE(make_sandbox(f.top / "elsewhere" / "x", std::nullopt));
  CHECK_FALSE(fs::exists(f.top / "elsewhere" / "latest"));
}

TEST_CASE("a sandbox goes by age, and the folders that it leaves empty go later") {
  agent_folders f;
  const auto sandbox = f.sandbox("f", "c");
  sandbox_collector collector(f.options);
  CHECK(collector.collect(f.now + hours(24 * 3), 400).empty());
  CHECK(collector.collect(f.now + hours(24 * 4), 400) == std::vector<std::string>{sandbox});
  CHECK_FALSE(fs::exists(fs::symlink_status(f.runs("f") / "latest")));
  for (int level = 0; level < 6; ++level) collector.collect(f.now + hours(24 * 5), 400);
  CHECK(fs::is_empty(f.top / "agents"));
}

TEST_CASE("what has just been made stays, however full the disk is") {
  agent_folders f;
  f.sandbox("f", "c");
  sandbox_collector collector(f.options);
  CHECK(collector.collect(f.now, 1000).empty());
  CHECK(collector.collect(f.now + minutes(2), 1000).size() == 1);
}

TEST_CASE("the sandbox of a running container stays, and its age counts from the container's end") {
  agent_folders f;
  const auto sandbox = f.sandbox("f", "c");
  sandbox_collector collector(f.options);
  f.hold("c");
  CHECK(collector.collect(f.now + hours(24 * 30), 1000).empty());
  f.let_go("c");
  CHECK(collector.collect(f.now + hours(24 * 30), 0).empty());
  CHECK(collector.collect(f.now + hours(24 * 35), 0).empty());
  CHECK(collector.collect(f.now + hours(24 * 37), 0) == std::vector<std::string>{sandbox});
}

TEST_CASE("links are not followed: what a task made a link to is not taken away with its sandbox") {
  agent_folders f;
  const auto sandbox = f.sandbox("f", "c");
  fs::create_directory(f.top / "precious");
  std::ofstream(f.top / "precious" / "work") << "x";
  fs::create_directory_symlink(f.top / "precious", sandbox / "escape");
  fs::create_directory_symlink(f.top / "precious", f.runs("f") / "planted");
  sandbox_collector collector(f.options);
  CHECK(collector.collect(f.now + hours(24 * 30), 0) == std::vector<std::string>{sandbox});
  CHECK(fs::exists(f.top / "precious" / "work"));
}

}  // namespace troupe
