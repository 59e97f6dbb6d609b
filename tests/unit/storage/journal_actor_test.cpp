#include "storage/journal_actor.hpp"
#include "storage/memory_store.hpp"

#include "tests/unit/storage/some_records.hpp"

#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/event_based_actor.hpp>
#include <caf/scoped_actor.hpp>

#include <catch2/catch.hpp>

#include <condition_variable>
#include <future>
#include <mutex>

using namespace troupe;
using namespace troupe::test;

namespace {

using strings = std::vector<std::string>;

/// Seen by the test and by the store inside the actor: holds the first commit until it is let go.
struct gate {
  std::promise<void> entered;  ///< the first commit has begun
  std::promise<void> let_go;   ///< it may go on
  std::mutex guard;
  std::vector<std::size_t> groups;  ///< batches in each commit
  std::optional<error> failure;     ///< of every commit
  std::atomic<bool> closed{false};

  std::vector<std::size_t> seen() {
    const std::lock_guard<std::mutex> lock(guard);
    return groups;
  }
};

class gated_store final : public journal_store {
 public:
  explicit gated_store(gate& g) : gate_(g) {}
  ~gated_store() override { gate_.closed = true; }

  result<void> commit(const std::vector<edit_batch>& group) override {
    if (std::exchange(first_, false)) {
      gate_.entered.set_value();
      gate_.let_go.get_future().wait();
    }
    {
      const std::lock_guard<std::mutex> lock(gate_.guard);
      gate_.groups.push_back(group.size());
    }
    if (gate_.failure) return *gate_.failure;
    return inner_.commit(group);
  }
  result<scan_result> scan(std::string_view prefix) override { return inner_.scan(prefix); }

 private:
  gate& gate_;
  memory_store inner_;
  bool first_ = true;
};

using asked = decltype(std::declval<caf::scoped_actor&>()->request(std::declval<const journal_actor&>(), caf::infinite,
                                                                   std::declval<commit_request>()));

struct fixture {
  gate held;
  caf::actor_system_config config;
  caf::actor_system system{config};
  std::shared_ptr<journal_counters> counters = std::make_shared<journal_counters>();
  std::atomic<int> told_of_failure{0};
  journal_actor journal =
      spawn_journal(system, std::make_unique<gated_store>(held), counters, [this](const error&) { ++told_of_failure; });
  caf::scoped_actor self{system};

  ~fixture() { self->send_exit(journal, caf::exit_reason::user_shutdown); }

  asked ask(std::initializer_list<std::string> keys) {
    return self->request(journal, caf::infinite, commit_request{puts(keys)});
  }

  /// Empty when it was committed.
  std::string answer(asked& request) {
    std::string out;
    request.receive([](commit_done) {}, [&](const caf::error& e) { out = journal_error(e).message; });
    return out;
  }

  /// Lets one commit begin, queues these requests behind it, and lets it end.
  std::vector<asked> queue_behind_one(int requests) {
    std::vector<asked> all;
    all.push_back(ask({"first"}));
    held.entered.get_future().wait();
    for (int i = 0; i < requests; ++i) all.push_back(ask({"k/" + std::to_string(i)}));
    held.let_go.set_value();
    return all;
  }
};

}  // namespace

TEST_CASE_METHOD(fixture, "all requests that wait while a commit is in flight become one commit") {
  auto all = queue_behind_one(100);
  for (auto& each : all) CHECK(answer(each).empty());
  CHECK(held.seen() == std::vector<std::size_t>{1, 100});
  CHECK(counters->groups == 2);
  CHECK(counters->requests == 101);
  CHECK(counters->records == 101);
  CHECK(counters->last_group_requests == 100);
  CHECK(counters->max_group_requests == 100);
  CHECK_FALSE(counters->failed);
}

TEST_CASE_METHOD(fixture, "commits are answered in the order in which they were asked for") {
  constexpr int requests = 50;
  std::vector<int> order;
  std::promise<void> all_answered;
  system.spawn([&](caf::event_based_actor* asker) {
    for (int i = 0; i < requests; ++i) {
      asker->request(journal, caf::infinite, commit_request{puts({std::to_string(i)})}).then([&, i](commit_done) {
        order.push_back(i);
        if (order.size() == requests) all_answered.set_value();
      });
    }
  });
  held.let_go.set_value();
  all_answered.get_future().wait();
  CHECK(std::is_sorted(order.begin(), order.end()));
}

TEST_CASE_METHOD(fixture, "a scan sees all commits asked for before it") {
  auto first = ask({"a"});
  auto second = ask({"b"});
  auto scan = self->request(journal, caf::infinite, scan_request{""});
  auto third = ask({"c"});
  held.let_go.set_value();
  strings found;
  scan.receive([&](const scan_done& done) { found = keys_of(*done.found); }, [](const caf::error&) {});
  CHECK(found == strings{"a", "b"});
  for (auto* each : {&first, &second, &third}) CHECK(answer(*each).empty());
}

TEST_CASE_METHOD(fixture, "when a commit fails, it, all behind it and all later requests are answered with the error") {
  held.failure = error{errc::exhausted, "The disk is full."};
  auto all = queue_behind_one(10);
  for (auto& each : all) CHECK(answer(each) == "The disk is full.");
  CHECK(held.seen() == std::vector<std::size_t>{1});  // nothing was tried behind the failure
  CHECK(counters->failed);
  CHECK(told_of_failure == 1);

  held.failure.reset();
  auto later = ask({"later"});
  CHECK(answer(later) == "The disk is full.");
  error refused;
  self->request(journal, caf::infinite, scan_request{""})
      .receive([](const scan_done&) {}, [&](const caf::error& e) { refused = journal_error(e); });
  CHECK(refused.code == errc::exhausted);
  CHECK(told_of_failure == 1);
}

TEST_CASE_METHOD(fixture, "a large group is written in parts") {
  std::vector<asked> all;
  all.push_back(ask({"first"}));
  held.entered.get_future().wait();
  const std::string megabyte(std::size_t{1} << 20, 'x');
  for (int i = 0; i < 10; ++i) {
    all.push_back(self->request(journal, caf::infinite, commit_request{batch({put("k", named(megabyte))})}));
  }
  held.let_go.set_value();
  for (auto& each : all) CHECK(answer(each).empty());
  CHECK(held.seen() == std::vector<std::size_t>{1, 3, 3, 3, 1});
}

TEST_CASE_METHOD(fixture, "a request without edits is answered in its turn") {
  held.let_go.set_value();
  auto nothing = self->request(journal, caf::infinite, commit_request{nullptr});
  CHECK(answer(nothing).empty());
}

TEST_CASE_METHOD(fixture, "the store is closed when the actor is reported down, so that it can be opened anew") {
  held.let_go.set_value();
  self->monitor(journal);
  self->send_exit(journal, caf::exit_reason::user_shutdown);
  bool closed = false;
  self->receive([&](const caf::down_msg&) { closed = held.closed; });
  CHECK(closed);
}

TEST_CASE_METHOD(fixture, "a request to a journal that is gone says that it did not answer") {
  held.let_go.set_value();
  self->monitor(journal);
  self->send_exit(journal, caf::exit_reason::user_shutdown);
  self->receive([](const caf::down_msg&) {});
  error refused;
  self->request(journal, caf::infinite, commit_request{puts({"k"})})
      .receive([](commit_done) {}, [&](const caf::error& e) { refused = journal_error(e); });
  CHECK(refused.code == errc::unavailable);
}
