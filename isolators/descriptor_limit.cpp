#include "isolators/descriptor_limit.hpp"

#include <sys/resource.h>

namespace troupe {

raised_descriptor_limit::raised_descriptor_limit() {
  rlimit now{};
  ::getrlimit(RLIMIT_NOFILE, &now);
  before_ = {RLIMIT_NOFILE, now.rlim_cur, now.rlim_max};
  now.rlim_cur = now.rlim_max;
  ::setrlimit(RLIMIT_NOFILE, &now);
}

raised_descriptor_limit::~raised_descriptor_limit() {
  rlimit again{before_.soft, before_.hard};
  ::setrlimit(RLIMIT_NOFILE, &again);
}

}  // namespace troupe
