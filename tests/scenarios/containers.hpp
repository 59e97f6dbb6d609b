#pragma once

#include "protocol/address.hpp"
#include "troupe/internal/container.pb.h"

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::testing {

/// The containers of one machine, as the containerizer would answer for them: a launch succeeds, TERM ends what is not
/// stubborn, a destruction ends everything, and each end is told to whoever launched the container last or, after a
/// restart of the agent, first asked for it. They outlive the agent, and how they ended is kept until it is released.
class containers {
 public:
  struct event {
    Address to;
    std::shared_ptr<const google::protobuf::Message> body;
    std::string ended;  ///< label of a container that is gone now
  };
  using is_stubborn = std::function<bool(const std::string& label)>;

  /// Of the task or custom executor that a launch is for.
  static std::string label_of(const internal::LaunchContainer& plan);
  static bool is_custom_executor(const internal::LaunchContainer& plan);

  std::vector<event> launch(const Address& asker, const internal::LaunchContainer& plan);
  std::vector<event> signal(const Address& asker, const internal::SignalContainer& asked, const is_stubborn& stubborn);
  std::vector<event> destroy(const Address& asker, const internal::DestroyContainer& asked);
  void release(const internal::ReleaseContainer& told);
  /// The ends of those that the agent does not know.
  std::vector<event> keep(const internal::KeepContainers& told);
  /// Ends by itself. Empty: there is no such container.
  std::vector<event> end(const std::string& label, int status);

  /// Gone without a trace. False: there is no such container.
  bool lose(const std::string& label);

  bool runs(const std::string& label) const;
  std::vector<std::string> labels() const;
  /// Ended and not released.
  std::size_t kept() const { return ends_.size(); }
  /// How often the command of one container was started, at most; above 1, something ran twice.
  int most_starts() const;
  /// How often a container was started for a task or custom executor.
  int starts_of(const std::string& label) const;
  /// The machine is started again: nothing of before means anything.
  void forget_all();
  /// The agent is gone, and with it everybody who waited for an end.
  void forget_askers();

 private:
  struct container {
    std::string label;
    std::optional<Address> asker;
  };
  event answer_of_ended(const Address& asker, const v1::ContainerID& id) const;
  std::vector<event> ended(const std::string& id, std::optional<int> status);

  std::map<std::string, container> all_;
  std::map<std::string, internal::ContainerExited> ends_;
  std::map<std::string, int> starts_, starts_by_label_;
};

}  // namespace troupe::testing
