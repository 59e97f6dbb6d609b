#include "actors/agent/agent.hpp"
#include "protocol/task_state.hpp"

#include <algorithm>
#include <set>
#include <stdexcept>

namespace troupe {

namespace {

void require(bool holds, const std::string& what, const std::string& id) {
  if (!holds) throw std::logic_error("agent: " + what + ": " + id);
}

void check_executor(const hosted_executor& executor) {
  const std::string id = executor.id().value();
  std::set<task_id> queue(executor.queue.begin(), executor.queue.end());
  require(queue.size() == executor.queue.size(), "a task is queued twice", id);
  for (const auto& [tid, task] : executor.tasks) {
    require(task.queued == (queue.count(tid) == 1), "a task and the queue disagree", tid.value());
    require(!task.queued || task.state == v1::TASK_STAGING, "a queued task has been reported", tid.value());
    require(!executor.terminated() || is_terminal(task.state), "a task outlives its executor", tid.value());
    if (executor.built_in()) require(tid.value() == id, "a built-in executor runs another's task", tid.value());
  }
  bool waits = executor.at == internal::AgentState::Executor::REGISTERING || executor.terminating();
  require(executor.deadline.has_value() == waits, "a phase and its deadline disagree", id);
  require(!executor.connected || !executor.terminated(), "an ended executor is connected", id);
  require(!executor.built_in() || executor.record.info().resources().empty(), "a built-in executor charges", id);
  bool needs_tasks = executor.terminated() || (executor.built_in() && !executor.terminating());
  require(!executor.tasks.empty() || !needs_tasks, "a leftover executor", id);
}

}  // namespace

void agent::check_invariants() const {
  hosted_.check_invariants();
  if (registration_.misconfigured()) return;  // of what it remembers nothing was begun
  std::set<framework_id> idle(idle_.begin(), idle_.end());
  require(idle.size() == idle_.size(), "a framework is idle twice", std::to_string(idle_.size()));
  for (const auto& [fid, framework] : hosted_.all()) {
    require(framework.executors.empty() == (idle.count(fid) == 1), "idleness is wrong", fid.value());
    for (const auto& [eid, executor] : framework.executors) {
      check_executor(executor);
      for (const auto& [tid, task] : executor.tasks) {
        auto stream = streams_.find({fid, tid});
        bool waiting = stream != streams_.end() && !stream->second.empty();
        require(!waiting || stream->second.latest() == task.state, "a task and its stream disagree", tid.value());
        require(waiting || !is_terminal(task.state), "a task that was reported as ended is kept", tid.value());
      }
    }
  }
  for (const auto& [key, stream] : streams_) {
    const auto& id = key.second.value();
    const auto* host = const_cast<agent*>(this)->hosted_.find(key.first);
    bool known = static_cast<bool>(const_cast<agent*>(this)->hosted_.find(key.first, key.second));
    require(known || !stream.empty(), "an empty stream of an unknown task", id);
    require(!host || !host->removed || known, "a removed framework has updates without a task", id);
    require(stream.due().has_value() == (registration_.registered() && !stream.empty()),
            "a stream is not due when it should be, or the other way round", id);
    std::uint64_t last = 0;
    for (const auto& update : stream.updates()) {
      require(update.number > last, "updates out of order", id);
      require(update.status.uuid().size() == 16, "an update without a uuid", id);
      last = update.number;
    }
  }
}

}  // namespace troupe
