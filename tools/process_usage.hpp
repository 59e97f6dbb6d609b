#pragma once

#include <cstdint>
#include <set>

namespace troupe {

/// What this process takes of its machine.
namespace usage {

std::uint64_t resident_bytes();

/// The threads that there are now, as the system numbers them.
std::set<int> threads();

/// Processor time that these threads have used; those that have ended are left out.
double cpu_seconds(const std::set<int>& threads);

}  // namespace usage

}  // namespace troupe
