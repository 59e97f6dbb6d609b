#include "tests/fuzz/fuzzing.hpp"

#include <cstdio>
#include <cstdlib>

namespace troupe::fuzzing {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", what);
  std::abort();
}

}  // namespace troupe::fuzzing
