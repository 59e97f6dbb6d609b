#pragma once

#include "actors/runtime/outbox_runner.hpp"
#include "actors/runtime/supervisor.hpp"
#include "actors/runtime/view_desk.hpp"
#include "storage/keys.hpp"
#include "troupe/internal/runtime.pb.h"

#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stdexcept>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

namespace troupe {

/// What a shell needs to know to bring its core up.
template <class Core>
struct shell_setup {
  Address at;            ///< `id` may be empty: then it is the durable id that the identity record holds
  std::string identity;  ///< key of the identity record (keys::identity); empty for a core that needs no incarnation
  std::vector<std::string> prefixes;  ///< of the records that are the core's, folded in order of their keys
  std::function<Core()> make;         ///< a core that remembers nothing yet
  bool check = false;                 ///< check_invariants() after every step
  std::shared_ptr<const google::protobuf::Message> options;  ///< what `make` makes it with, for recordings; may be null
  view_desk* desk = nullptr;                                 ///< where this actor's views are asked for; may be null
  std::function<void(const Address&)>
      on_ready;  ///< called in the actor's thread, before the first step, with its final address
};

namespace detail {

template <class Core, class = void>
struct epoch_of {
  static std::uint64_t get(const Core&) { return 0; }
};
template <class Core>
struct epoch_of<Core, std::void_t<decltype(std::declval<const Core&>().epoch())>> {
  static std::uint64_t get(const Core& core) { return core.epoch(); }
};

/// The whole state, as recordings begin with it; null for a core that cannot save any, and so is not recorded.
template <class Core, class = void>
struct state_of {
  static std::unique_ptr<google::protobuf::Message> get(const Core&) { return nullptr; }
};
template <class Core>
struct state_of<Core, std::void_t<decltype(std::declval<const Core&>().save())>> {
  static std::unique_ptr<google::protobuf::Message> get(const Core& core) {
    return std::make_unique<decltype(core.save())>(core.save());
  }
};

/// 32 hex digits.
inline std::string draw_id(services& rt) {
  return keys::ordered(rt.draw()) + keys::ordered(rt.draw());
}

}  // namespace detail

/// A shell: one core, its runner, and the few lines that join them. `Interface` is the typed actor that the core's
/// verbs make.
template <class Core, class Interface>
class shell {
 public:
  using self_pointer = typename Interface::template stateful_pointer<shell>;
  using behavior = typename Interface::behavior_type;

  static behavior run(self_pointer self, services* rt, shell_setup<Core> setup) {
    self->state.begin(self, *rt, std::move(setup));
    return self->state.make_behavior(typename Core::hears{});
  }

 private:
  // --- recovery: fold the records, raise the incarnation durably, then the first event
  // -----------------------------------------
  void begin(self_pointer self, services& rt, shell_setup<Core> setup) {
    self_ = self;
    rt_ = &rt;
    setup_ = std::move(setup);
    core_.emplace(setup_.make());
    // Known from the start where the address is: letters then wait in the mailbox until recovery is over.
    if (!setup_.at.id().empty()) enter_directory();
    if (setup_.desk) setup_.desk->serve(caf::actor_cast<Interface>(self_));
    scan(0);
  }

  void scan(std::size_t index) {
    if (index == setup_.prefixes.size()) {
      if (setup_.identity.empty())
        on_identity_durable();
      else
        request_scan(setup_.identity, [this](const scan_done& found) { on_identity(found); });
      return;
    }
    request_scan(setup_.prefixes[index], [this, index](const scan_done& found) {
      report_damage(found);
      for (const auto& record : found.found->records) core_->remember(record.key, record.record);
      scan(index + 1);
    });
  }

  template <class Then>
  void request_scan(const std::string& prefix, Then then) {
    self_->request(rt_->journal, caf::infinite, scan_request{prefix})
        .await([then](const scan_done& found) { then(found); },
               [this](const caf::error& failure) { give_up(failure); });
  }

  void on_identity(const scan_done& found) {
    report_damage(found);
    for (const auto& record : found.found->records)
      if (record.key == setup_.identity)
        if (auto parsed = decode_record(record.record, identity_); !parsed)
          spdlog::error("shell.identity_damaged actor={} error={}", to_string(setup_.at), parsed.error().message);
    if (identity_.id().empty()) identity_.set_id(detail::draw_id(*rt_));
    identity_.set_incarnation(identity_.incarnation() + 1);
    auto edits = std::make_shared<const std::vector<edit>>(std::vector<edit>{put(setup_.identity, identity_)});
    self_->request(rt_->journal, caf::infinite, commit_request{std::move(edits)})
        .await([this](const commit_done&) { on_identity_durable(); },
               [this](const caf::error& failure) { give_up(failure); });
  }

  void report_damage(const scan_done& found) {
    for (const auto& damage : found.found->damaged)
      spdlog::error("journal.damaged actor={} key={} what={}", to_string(setup_.at), damage.key, damage.what);
  }

  void enter_directory() {
    status_ = rt_->board.of(to_string(setup_.at));
    status_->fails_by([self = self_->address()] { caf::anon_send_exit(self, caf::exit_reason::unhandled_exception); });
    status_->handled.store(status_->sent.load());  // what a predecessor had not handled went with its mailbox
    status_->busy_since_ns.store(0);               // it may have ended in the midst of a step
    rt_->names.add<typename Core::hears>(setup_.at, caf::actor_cast<Interface>(self_));
  }

  void give_up(const caf::error& failure) {
    spdlog::error("shell.recovery_failed actor={} error={}", to_string(setup_.at), journal_error(failure).message);
    self_->quit(failure);
  }

  void on_identity_durable() {
    if (setup_.at.id().empty()) {
      setup_.at.set_id(identity_.id());
      enter_directory();
    }
    status_->incarnation.store(identity_.incarnation());
    runner_.emplace(self_, *rt_, setup_.at);
    runner_->start(identity_.incarnation());
    if (setup_.on_ready) setup_.on_ready(setup_.at);
    begin_recording();
    internal::Recovered recovered;
    recovered.set_id(identity_.id());
    recovered.set_incarnation(identity_.incarnation());
    step_on(own_head(verb_number<internal::Recovered>::value), recovered);
  }

  void begin_recording() {
    if (rt_->recordings == nullptr) return;
    if (const auto state = detail::state_of<Core>::get(*core_))
      recorder_ = rt_->recordings->begin(setup_.at, identity_.incarnation(), *state, setup_.options.get(), wall_now());
  }

  // --- one step
  // ----------------------------------------------------------------------------------------------------------------
  void step_on(const Envelope& head, const google::protobuf::Message& body,
               const std::shared_ptr<void>& credit = nullptr) {
    context now;
    now.now = monotonic_now(self_->system());
    now.wall_now = wall_now();
    now.incarnation = identity_.incarnation();
    now.random_seed = rt_->draw();
    status_->last_verb.store(head.verb());
    status_->busy_since_ns.store(to_ns(now.now));
    auto event = rt_->ring.next_id();
    auto out = decide(event, head, body, now);
    status_->throw_if_asked();
    ++steps_;
    rt_->ring.record(head, event, to_ns(now.wall_now), static_cast<std::uint32_t>(out.letters.size()));
    if (setup_.check) core_->check_invariants();
    runner_->run(std::move(out), head, event, detail::epoch_of<Core>::get(*core_), now.wall_now, credit);
    status_->busy_since_ns.store(0);
  }

  outbox decide(std::uint64_t event, const Envelope& head, const google::protobuf::Message& body, const context& now) {
    if (!recorder_) return core_->on(head, body, now);
    try {
      auto out = core_->on(head, body, now);
      recorder_->add(event, head, body, now, out);
      return out;
    } catch (const std::exception& failure) {
      recorder_->add_failure(event, head, body, now, failure.what());
      throw;
    }
  }

  Envelope own_head(std::uint32_t verb) const {
    Envelope head;
    *head.mutable_from() = address(internal::RUNTIME, "local");
    *head.mutable_to() = setup_.at;
    head.set_verb(verb);
    return head;
  }

  template <class... Messages>
  behavior make_behavior(verbs<Messages...>) {
    return behavior{[this](const said<Messages>& letter) {
                      step_on(*letter.head, *letter.body, letter.credit);
                      status_->handled.fetch_add(1);
                    }...,
                    [this](const tick& t) {
                      if (runner_->on_tick(t.generation))
                        step_on(own_head(verb_number<internal::TimerFired>::value), internal::TimerFired{});
                    },
                    [this](const view_request& request) -> caf::result<view> { return look(request.what); }};
  }

  // --- views: made on demand, at most ten a second, never showing what is not durable, never older than the question
  // -----------------------------------------
  caf::typed_response_promise<view> look(const std::string& what) {
    auto promise = self_->template make_response_promise<view>();
    runner_->when_durable([this, what, promise]() mutable { show(what, std::move(promise)); });
    return promise;
  }

  void show(const std::string& what, caf::typed_response_promise<view> promise) {
    auto& kept = views_[what];
    const auto now = monotonic_now(self_->system());
    const auto due = kept.made + std::chrono::milliseconds(100);
    kept.askers.push_back(std::move(promise));
    if (kept.picture && kept.steps != steps_ && now < due) {
      // The question comes again when it is due; then all who have waited are answered.
      if (kept.askers.size() == 1)
        caf::delayed_anon_send(caf::actor_cast<Interface>(self_), due - now, view_request{what});
      return;
    }
    if (!kept.picture || kept.steps != steps_) {
      kept.picture = core_->look(what);
      kept.made = now;
      kept.steps = steps_;
    }
    for (auto& asker : std::exchange(kept.askers, {})) asker.deliver(kept.picture);
  }

  struct kept_view {
    view picture;
    monotonic_time made;
    std::uint64_t steps = 0;  ///< the core's, when the picture was made
    std::vector<caf::typed_response_promise<view>> askers;
  };

  self_pointer self_ = nullptr;
  services* rt_ = nullptr;
  shell_setup<Core> setup_;
  std::optional<Core> core_;
  internal::Identity identity_;
  std::shared_ptr<status_block> status_;
  std::optional<outbox_runner<self_pointer>> runner_;
  std::unique_ptr<step_recorder> recorder_;
  std::uint64_t steps_ = 0;
  std::map<std::string, kept_view> views_;
};

/// The shell as a supervisor's child.
template <class Core, class Interface>
child_spec shell_child(caf::actor_system& system, services& rt, std::string name, shell_setup<Core> setup) {
  child_spec child;
  child.name = std::move(name);
  child.start = [&system, &rt, setup] {
    return caf::actor_cast<caf::strong_actor_ptr>(system.spawn(shell<Core, Interface>::run, &rt, setup));
  };
  return child;
}

}  // namespace troupe
