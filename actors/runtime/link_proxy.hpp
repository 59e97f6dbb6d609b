#pragma once

#include "actors/runtime/net/link.hpp"
#include "actors/runtime/status_block.hpp"
#include "protocol/interfaces.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <chrono>
#include <memory>
#include <utility>

namespace troupe {

/// What a proxy works with.
struct proxy_tools {
  std::shared_ptr<link> to;
  std::shared_ptr<status_block> status;
};

/// Puts a letter on the link. What the link does not take it counts itself.
inline void forward(const proxy_tools& tools, const Envelope& head, std::uint32_t verb,
                    const google::protobuf::Message& body) {
  tools.status->busy_since_ns.store(std::chrono::steady_clock::now().time_since_epoch().count(),
                                    std::memory_order_relaxed);
  tools.status->throw_if_asked();
  tools.to->send(head, body);
  tools.status->last_verb.store(verb, std::memory_order_relaxed);
  tools.status->busy_since_ns.store(0, std::memory_order_relaxed);
  tools.status->handled.fetch_add(1, std::memory_order_relaxed);
}

namespace detail {
template <class... Messages>
typename hears<verbs<Messages...>>::type::behavior_type proxy_behaviour(const proxy_tools& tools, verbs<Messages...>) {
  return {[tools](const said<Messages>& letter) {
    forward(tools, *letter.head, verb_number<Messages>::value, *letter.body);
  }...};
}
}  // namespace detail

/// The behaviour of an actor that stands for a far one which hears `List`.
template <class List>
typename hears<List>::behavior_type proxy(typename hears<List>::pointer, const proxy_tools& tools) {
  return detail::proxy_behaviour(tools, List{});
}

}  // namespace troupe
