// Journals as earlier releases left them, killed at work: today's journal opens them, and today's cores recover from
// them.
#include "actors/agent/agent.hpp"
#include "protocol/task_state.hpp"
#include "storage/journal.hpp"
#include "storage/keys.hpp"
#include "storage/record_types.hpp"
#include "storage/seal.hpp"
#include "tests/unit/core_driver.hpp"
#include "tests/unit/master/master_driver.hpp"
#include "tests/unit/storage/scratch_folder.hpp"
#include "troupe/internal/sdk_state.pb.h"

#include <leveldb/db.h>

#include <catch2/catch.hpp>

#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

namespace fs = std::filesystem;

std::string bytes_of(const fs::path& file) {
  std::ifstream in(file, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

/// A release's journals; what happened to its cluster, make_journals says.
struct golden_cluster {
  explicit golden_cluster(fs::path where) : folder(std::move(where)) {
    std::istringstream in(bytes_of(folder / "facts.txt"));
    for (std::string line; std::getline(in, line);) {
      std::istringstream words(line);
      std::string name, value, state;
      words >> name >> value >> state;
      if (name == "task")
        tasks[value] = state;
      else
        facts[name] = value;
    }
  }

  fs::path folder;
  std::map<std::string, std::string> facts;
  std::map<std::string, std::string> tasks;  // their states by their ids

  const std::string& fact(const char* name) const { return facts.at(name); }

  /// What an owner remembers, read from a copy of its journal. Each record must be one of its place.
  std::map<std::string, std::string> recover(const std::string& owner) const {
    test::scratch_folder scratch;
    fs::copy(folder / owner / "journal", scratch / "journal");
    auto opened = journal::open(scratch / "journal");
    INFO((opened ? "" : opened.error().message));
    REQUIRE(opened.has_value());
    const auto found = (*opened)->scan("").value();
    for (const auto& damage : found.damaged)  // that it has no head record is all that may be said of an old one
      CHECK(damage.what.find("nobody can tell") != std::string::npos);
    std::map<std::string, std::string> store;
    for (const auto& each : found.records) {
      store[each.key] = each.record;
      if (const auto message = record_type(each.key)) {
        INFO(each.key);
        CHECK(decode_record(each.record, *message));
      }
    }
    return store;
  }
};

std::vector<golden_cluster> all_clusters() {
  std::vector<golden_cluster> all;
  for (const auto& each : fs::directory_iterator(TROUPE_GOLDEN "/journals"))
    if (fs::exists(each.path() / "facts.txt")) all.emplace_back(each.path());
  return all;
}

std::map<std::string, std::string> below(const std::map<std::string, std::string>& store, const std::string& owner) {
  std::map<std::string, std::string> part;
  for (const auto& [key, record] : store)
    if (key.rfind(owner + "/", 0) == 0) part.emplace(key, record);
  return part;
}

agent_options options_of(const v1::AgentInfo& info) {
  agent_options options;
  options.info = info;
  options.info.clear_id();
  options.version = "today";
  options.work_dir = "/work";
  options.boot_id = "another boot";
  options.executor_endpoint = "unix:/run/agent.sock";
  options.address = "host:5051";
  return options;
}

/// As a later release would leave it: its records, the head record among them, are of a version to come.
void write_newer_journal(const fs::path& folder) {
  internal::AgentSelfRecord self;
  self.mutable_info()->mutable_id()->set_value("c1f00d-1-S0");
  self.mutable_info()->set_hostname("127.0.0.1");
  self.set_cluster_id("c1f00d");
  auto edits = std::make_shared<const std::vector<edit>>(std::vector<edit>{put(keys::agent_self(), self)});
  REQUIRE(journal::open(folder).value()->commit({edits}));
  leveldb::DB* opened = nullptr;
  REQUIRE(leveldb::DB::Open({}, folder.string(), &opened).ok());
  const std::unique_ptr<leveldb::DB> database(opened);
  for (const std::string& key : {keys::agent_self(), std::string(keys::head())}) {
    std::string sealed;
    REQUIRE(database->Get({}, key, &sealed).ok());
    auto record = std::string(unseal(key, sealed).value());
    record[0] = static_cast<char>(record_version + 1);
    REQUIRE(database->Put({}, key, seal(key, record)).ok());
  }
}

}  // namespace

TEST_CASE("there are journals of earlier releases") {
  CHECK_FALSE(all_clusters().empty());
}

TEST_CASE("an agent of an earlier release comes back as itself, and what it ran is accounted for") {
  for (const auto& cluster : all_clusters()) {
    INFO(cluster.folder);
    const auto store = cluster.recover("agent");
    internal::AgentSelfRecord self;
    REQUIRE(decode_record(store.at("agent/self"), self));
    const auto options = options_of(self.info());
    core_driver<troupe::agent> agent([=] { return troupe::agent(options); },
                                     [=](const auto& state) { return troupe::agent::load(state, options); });
    agent.restore(below(store, "agent"));
    const auto view = [&] { return static_cast<const internal::AgentView&>(*agent.core().look("")); };
    CHECK(view().info().id().value() == cluster.fact("agent_id"));
    CHECK(view().cluster_id() == cluster.fact("cluster_id"));
    REQUIRE(view().frameworks_size() == 1);
    CHECK(view().frameworks(0).info().id().value() == cluster.fact("framework_id"));
    CHECK(static_cast<std::size_t>(view().frameworks(0).executors_size()) == cluster.tasks.size());
    CHECK(said<internal::KeepContainers>(agent.last()).container_ids_size() > 0);

    const auto calls = all_said<internal::ReregisterAgent>(agent.pass(1s));
    REQUIRE_FALSE(calls.empty());
    CHECK(calls.front().info().id().value() == cluster.fact("agent_id"));
    std::map<std::string, std::string> listed;
    for (const auto& task : calls.front().tasks()) listed[task.task_id().value()] = v1::TaskState_Name(task.state());
    CHECK(listed == cluster.tasks);
    // An update that nobody acknowledged is told to the first master that will have the agent.
    internal::AgentRegistered registered;
    *registered.mutable_agent_id() = self.info().id();
    registered.set_cluster_id(self.cluster_id());
    registered.set_epoch(self.epoch() + 1);
    const auto updates = all_said<internal::StatusUpdated>(agent.hear(leader(), registered, self.epoch() + 1));
    REQUIRE(updates.size() == 1);
    CHECK(is_terminal(updates[0].status().state()));
  }
}

TEST_CASE("a master of an earlier release knows its agents and frameworks, and takes the agent back") {
  for (const auto& cluster : all_clusters()) {
    INFO(cluster.folder);
    const auto store = cluster.recover("master");
    // The cluster's id is the identity of its master.
    internal::Identity identity;
    REQUIRE(decode_record(store.at("identity/master"), identity));
    CHECK(identity.id() == cluster.fact("cluster_id"));
    master_driver master({}, identity.id());
    for (const auto& [key, record] : below(store, "master")) master.store_bytes(key, record);
    master.restart();
    CHECK(master.view().recovered_agents_size() == 1);
    const auto stored = [&](const char* id) {
      return master.stored<internal::FrameworkRecord>("master/framework/" + cluster.fact(id)).value();
    };
    CHECK(stored("hello_id").removed());
    CHECK_FALSE(stored("framework_id").removed());
    // It was connected when its master was killed, and has some time to return.
    CHECK(stored("framework_id").has_failover_deadline());

    internal::AgentSelfRecord self;
    REQUIRE(decode_record(cluster.recover("agent").at("agent/self"), self));
    internal::ReregisterAgent back;
    *back.mutable_info() = self.info();
    back.set_cluster_id(self.cluster_id());
    internal::AgentRecord known;
    REQUIRE(decode_record(store.at("master/agent/" + cluster.fact("agent_id")), known));
    master.hear(known.address(), back);
    CHECK(master.one<internal::AgentRegistered>(known.address()).agent_id().value() == cluster.fact("agent_id"));
    CHECK(master.view().recovered_agents_size() == 0);
    CHECK(master.last().edits.empty());
  }
}

TEST_CASE("a framework of an earlier release is itself, and has what it kept") {
  for (const auto& cluster : all_clusters()) {
    INFO(cluster.folder);
    const auto store = cluster.recover("hello");
    internal::FrameworkSelfRecord self;
    REQUIRE(decode_record(store.at("framework/self"), self));
    CHECK(self.framework_id().value() == cluster.fact("hello_id"));
    const auto kept = below(store, "framework/app");
    CHECK(kept.size() == 5);
    for (const auto& [key, record] : kept) {
      v1::TaskStatus status;
      REQUIRE(decode_record(record, status));
      CHECK(status.state() == v1::TASK_FINISHED);
    }
  }
}

TEST_CASE("the journal that says it is newer is refused and stays as it is") {
  test::scratch_folder scratch;
  fs::copy(TROUPE_GOLDEN "/journals/newer/agent", scratch / "agent", fs::copy_options::recursive);
  const auto folder = scratch / "agent/journal";
  std::map<std::string, std::string> before, after;
  for (const auto& each : fs::directory_iterator(folder)) before[each.path().filename()] = bytes_of(each.path());
  const auto opened = journal::open(folder);
  REQUIRE(opened.has_error());
  CHECK(opened.error().code == errc::invalid_argument);
  CHECK_THAT(opened.error().message, Catch::Contains("version 2") && Catch::Contains("versions up to 1"));
  for (const auto& each : fs::directory_iterator(folder)) after[each.path().filename()] = bytes_of(each.path());
  CHECK(before == after);
}

/// Not a test: makes journals/newer, if it is not there.
TEST_CASE("write the newer journal", "[.write]") {
  const fs::path folder = TROUPE_GOLDEN "/journals/newer/agent/journal";
  if (fs::exists(folder)) return;
  fs::create_directories(folder);
  write_newer_journal(folder);
  for (const auto* each : {"LOCK", "LOG", "LOG.old"}) fs::remove(folder / each);  // say nothing of the records
}
