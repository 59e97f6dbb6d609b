#pragma once

#include "storage/journal.hpp"

#include <caf/allowed_unsafe_message_type.hpp>
#include <caf/error.hpp>
#include <caf/fwd.hpp>
#include <caf/replies_to.hpp>
#include <caf/typed_actor.hpp>

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// Commit these edits, after those of all requests before. Answered by commit_done once they are durable.
struct commit_request {
  edit_batch edits;
};
struct commit_done {};

/// Read all records under a prefix, as of all commits requested before. Answered by scan_done.
struct scan_request {
  std::string prefix;
};
struct scan_done {
  std::shared_ptr<const scan_result> found;
};

/// The actor that owns the store of a process. Detached: it may block.
///
///     shell A ── commit_request ──►│ sync in flight …
///     shell B ── commit_request ──►│
///     shell C ── commit_request ──►│ … done: the three become one write and one sync
///     A, B, C ◄── commit_done ─────│ in the order they were asked
///
/// Fail-stop: when a commit fails, its requests, those waiting behind it and all later ones, scans included, are
/// answered with the error. Whoever owns it lets it exit (the store is closed before its down message) and opens the
/// store anew.
using journal_actor = caf::typed_actor<caf::replies_to<commit_request>::with<commit_done>,
                                       caf::replies_to<scan_request>::with<scan_done>>;

/// Read by metrics and status at any time, from any thread; written by the journal's actor alone.
struct journal_counters {
  std::atomic<std::uint64_t> groups{0};               ///< writes to the store, each one sync
  std::atomic<std::uint64_t> requests{0};             ///< commit requests that these made durable
  std::atomic<std::uint64_t> records{0};              ///< edits in them
  std::atomic<std::uint64_t> bytes{0};                ///< keys and records in them
  std::atomic<std::uint64_t> last_group_requests{0};  ///< requests merged into the latest write
  std::atomic<std::uint64_t> max_group_requests{0};   ///< and into the largest so far
  std::atomic<bool> failed{false};                    ///< it refuses from now on
};

/// `on_failure` is called once, in the actor's thread, before anybody is answered with the error.
journal_actor spawn_journal(caf::actor_system& system, std::unique_ptr<journal_store> store,
                            std::shared_ptr<journal_counters> counters,
                            std::function<void(const error&)> on_failure = {});

/// What went wrong, from the error of a request to a journal_actor: the store's own error, or unavailable when the
/// actor is gone or the request timed out.
error journal_error(const caf::error& e);

}  // namespace troupe

namespace caf {
template <>
struct allowed_unsafe_message_type<troupe::commit_request> : std::true_type {};
template <>
struct allowed_unsafe_message_type<troupe::commit_done> : std::true_type {};
template <>
struct allowed_unsafe_message_type<troupe::scan_request> : std::true_type {};
template <>
struct allowed_unsafe_message_type<troupe::scan_done> : std::true_type {};
}  // namespace caf
