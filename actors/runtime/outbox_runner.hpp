#pragma once

#include "actors/runtime/clock.hpp"
#include "actors/runtime/services.hpp"

#include <spdlog/spdlog.h>
#include <caf/error.hpp>

#include <chrono>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <utility>
#include <vector>

namespace troupe {

/// Carries out outboxes, the same way for every shell: commit the edits, then deliver the letters, then arm one timer.
/// What a step promised leaves only after its commit and all earlier ones, in step order; commits are pipelined. A
/// failed commit ends the shell, and what was held is dropped with it: it is started again from the store.
///
/// `Self` is the shell's actor pointer. Lives in the shell's state; used only by it.
template <class Self>
class outbox_runner {
 public:
  outbox_runner(Self self, services& rt, Address at) : self_(self), rt_(rt), at_(std::move(at)) {}

  void start(std::uint64_t incarnation) { incarnation_ = incarnation; }

  /// `cause` is the event whose step made this outbox, `event` its id in the ring, `now` the step's time. `credit` is
  /// the cause's: the letters carry it on, so that whoever asks over a link is not done with before its answers are.
  void run(outbox out, const Envelope& cause, std::uint64_t event, std::uint64_t epoch, wall_time now,
           std::shared_ptr<void> credit = nullptr) {
    for (const auto& line : out.log) spdlog::info("{}", line);
    held item;
    item.letters = std::move(out.letters);
    item.trace = cause.trace() != 0 ? cause.trace() : event;
    item.cause = event;
    item.epoch = epoch;
    item.wake_at = out.wake_at;
    item.sets_timer = true;
    item.credit = std::move(credit);
    enqueue(std::move(item), std::move(out.edits), now);
  }

  /// Runs `action` once all that has been decided so far is durable: for answers that show the core's state.
  void when_durable(std::function<void()> action) {
    held item;
    item.action = std::move(action);
    enqueue(std::move(item), {}, wall_time());
  }

  /// A timer message came. True: the moment that the last outbox asked for is reached, and the core must be told.
  bool on_tick(std::uint64_t generation) {
    if (generation != generation_) return false;
    armed_.reset();
    if (!wish_) return false;
    if (monotonic_now(self_->system()) >= *wish_) {
      wish_.reset();
      return true;
    }
    arm();
    return false;
  }

 private:
  struct held {
    bool durable = false;
    std::vector<letter> letters;
    std::uint64_t trace = 0;
    std::uint64_t cause = 0;
    std::uint64_t epoch = 0;
    bool sets_timer = false;
    std::optional<monotonic_time> wake_at;
    std::function<void()> action;
    std::shared_ptr<void> credit;
  };

  void enqueue(held item, std::vector<edit> edits, wall_time now) {
    item.durable = edits.empty();
    if (item.durable && queue_.empty()) {
      release(item, now);
      return;
    }
    queue_.push_back(std::move(item));
    if (!edits.empty()) commit(std::move(edits));
  }

  void commit(std::vector<edit> edits) {
    auto number = first_ + queue_.size() - 1;
    commit_request request{std::make_shared<const std::vector<edit>>(std::move(edits))};
    self_->request(rt_.journal, caf::infinite, std::move(request))
        .then([this, number](const commit_done&) { on_durable(number); },
              [this](const caf::error& failure) {
                // The process has said it once, for all of its actors.
                spdlog::debug("journal.commit_failed actor={} error={}", to_string(at_),
                              journal_error(failure).message);
                queue_.clear();
                self_->quit(failure);
              });
  }

  void on_durable(std::uint64_t number) {
    queue_[number - first_].durable = true;
    const auto now = wall_now();
    while (!queue_.empty() && queue_.front().durable) {
      auto item = std::move(queue_.front());
      queue_.pop_front();
      ++first_;
      release(item, now);
    }
  }

  void release(held& item, wall_time now) {
    for (auto& letter : item.letters) deliver(std::move(letter), item, now);
    if (item.action) item.action();
    if (!item.sets_timer) return;
    wish_ = item.wake_at;
    if (wish_ && (!armed_ || *wish_ < *armed_)) arm();
  }

  void deliver(letter out, const held& item, wall_time now) {
    auto head = std::make_shared<Envelope>();
    *head->mutable_from() = at_;
    *head->mutable_to() = std::move(out.to);
    head->set_incarnation(incarnation_);
    head->set_sequence(++sequence_);
    head->set_trace(item.trace);
    head->set_cause(item.cause);
    if (item.epoch != 0) head->set_epoch(item.epoch);
    head->set_sent_at_ns(to_ns(now));
    head->set_verb(out.verb);
    rt_.names.deliver(head, out.body, item.credit);
  }

  // Timers cannot be cancelled: one is armed, and those of older generations are ignored. It is only armed anew to fire
  // earlier; one that fires too early arms the next.
  void arm() {
    armed_ = wish_;
    auto wait = *wish_ - monotonic_now(self_->system());
    self_->delayed_send(self_, wait.count() < 0 ? std::chrono::nanoseconds(0) : wait, tick{++generation_});
  }

  Self self_;
  services& rt_;
  Address at_;
  std::uint64_t incarnation_ = 0;
  std::uint64_t sequence_ = 0;
  std::deque<held> queue_;
  std::uint64_t first_ = 0;  // the number of queue_.front()
  std::optional<monotonic_time> wish_;
  std::optional<monotonic_time> armed_;
  std::uint64_t generation_ = 0;
};

}  // namespace troupe
