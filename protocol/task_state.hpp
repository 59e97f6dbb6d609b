#pragma once

#include "troupe/v1/troupe.pb.h"

#include <string_view>

/// Task states and their one transition function.
///
///     STAGING ─► STARTING ─► RUNNING ─► KILLING ─► an end: FINISHED, FAILED, KILLED, ERROR,
///        │           │          │          │           LOST, DROPPED, GONE, GONE_BY_OPERATOR
///        └───────────┴──────────┴──────────┴──► UNREACHABLE ─► (the agent returns) any state
///
/// Steps may be left out, never taken back. UNKNOWN is what a master answers about a task that it has never heard of:
/// no task enters it, and anything may be learnt after it.
namespace troupe {

/// Nothing follows this state. LOST and GONE_BY_OPERATOR count, though a task may prove them wrong.
bool is_terminal(v1::TaskState state);

/// May a task that is in `from` be reported in `to`? A repetition of the same non-terminal state may (it carries new
/// health or check results); from a terminal state nothing may.
bool may_follow(v1::TaskState from, v1::TaskState to);

/// What a framework without PARTITION_AWARE is told instead: DROPPED, UNREACHABLE, GONE, GONE_BY_OPERATOR and UNKNOWN
/// become LOST.
v1::TaskState as_told(v1::TaskState state, bool partition_aware);

/// Does a task in this state hold its resources? Not once it is terminal or unreachable, and none is known of in
/// UNKNOWN.
bool holds_resources(v1::TaskState state);

/// "RUNNING", without the TASK_ prefix.
std::string_view short_name(v1::TaskState state);

}  // namespace troupe
