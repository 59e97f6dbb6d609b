#pragma once

#include "troupe/internal/container.pb.h"
#include "troupe/internal/executor_state.pb.h"
#include "troupe/v1/troupe.pb.h"

namespace troupe {

/// How a command ended, as its task is told: state, reason, message, limitation and raw exit status.
///
///     asked to end           KILLED, whatever the exit status
///     ran too long           FAILED, MAX_COMPLETION_TIME_REACHED
///     ran into a limit       FAILED, with the limit's reason and figures
///     exit status 0          FINISHED
///     anything else          FAILED
v1::TaskStatus command_outcome(const internal::ContainerExited& exit, internal::ExecutorState::EndCause cause);

}  // namespace troupe
