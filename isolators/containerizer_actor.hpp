#pragma once

#include "actors/runtime/process.hpp"
#include "isolators/containerizer.hpp"

namespace troupe {

/// The containerizer of a process: containerizer/local.
Address containerizer_address();

/// The containerizer's shell as a supervisor's child, in a thread of its own. From its spawn on it is in the directory;
/// letters wait while what an earlier process left is taken over. Events go, as letters, to whoever launched the
/// container last; requests about a container that is unknown or has ended are answered to whoever asks. When its
/// process shuts down it ends all containers first, unless the options say that they are left running; one that fails
/// leaves them to the next.
///
/// If the runtime directory cannot be used, the actor says why in the log and fails.
child_spec containerizer_child(caf::actor_system& system, services& rt, const containerizer_options& options);

/// Starts it under the process's supervisor. Before the agent, whose first letters it may get.
void start_containerizer(process& host, const containerizer_options& options);

}  // namespace troupe
