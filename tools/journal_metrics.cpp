#include "tools/journal_metrics.hpp"

#include "actors/gateway/metrics.hpp"

#include <prometheus/metric_family.h>

namespace troupe {

metrics_page::collector journal_metrics(const journal_counters& counters) {
  return [&counters](std::vector<prometheus::MetricFamily>& into) {
    append_counter(into, "troupe_journal_commits_total", "Synced writes to the journal", counters.groups.load());
    append_counter(into, "troupe_journal_requests_total", "Commit requests that these made durable",
                   counters.requests.load());
    append_counter(into, "troupe_journal_records_total", "Records written or erased", counters.records.load());
    append_counter(into, "troupe_journal_bytes_total", "Bytes of keys and records written", counters.bytes.load());
  };
}

}  // namespace troupe
