#pragma once

#include "tests/crash/remembering_scheduler.hpp"
#include "tests/scenarios/world.hpp"

#include <chrono>
#include <cstddef>
#include <functional>
#include <map>
#include <memory>
#include <string>
#include <vector>

namespace troupe::test {

/// A master, an agent `a1` and a framework that remembers, `f1`, any of which may end at any moment: a second later it
/// is started again. What is asked for here is asked until it is heard.
///
/// All of this throws testing::world_error where something was lost, taken back, done twice or disturbed, and where
/// something that must come about does not within an hour.
class recovery_world {
 public:
  recovery_world();

  testing::world& inside() { return world_; }

  /// Once `prepare` has had its say: the cluster comes up.
  void begin();

  void want(const std::string& task, const std::string& executor = {});
  void kill(const std::string& task);
  /// All wishes have ended, and the framework with them; looks at everything that must be true then.
  void finish();

  void pass(std::chrono::seconds time);
  /// Ends and is started again; `away` later.
  void restart(const std::string& name, std::chrono::seconds away = std::chrono::seconds(1));
  void reboot();
  /// The command of a task or a custom executor ends by itself, unless its task never came to run.
  void end(const std::string& label, int status);
  /// Of a task in a custom executor, which says that it has finished.
  void finish_in(const std::string& executor, const std::string& task);
  /// Until the framework was told so, or that it has ended.
  void await_running(const std::string& task);
  void await_ended(const std::string& task);

 private:
  struct seen {
    v1::TaskState state = v1::TASK_STAGING;
    bool ran = false;     ///< the framework was told so
    bool ended = false;   ///< …
    std::string outcome;  ///< that state and its message
  };

  void revive();
  void look();
  void look_at_letters();
  void look_at_ids();
  void await(const std::string& what, const std::function<bool()>& holds);
  v1::TaskState told(const std::string& task) const;
  const remembering_scheduler* framework() const;
  [[noreturn]] void fail(const std::string& what) const;

  testing::world world_;
  std::shared_ptr<remembering_scheduler> logic_;  ///< of the framework's latest start
  std::map<std::string, std::string> executors_;  ///< of each wish; empty: a command
  std::map<std::string, v1::TaskState>
      may_end_;  ///< what was done to a task, and so what it may be told to have become
  std::map<std::string, std::chrono::seconds> away_;
  std::map<std::string, seen> seen_;
  std::map<std::string, std::string> ids_;
  std::size_t letters_ = 0;
  bool over_ = false;
};

}  // namespace troupe::test
