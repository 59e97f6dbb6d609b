#pragma once

#include "troupe/internal/recording.pb.h"

#include <string>
#include <vector>

namespace troupe {

/// One thing about which two outboxes differ.
struct outbox_difference {
  std::string what;              ///< `letter 2, RunTask to agent/a1`
  std::vector<std::string> how;  ///< a line each: fields that differ, with both values
};

/// Everything in which they differ, edits first, then letters, then moment and log; empty if they are the same to the
/// last byte. `before` is what was recorded, `now` what is decided now.
std::vector<outbox_difference> differences(const internal::RecordedOutbox& before, const internal::RecordedOutbox& now);

}  // namespace troupe
