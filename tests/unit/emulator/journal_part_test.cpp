#include "tools/emulator/journal_part.hpp"

#include "storage/keys.hpp"
#include "storage/memory_store.hpp"
#include "troupe/internal/records.pb.h"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

struct two_parts {
  caf::actor_system_config config;
  caf::actor_system system{config};
  journal_actor whole = spawn_journal(system, std::make_unique<memory_store>(), std::make_shared<journal_counters>());
  journal_actor one = spawn_journal_part(system, whole, keys::path({"emulated", "one"}));
  journal_actor two = spawn_journal_part(system, whole, keys::path({"emulated", "two"}));
  caf::scoped_actor self{system};

  ~two_parts() {
    for (const auto& each : {one, two, whole}) self->send_exit(each, caf::exit_reason::user_shutdown);
  }

  bool commit(const journal_actor& to, std::vector<edit> edits) {
    bool done = false;
    self->request(to, caf::infinite, commit_request{std::make_shared<const std::vector<edit>>(std::move(edits))})
        .receive([&](const commit_done&) { done = true; }, [](const caf::error&) {});
    return done;
  }
  scan_result scan(const journal_actor& of, const std::string& prefix) {
    scan_result found;
    self->request(of, caf::infinite, scan_request{prefix})
        .receive([&](const scan_done& done) { found = *done.found; }, [](const caf::error&) {});
    return found;
  }
};

edit counter(const std::string& key, std::uint64_t number) {
  internal::CounterRecord record;
  record.set_next(number);
  return put(key, record);
}

std::vector<std::string> keys_of(const scan_result& found) {
  std::vector<std::string> all;
  for (const auto& record : found.records) all.push_back(record.key);
  return all;
}

}  // namespace

TEST_CASE_METHOD(two_parts, "each part of a journal is as one of its own") {
  REQUIRE(commit(one, {counter("agent/self", 1), counter("identity/agent", 1)}));
  REQUIRE(commit(two, {counter("agent/self", 2)}));
  CHECK(keys_of(scan(one, "agent")) == std::vector<std::string>{"agent/self"});
  CHECK(keys_of(scan(one, "")) == std::vector<std::string>{"agent/self", "identity/agent"});
  CHECK(keys_of(scan(two, "identity")).empty());
  internal::CounterRecord record;
  REQUIRE(decode_record(scan(two, "agent").records.at(0).record, record));
  CHECK(record.next() == 2);
  REQUIRE(commit(one, {erase("agent/self")}));
  CHECK(keys_of(scan(one, "agent")).empty());
  CHECK(keys_of(scan(two, "agent")) == std::vector<std::string>{"agent/self"});
}

TEST_CASE_METHOD(two_parts, "damage in a part is told by the key that its owner knows") {
  REQUIRE(commit(one, {counter("agent/task/a", 1), edit{"agent/task/b", std::string("damaged")}}));
  const auto first = scan(one, "agent");
  CHECK(keys_of(first) == std::vector<std::string>{"agent/task/a"});
  REQUIRE(first.damaged.size() == 1);
  CHECK(first.damaged[0].key == "agent/task/b");
  CHECK(scan(one, "agent").damaged.size() == 1);  // from quarantine
  CHECK(scan(two, "agent").damaged.empty());
}

TEST_CASE_METHOD(two_parts, "a part of a journal that is gone answers an error") {
  self->send_exit(whole, caf::exit_reason::user_shutdown);
  self->wait_for(whole);
  CHECK_FALSE(commit(one, {counter("agent/self", 1)}));
}
