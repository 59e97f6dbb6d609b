#pragma once

#include "actors/runtime/step.hpp"
#include "protocol/address.hpp"
#include "tools/sim/chance.hpp"
#include "tools/sim/timeline.hpp"
#include "troupe/internal/container.pb.h"

#include <chrono>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace troupe::sim {

/// What a container runs: a task's command, or a custom executor.
struct container_label {
  std::string framework, task, executor;
  bool is_custom_executor() const { return task.empty(); }
  /// `framework/task`, or `framework/executor=…`.
  std::string text() const { return framework + "/" + (task.empty() ? "executor=" + executor : task); }

  static container_label of(const internal::LaunchContainer& plan);
};

/// How a container ended.
struct container_end {
  bool asked = false;  ///< by a signal or destruction; else by itself
  /// As from wait(2), of a command that ended by itself or at TERM; absent: for another reason, or nobody knows.
  std::optional<int> status;
};

/// How a command goes by itself.
struct command_course {
  timeline::duration lasts{0};
  int status = 0;  ///< as from wait(2)
  enum class at_term { ends, ignores, ends_well } term = at_term::ends;
};

/// How commands and containers of one machine behave.
struct container_habits {
  using duration = timeline::duration;
  duration start{std::chrono::milliseconds(5)};
  duration start_max{std::chrono::seconds(20)};
  double start_fails = 0;  ///< a launch is answered with a failure
  double ends_badly = 0;   ///< a command is killed for its memory, at a random moment of its life
  double stubborn = 0;     ///< a command does not end at SIGTERM
  double hardly_ends = 0;  ///< a container takes minutes to end even when it is destroyed
};

/// The containers of one machine, as the containerizer answers for them. They outlive the agent; how they ended is kept
/// until it is released. Time passes: starts, ends and commands take as long as the habits and the command say; of a
/// command `sleep N` with any `exit CODE` behind it is understood, another one lasts ten seconds; `trap '' TERM` before
/// it ignores TERM, and `trap 'exit 0' TERM` ends well at it.
class container_host {
 public:
  using duration = timeline::duration;
  struct reports {
    /// To whoever launched or, after a restart of the agent, first asked for it.
    std::function<void(const Address& asker, std::shared_ptr<const google::protobuf::Message>)> say;
    std::function<void(const std::string& id, const internal::LaunchContainer& plan)> started;
    std::function<void(const std::string& id, const container_label& label, const container_end& how)> ended;
    std::function<wall_time()> wall;
  };

  container_host(timeline& time, chance luck, reports to) : time_(time), luck_(luck), to_(std::move(to)) {}

  container_habits habits;

  void launch(const Address& asker, const internal::LaunchContainer& plan);
  void signal(const Address& asker, const internal::SignalContainer& asked);
  void destroy(const Address& asker, const internal::DestroyContainer& asked);
  void release(const internal::ReleaseContainer& told);
  void keep(const internal::KeepContainers& told);

  /// One that runs ends by itself, with a wait(2) status.
  void end(const std::string& id, int status);
  /// One that runs is gone, and nobody here knows that it ever was.
  void lose(const std::string& id);
  /// The machine goes down: all are gone without a word, and nothing is remembered.
  void forget_all();
  /// The agent is gone, and with it everybody who waited.
  void forget_askers();

  /// Of those that run, by id.
  std::map<std::string, container_label> running() const;
  std::size_t kept_ends() const { return ends_.size(); }

 private:
  struct container {
    container_label label;
    internal::LaunchContainer plan;
    std::optional<Address> asker;
    bool started = false;
    bool stubborn = false;
    bool hardly_ends = false;
    bool asked_to_end = false;
    bool ending = false;
    command_course::at_term term = command_course::at_term::ends;
    wall_time launched_at{};
  };

  void say(const Address& asker, std::shared_ptr<const google::protobuf::Message> body) {
    to_.say(asker, std::move(body));
  }
  void say_end(const Address& asker, const v1::ContainerID& id);
  void say_launched(const Address& asker, const std::string& id);
  void begin(const std::string& id, std::uint64_t life);
  void end_soon(const std::string& id, container& c, int status);
  void ended(const std::string& id, internal::ContainerExited how);
  bool is_same(const std::string& id, std::uint64_t life) const;

  timeline& time_;
  chance luck_;
  reports to_;
  std::uint64_t life_ = 0;  // of the machine
  std::map<std::string, container> all_;
  std::map<std::string, internal::ContainerExited> ends_;
};

command_course course_of(const v1::CommandInfo& command);

}  // namespace troupe::sim
