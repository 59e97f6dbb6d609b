#include "actors/agent/agent.hpp"
#include "storage/keys.hpp"

#include <set>

/// The agent leaves for good: protocol/proto/troupe/internal/registration.proto.
namespace troupe {

/// Its process says "leave". The master removes the agent at once and tells the frameworks what became of their tasks;
/// so nothing is left to be acknowledged, and who the agent was is forgotten: with the same folder it comes back as a
/// new one.
void agent::handle(step& s, const internal::ProgramEvent& event) {
  if (event.name() != "leave" || registration_.dismissed()) return;
  s.log("agent.leaves agent=" + id().value() + " streams=" + std::to_string(streams_.size()));
  if (!id().empty()) {
    internal::UnregisterAgent farewell;
    *farewell.mutable_agent_id() = id().proto();
    s.say(leader(), std::move(farewell));
  }
  registration_.leave(s.now.now + options_.farewell);
  rest_streams();
  s.erase(keys::agent_self());

  ending why;
  why.set_state(v1::TASK_KILLED);
  why.set_reason(v1::TaskStatus::REASON_AGENT_REMOVED);
  why.set_message("The agent left the cluster");
  std::set<framework_id> frameworks;
  for (const auto& [fid, framework] : hosted_.all()) frameworks.insert(fid);
  for (const auto& [key, stream] : streams_) frameworks.insert(key.first);
  for (const auto& fid : frameworks) shut_down_framework(s, fid, why);
}

}  // namespace troupe
