#pragma once

#include "actors/runtime/step.hpp"
#include "protocol/error.hpp"

#include <chrono>
#include <cstdint>
#include <string_view>

namespace troupe {

/// How long emulated tasks last: normally distributed, never less than nothing.
struct task_length {
  std::chrono::nanoseconds mean{0};
  std::chrono::nanoseconds deviation{0};
};

/// `30`, `0.5` or `30:10`: mean and deviation in seconds. Errors: invalid_argument, saying what would be valid.
result<task_length> parse_task_length(std::string_view text);

/// The lengths of one agent's tasks, one after the other; which ones, the seed says.
class task_lengths {
 public:
  task_lengths(task_length chosen, std::uint64_t seed) : chosen_(chosen), random_(seed) {}
  std::chrono::nanoseconds next();

 private:
  /// In (0, 1].
  double uniform();

  task_length chosen_;
  random_stream random_;
};

}  // namespace troupe
