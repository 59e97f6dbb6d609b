#pragma once

#include "actors/allocator/agent_account.hpp"
#include "actors/allocator/subscriber.hpp"
#include "protocol/resources.hpp"

#include <map>
#include <string>
#include <utility>

namespace troupe {

/// What of an agent's free resources may go to whom. Claimants of a role with the same abilities see the same bundle,
/// made once; it speaks of the account as it was when the object was made.
class bundles {
 public:
  struct bundle {
    resources content;
    quantities amounts;
  };

  /// `hide_gpu_agents`: an agent with gpus has nothing for those who cannot use them, so that its other resources are
  /// kept for gpu tasks.
  bundles(const agent_account& account, bool hide_gpu_agents);

  /// Reserved to the role or an ancestor, and all that is unreserved, without the kinds that the framework does not
  /// understand.
  const bundle& for_role(const std::string& role, subscriber::abilities able);

 private:
  bundle make(const std::string& role, subscriber::abilities able) const;

  const agent_account& account_;
  bool gpus_only_;
  bool reservations_;
  std::map<std::pair<std::string, unsigned>, bundle> made_;
};

}  // namespace troupe
