#pragma once

#include "protocol/verbs.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <memory>

namespace troupe {

/// A message as it travels between two actors of one process: immutable and shared.
/// `credit` is returned to the link that brought the letter when the last copy of it is gone, and of the letters that
/// it caused; null where no link did.
template <class Message>
struct said {
  std::shared_ptr<const Envelope> head;
  std::shared_ptr<const Message> body;
  std::shared_ptr<void> credit;
};

/// A shell's own timer; stale generations are ignored.
struct tick {
  std::uint64_t generation;
};

/// Asks a shell for its core's present view of the world. Answered with an immutable message; which one, the core says.
struct view_request {
  /// What is wanted, where a core offers several views; empty means all of it.
  std::string what;
};
using view = std::shared_ptr<const google::protobuf::Message>;

namespace detail {
template <class List, class... More>
struct hears;
template <class... Messages, class... More>
struct hears<verbs<Messages...>, More...> {
  using type = caf::typed_actor<caf::reacts_to<said<Messages>>..., More...>;
};
}  // namespace detail

/// The interface of an actor that hears these verbs.
template <class List, class... More>
using hears = typename detail::hears<List, More...>::type;

/// What the shells of cores hear besides: their timer, and requests for a view.
using shell_timer = caf::reacts_to<tick>;
using shell_view = caf::replies_to<view_request>::with<view>;

// --- the actors: one line each; what they hear is listed in protocol/verbs.hpp
// ------------------------------------------------------------

using master_actor = hears<master_hears, shell_timer, shell_view>;  ///< who is in the cluster, and what runs where
using allocator_actor = hears<allocator_hears, shell_timer, shell_view>;  ///< who is offered what
using agent_actor = hears<agent_hears, shell_timer, shell_view>;          ///< one machine: its tasks and their updates
using executor_actor = hears<executor_hears, shell_timer, shell_view>;  ///< the built-in executor: runs tasks' commands
using custom_executor_actor = hears<custom_executor_hears, shell_timer, shell_view>;  ///< a framework's own executor
using framework_actor = hears<framework_hears, shell_timer, shell_view>;              ///< a framework's scheduler
using operator_actor = hears<operator_hears, shell_timer, shell_view>;                ///< a person's command line
using containerizer_actor = hears<containerizer_hears>;                               ///< starts and ends processes
using executor_supervisor_actor = hears<agent_says_to_supervisor>;  ///< starts and restarts built-in executors

// Proxies stand for an actor in another process, with the part of its interface that may cross a link.
using master_proxy = hears<join<agent_says_to_master, framework_says_to_master, operator_says_to_master>>;
using agent_proxy = hears<join<master_says_to_agent, executor_says_to_agent>>;
using framework_proxy = hears<master_says_to_framework>;
using operator_proxy = hears<master_says_to_operator>;
using executor_proxy = hears<agent_says_to_executor>;

}  // namespace troupe

// Letters never leave the process as CAF messages: links serialise the protobuf message inside.
namespace caf {
template <class Message>
struct allowed_unsafe_message_type<troupe::said<Message>> : std::true_type {};
template <>
struct allowed_unsafe_message_type<troupe::tick> : std::true_type {};
template <>
struct allowed_unsafe_message_type<troupe::view_request> : std::true_type {};
template <>
struct allowed_unsafe_message_type<troupe::view> : std::true_type {};
}  // namespace caf
