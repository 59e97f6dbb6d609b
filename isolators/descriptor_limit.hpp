#pragma once

#include "isolators/resource_limits.hpp"

namespace troupe {

/// Raises this process's limit of open files to the most it may have, for as long as this lives: an agent holds two for
/// each running container, emulated peers one for each link. Tasks are to get the limit that was there before.
class raised_descriptor_limit {
 public:
  raised_descriptor_limit();
  ~raised_descriptor_limit();
  raised_descriptor_limit(const raised_descriptor_limit&) = delete;
  raised_descriptor_limit& operator=(const raised_descriptor_limit&) = delete;

  const resource_limit& before() const { return before_; }

 private:
  resource_limit before_;
};

}  // namespace troupe
