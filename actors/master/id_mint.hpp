#pragma once

#include "protocol/ids.hpp"

#include <cstdint>
#include <string>
#include <utility>

namespace troupe {

/// Makes the ids that a master gives out: cluster id, epoch, counter. The epoch rises durably at every recovery and the
/// counters begin again with it, so no id comes twice.
class id_mint {
 public:
  id_mint() = default;
  id_mint(std::string cluster, std::uint64_t epoch) : cluster_(std::move(cluster)), epoch_(epoch) {}

  agent_id next_agent();          ///< <cluster>-<epoch>-S<n>
  framework_id next_framework();  ///< <cluster>-<epoch>-<n, four digits at least>
  offer_id next_offer();          ///< <cluster>-<epoch>-O<n>

  const std::string& cluster() const { return cluster_; }
  std::uint64_t epoch() const { return epoch_; }
  /// <cluster>-<epoch>: one leadership of one master.
  std::string reign() const;

  struct counters {
    std::uint64_t agents = 0;
    std::uint64_t frameworks = 0;
    std::uint64_t offers = 0;
  };
  const counters& next() const { return next_; }
  void resume(counters next) { next_ = next; }

 private:
  std::string cluster_;
  std::uint64_t epoch_ = 0;
  counters next_;
};

}  // namespace troupe
