#include "isolators/containerizer_actor.hpp"

#include "actors/runtime/clock.hpp"
#include "isolators/container_post.hpp"

#include <spdlog/spdlog.h>
#include <caf/actor_cast.hpp>
#include <caf/send.hpp>
#include <caf/stateful_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>

namespace troupe {
namespace {

struct containerizer_state {
  services* rt = nullptr;
  std::shared_ptr<status_block> status;
  std::shared_ptr<container_post> post;
  std::unique_ptr<containerizer> hands;  ///< its end comes first: it still tells of the containers that it ends
};

using self_pointer = containerizer_actor::stateful_pointer<containerizer_state>;

/// Hands a letter to `handle(event id)`; seen from outside, the actor is busy meanwhile.
template <class Handle>
void attend(containerizer_state& state, const Envelope& head, Handle handle) {
  auto& status = *state.status;
  status.last_verb.store(head.verb());
  status.busy_since_ns.store(std::chrono::steady_clock::now().time_since_epoch().count());
  auto event = state.rt->ring.next_id();
  state.rt->ring.record(head, event, to_ns(wall_now()), 0);
  handle(event);
  status.throw_if_asked();
  status.busy_since_ns.store(0);
  status.handled.fetch_add(1);
}

containerizer_actor::behavior_type containerizer_shell(self_pointer self, services* rt,
                                                       const containerizer_options& options,
                                                       const std::shared_ptr<container_post>& post) {
  auto& state = self->state;
  state.rt = rt;
  state.status = rt->board.of(to_string(containerizer_address()));
  state.status->fails_by([at = self->address()] { caf::anon_send_exit(at, caf::exit_reason::unhandled_exception); });
  state.status->busy_since_ns.store(0);  // the one before may have ended in the midst of a letter
  state.post = post;
  // One that has failed is started again, and takes its containers over; only who is asked to end may end them.
  auto kept = options;
  kept.leave_running = true;
  self->set_exit_handler([self, ends = !options.leave_running](const caf::exit_msg& exit) {
    if (ends && exit.reason == caf::exit_reason::user_shutdown && self->state.hands) self->state.hands->end_all();
    self->quit(exit.reason);
  });
  auto started = containerizer::start(kept, [post](const container_event& event) { post->deliver(event); });
  if (started) {
    state.hands = std::move(*started);
  } else {
    spdlog::error("containerizer.not_started error=\"{}\"", started.error().message);
    self->quit(caf::make_error(caf::sec::runtime_error, started.error().message));
  }
  return {
      [&state](const said<internal::LaunchContainer>& letter) {
        attend(state, *letter.head, [&](std::uint64_t event) {
          state.post->expect(letter.body->container_id(), *letter.head, event);
          state.hands->launch(*letter.body);
        });
      },
      [&state](const said<internal::SignalContainer>& letter) {
        attend(state, *letter.head, [&](std::uint64_t event) {
          state.post->expect_if_nobody(letter.body->container_id(), *letter.head, event);
          state.hands->signal(*letter.body);
        });
      },
      [&state](const said<internal::DestroyContainer>& letter) {
        attend(state, *letter.head, [&](std::uint64_t event) {
          state.post->expect_if_nobody(letter.body->container_id(), *letter.head, event);
          state.hands->destroy(*letter.body);
        });
      },
      [&state](const said<internal::ReleaseContainer>& letter) {
        attend(state, *letter.head, [&](std::uint64_t) { state.hands->release(*letter.body); });
      },
      [&state](const said<internal::KeepContainers>& letter) {
        attend(state, *letter.head, [&](std::uint64_t) { state.hands->keep(*letter.body); });
      },
  };
}

}  // namespace

Address containerizer_address() {
  return address(internal::CONTAINERIZER, "local");
}

child_spec containerizer_child(caf::actor_system& system, services& rt, const containerizer_options& options) {
  child_spec child;
  child.name = to_string(containerizer_address());
  // Whom to tell outlives an incarnation, as the containers may.
  auto post = std::make_shared<container_post>(rt, containerizer_address());
  child.start = [&system, &rt, options, post] {
    auto actor = system.spawn<caf::detached>(containerizer_shell, &rt, options, post);
    rt.names.add<containerizer_hears>(containerizer_address(), actor);
    return caf::actor_cast<caf::strong_actor_ptr>(actor);
  };
  return child;
}

void start_containerizer(process& host, const containerizer_options& options) {
  host.supervise(containerizer_child(host.system(), host.rt(), options));
}

}  // namespace troupe
