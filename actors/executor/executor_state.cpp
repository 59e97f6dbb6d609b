#include "actors/executor/executor.hpp"
#include "protocol/task_state.hpp"

#include <set>
#include <stdexcept>
#include <utility>

/// The state as a whole: loaded, looked at, checked.
namespace troupe {

executor executor::load(const internal::ExecutorState& state, executor_options options) {
  executor loaded(std::move(options));
  loaded.state_ = state;
  return loaded;
}

std::shared_ptr<const google::protobuf::Message> executor::look(const std::string&) const {
  return std::make_shared<const internal::ExecutorState>(state_);
}

void executor::check_invariants() const {
  auto require = [](bool holds, const std::string& what, const std::string& id) {
    if (!holds) throw std::logic_error("executor: " + what + ": " + id);
  };
  std::set<std::string> tasks;
  std::set<std::string> containers;
  std::set<std::string> uuids;
  for (const auto& id : state_.ended()) require(tasks.insert(id.value()).second, "a task ended twice", id.value());
  for (const auto& t : state_.tasks()) {
    const auto& id = t.info().task_id().value();
    require(tasks.insert(id).second, "a task is held twice", id);
    require(containers.insert(t.container_id().value()).second, "two tasks share a container", id);
    require(!is_terminal(t.state()), "a task that ended is still held", id);
    require(!t.destroying() || t.has_stop_deadline_ns(), "a destruction is not followed up", id);
    require(t.end_cause() == internal::ExecutorState::NOT_ASKED || t.has_stop_deadline_ns(), "an end never comes", id);
  }
  for (const auto& status : state_.unacknowledged()) {
    const auto& id = status.task_id().value();
    require(status.uuid().size() == 16, "an update without a uuid", id);
    require(uuids.insert(status.uuid()).second, "two updates share a uuid", id);
    require(tasks.count(id) == 1, "an update of an unknown task", id);
  }
}

}  // namespace troupe
