// A shared object as a later release of the SDK may make it: only what comes first is where it was.
#include <cstdint>

namespace {
struct newer {
  std::uint32_t sdk_version = 4711;
  std::uint32_t rest[64] = {};
};
}  // namespace

extern "C" {
extern const newer troupe_simulated_framework;
const newer troupe_simulated_framework;
}
