#include "storage/journal_actor.hpp"

#include <caf/actor_system.hpp>
#include <caf/atom.hpp>
#include <caf/make_message.hpp>
#include <caf/spawn_options.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {

/// Told to itself: all requests that came before it are waiting, write them.
struct write_now {};

}  // namespace troupe

namespace caf {
template <>
struct allowed_unsafe_message_type<troupe::write_now> : std::true_type {};
}  // namespace caf

namespace troupe {

namespace {

const caf::atom_value error_category = caf::atom("troupe");

caf::error as_caf(const error& e) {
  return {static_cast<std::uint8_t>(e.code), error_category, caf::make_message(e.message)};
}

std::uint64_t bytes_of(const edit_batch& edits) {
  std::uint64_t bytes = 0;
  if (!edits) return bytes;
  for (const auto& e : *edits) bytes += e.key.size() + (e.record ? e.record->size() : 0);
  return bytes;
}

using journal_shell_actor = journal_actor::extend<caf::reacts_to<write_now>>;

class journal_shell final : public journal_shell_actor::base {
 public:
  journal_shell(caf::actor_config& config, std::unique_ptr<journal_store> store,
                std::shared_ptr<journal_counters> counters, std::function<void(const error&)> on_failure)
      : journal_shell_actor::base(config),
        store_(std::move(store)),
        counters_(std::move(counters)),
        on_failure_(std::move(on_failure)),
        group_bytes_max_(store_->commit_bytes_max()) {
    // Whoever asked before the exit gets an answer.
    set_exit_handler([this](caf::exit_msg& exit) {
      write_group();
      quit(std::move(exit.reason));
    });
  }

  const char* name() const override { return "journal"; }

  behavior_type make_behavior() override {
    return {[this](commit_request& request) { return on_commit_request(std::move(request.edits)); },
            [this](const scan_request& request) { return on_scan_request(request.prefix); },
            [this](write_now) {
              asked_to_write_ = false;
              write_group();
            }};
  }

  void on_exit() override {
    group_.clear();
    promises_.clear();
    store_.reset();
  }

 private:
  using commit_promise = caf::typed_response_promise<commit_done>;

  commit_promise on_commit_request(edit_batch edits) {
    auto promise = make_response_promise<commit_promise>();
    if (failure_) return promise.deliver(as_caf(*failure_));
    const auto bytes = bytes_of(edits);
    // Groups are written early when they have grown, which bounds the memory of one write, and what a store has to
    // take.
    if (group_bytes_ + bytes > group_bytes_max_) write_group();
    if (failure_) return promise.deliver(as_caf(*failure_));
    if (edits) {
      group_bytes_ += bytes;
      group_records_ += edits->size();
      group_.push_back(std::move(edits));
    }
    promises_.push_back(promise);
    if (group_bytes_ >= group_bytes_max_) {
      write_group();
    } else if (!std::exchange(asked_to_write_, true)) {
      // Goes behind all that came while the last write was in flight, so that these become one.
      send(this, write_now{});
    }
    return promise;
  }

  caf::result<scan_done> on_scan_request(const std::string& prefix) {
    write_group();
    if (failure_) return as_caf(*failure_);
    auto found = store_->scan(prefix);
    if (!found) {
      fail(found.error());
      return as_caf(*failure_);
    }
    return scan_done{std::make_shared<const scan_result>(std::move(*found))};
  }

  void write_group() {
    if (promises_.empty()) return;
    const auto group = std::exchange(group_, {});
    auto promises = std::exchange(promises_, {});
    const auto written = group.empty() ? result<void>{} : store_->commit(group);
    if (written) {
      count(promises.size());
      for (auto& promise : promises) promise.deliver(commit_done{});
    } else {
      fail(written.error());
      for (auto& promise : promises) promise.deliver(as_caf(*failure_));
    }
    group_bytes_ = group_records_ = 0;
  }

  void fail(const error& e) {
    const bool first = !failure_;
    failure_ = e;
    counters_->failed.store(true, std::memory_order_relaxed);
    if (first && on_failure_) on_failure_(e);
  }

  void count(std::uint64_t requests) {
    constexpr auto relaxed = std::memory_order_relaxed;
    counters_->groups.fetch_add(1, relaxed);
    counters_->requests.fetch_add(requests, relaxed);
    counters_->records.fetch_add(group_records_, relaxed);
    counters_->bytes.fetch_add(group_bytes_, relaxed);
    counters_->last_group_requests.store(requests, relaxed);
    counters_->max_group_requests.store(std::max(counters_->max_group_requests.load(relaxed), requests), relaxed);
  }

  std::unique_ptr<journal_store> store_;
  std::shared_ptr<journal_counters> counters_;
  std::function<void(const error&)> on_failure_;
  const std::uint64_t group_bytes_max_;
  std::vector<edit_batch> group_;
  std::vector<commit_promise> promises_;  // one a request in group_, in order
  std::uint64_t group_bytes_ = 0;
  std::uint64_t group_records_ = 0;
  bool asked_to_write_ = false;
  std::optional<error> failure_;
};

}  // namespace

journal_actor spawn_journal(caf::actor_system& system, std::unique_ptr<journal_store> store,
                            std::shared_ptr<journal_counters> counters, std::function<void(const error&)> on_failure) {
  return system.spawn<journal_shell, caf::detached>(std::move(store), std::move(counters), std::move(on_failure));
}

error journal_error(const caf::error& e) {
  if (e.category() == error_category && e.context().match_elements<std::string>()) {
    return {static_cast<errc>(e.code()), e.context().get_as<std::string>(0)};
  }
  return {errc::unavailable, "The journal did not answer: " + caf::to_string(e) + "."};
}

}  // namespace troupe
