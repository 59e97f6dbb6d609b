#include "actors/agent/agent.hpp"

#include <utility>

/// The whole state, saved and loaded.
namespace troupe {

internal::AgentState agent::save() const {
  internal::AgentState out;
  out.set_instance_id(instance_id_);
  *out.mutable_self() = self_;
  *out.mutable_registration() = registration_.save();
  hosted_.save(out);
  for (const auto& [key, stream] : streams_) {
    auto* saved = out.add_streams();
    *saved->mutable_framework_id() = key.first.proto();
    *saved->mutable_task_id() = key.second.proto();
    stream.save(*saved);
  }
  if (soonest_) out.set_soonest_ns(nanoseconds_of(*soonest_));
  for (const auto& id : idle_) *out.add_idle() = id.proto();
  for (const auto& key : unreadable_) out.add_unreadable(key);
  return out;
}

agent agent::load(const internal::AgentState& state, agent_options options) {
  agent loaded(std::move(options));
  loaded.instance_id_ = state.instance_id();
  loaded.self_ = state.self();
  loaded.registration_ = registration::load(state.registration());
  loaded.hosted_ = hosted_table::load(state);
  for (const auto& stream : state.streams())
    loaded.streams_.emplace(stream_key(stream.framework_id(), stream.task_id()), status_stream::load(stream));
  if (state.has_soonest_ns()) loaded.soonest_ = monotonic_at(state.soonest_ns());
  loaded.idle_.assign(state.idle().begin(), state.idle().end());
  loaded.unreadable_.assign(state.unreadable().begin(), state.unreadable().end());
  return loaded;
}

}  // namespace troupe
