#include "isolators/container_limits.hpp"

#include <cmath>

namespace troupe {
namespace {

constexpr double amount_max = 1e9;  // in cpus or MB: far above any machine, far below an overflow

struct line {
  std::optional<milli> request;
  std::optional<milli> limit;
};

result<line> line_of(const internal::LaunchContainer& launch, const resources& requested, const std::string& name) {
  line found;
  if (!requested.named(name).empty()) found.request = requested.scalar(name);
  found.limit = found.request;
  auto given = launch.limits().find(name);
  if (given == launch.limits().end()) return found;
  auto value = given->second.value();
  if (std::isinf(value) && value > 0) {
    found.limit.reset();
    return found;
  }
  if (!(value >= 0 && value <= amount_max)) {
    return invalid("limits['" + name + "'] is " + std::to_string(value) + "; it must be an amount >= 0, or infinity");
  }
  found.limit = static_cast<milli>(std::llround(value * 1000));
  if (found.request && *found.limit < *found.request) {
    return invalid("limits['" + name + "'] is " + std::to_string(value) + ", below the request of " +
                   std::to_string(static_cast<double>(*found.request) / 1000));
  }
  return found;
}

result<std::optional<std::int64_t>> bytes_of(const std::optional<milli>& megabytes) {
  if (!megabytes) return std::optional<std::int64_t>();
  if (*megabytes > static_cast<milli>(amount_max) * 1000) {
    return invalid("resources 'mem' is more than 1000000000 MB, which no machine has");
  }
  return std::optional<std::int64_t>(*megabytes * bytes_per_mb / 1000);
}

}  // namespace

result<container_limits> limits_of(const internal::LaunchContainer& launch) {
  auto requested = resources::from(launch.resources());
  if (!requested) return requested.error();
  auto cpus = line_of(launch, *requested, "cpus");
  if (!cpus) return cpus.error();
  auto mem = line_of(launch, *requested, "mem");
  if (!mem) return mem.error();
  auto request = bytes_of(mem->request);
  if (!request) return request.error();
  auto limit = bytes_of(mem->limit);
  if (!limit) return limit.error();
  return container_limits{cpus->request, cpus->limit, *request, *limit};
}

}  // namespace troupe
