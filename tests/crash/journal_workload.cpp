#include "tests/crash/journal_workload.hpp"

#include "storage/keys.hpp"
#include "troupe/internal/records.pb.h"

#include <caf/actor_system.hpp>
#include <caf/scoped_actor.hpp>

#include <future>
#include <random>
#include <utility>

namespace troupe::test {

namespace {

constexpr int requests_waiting = 3;

/// Lets the first commit of each round wait until all others of the round are in the mailbox.
struct gate {
  std::promise<void> entered, let_go;
};

class gated_store final : public journal_store {
 public:
  gated_store(std::unique_ptr<journal_store> below, faulty_disk& disk, std::shared_ptr<gate>& next)
      : below_(std::move(below)), disk_(disk), next_(next) {}

  result<void> commit(const std::vector<edit_batch>& group) override {
    if (const auto held = std::exchange(next_, nullptr)) {
      held->entered.set_value();
      held->let_go.get_future().wait();
    }
    auto committed = below_->commit(group);
    disk_.wait_until_idle();
    return committed;
  }
  result<scan_result> scan(std::string_view prefix) override { return below_->scan(prefix); }

 private:
  std::unique_ptr<journal_store> below_;
  faulty_disk& disk_;
  std::shared_ptr<gate>& next_;
};

/// Bytes that compression makes nothing of.
std::string noise(std::mt19937& random, std::size_t bytes) {
  std::string out(bytes, ' ');
  for (char& c : out) c = static_cast<char>(' ' + random() % 95);
  return out;
}

edit_batch request_edits(int number, std::mt19937& random) {
  const framework_id framework("f");
  internal::TaskRecord task;
  task.mutable_executor_id()->set_value(noise(random, 4000));
  internal::UpdateRecord update;
  update.mutable_executor_id()->set_value(noise(random, 100 + random() % 2000));
  std::vector<edit> edits;
  edits.push_back(put(keys::agent_task(framework, task_id(std::to_string(number % 9))), task));
  edits.push_back(put(keys::agent_update(framework, task_id("t"), static_cast<std::uint64_t>(number)), update));
  if (number >= 6)
    edits.push_back(erase(keys::agent_update(framework, task_id("t"), static_cast<std::uint64_t>(number - 6))));
  if (number % 5 == 0) edits.push_back(put(keys::identity("agent"), update));
  return std::make_shared<const std::vector<edit>>(std::move(edits));
}

void take_in(const edit_batch& edits, journal_workload::contents& to) {
  for (const auto& each : *edits) {
    if (each.record) {
      to[each.key] = *each.record;
    } else {
      to.erase(each.key);
    }
  }
}

}  // namespace

journal_workload::journal_workload(int rounds) : after_(1) {
  std::mt19937 random(4711);
  int number = 0;
  for (int i = 0; i < 2 * rounds; ++i) {
    auto& group = groups_.emplace_back();
    after_.push_back(after_.back());
    for (int requests = i % 2 == 0 ? 1 : requests_waiting; requests > 0; --requests) {
      group.push_back(request_edits(number++, random));
      take_in(group.back(), after_.back());
    }
  }
}

journal::options journal_workload::options(faulty_disk& disk) {
  journal::options out;
  out.disk = &disk;
  out.write_buffer_bytes = 1;  // LevelDB takes 64 KiB at least
  return out;
}

journal_workload::progress journal_workload::run(caf::actor_system& system, const std::filesystem::path& folder,
                                                 faulty_disk& disk) const {
  progress out;
  auto opened = journal::open(folder, options(disk));
  if (!opened) {
    out.problem = opened.error().message;
    return out;
  }
  disk.wait_until_idle();
  std::shared_ptr<gate> next;
  caf::scoped_actor self(system);
  auto actor = spawn_journal(system, std::make_unique<gated_store>(std::move(*opened), disk, next),
                             std::make_shared<journal_counters>());
  const auto ask = [&](const edit_batch& edits) { return self->request(actor, caf::infinite, commit_request{edits}); };
  const auto is_answered = [&](auto&& asked) {
    asked.receive([](commit_done) {}, [&](const caf::error& e) { out.problem = journal_error(e).message; });
    return out.problem.empty();
  };
  for (std::size_t i = 0; i + 1 < groups_.size() && out.problem.empty(); i += 2) {
    const auto held = std::make_shared<gate>();
    next = held;
    auto first = ask(groups_[i].front());
    held->entered.get_future().wait();
    std::vector<decltype(first)> waiting;
    for (const auto& edits : groups_[i + 1]) waiting.push_back(ask(edits));
    held->let_go.set_value();
    ++out.begun;
    if (is_answered(std::move(first))) {
      ++out.answered;
      ++out.begun;
    }
    bool all = true;
    for (auto& each : waiting) all = is_answered(std::move(each)) && all;
    out.answered += all ? 1 : 0;
  }
  self->monitor(actor);
  self->send_exit(actor, caf::exit_reason::user_shutdown);
  actor = nullptr;
  self->receive([](const caf::down_msg&) {});
  return out;
}

}  // namespace troupe::test
