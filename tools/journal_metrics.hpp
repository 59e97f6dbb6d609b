#pragma once

#include "actors/gateway/metrics_page.hpp"
#include "storage/journal_actor.hpp"

namespace troupe {

/// Commits, records and bytes of a process's journal. `counters` must outlive the page's use.
metrics_page::collector journal_metrics(const journal_counters& counters);

}  // namespace troupe
