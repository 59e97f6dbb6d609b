#include "tests/fuzz/fuzzing.hpp"

#include <google/protobuf/stubs/logging.h>

#include <cstdio>
#include <cstdlib>

namespace troupe::fuzzing {

void require(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "fuzz: does not hold: %s\n", what);
  std::abort();
}

}  // namespace troupe::fuzzing

/// As the daemons do: protobuf prints no line of each message that it cannot read.
extern "C" int LLVMFuzzerInitialize(int*, char***) {
  google::protobuf::SetLogHandler(nullptr);
  return 0;
}
