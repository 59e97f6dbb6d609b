#pragma once

#include "actors/gateway/metrics_page.hpp"
#include "actors/runtime/net/http_server.hpp"
#include "actors/runtime/net/link_counters.hpp"
#include "actors/runtime/status_block.hpp"

#include <cstdint>
#include <map>
#include <memory>
#include <string>

/// What every daemon counts about itself.
namespace troupe {

metrics_page::collector link_metrics(std::shared_ptr<const link_counters> counters);

/// `server` must outlive the page's use.
metrics_page::collector http_metrics(const http_server& server);

/// Depth, handled and busy time of each actor. `board` must outlive the page's use.
metrics_page::collector actor_metrics(const status_board& board);

/// One family with one value.
void append_counter(std::vector<prometheus::MetricFamily>& into, const std::string& name, const std::string& help,
                    std::uint64_t value);
void append_gauge(std::vector<prometheus::MetricFamily>& into, const std::string& name, const std::string& help,
                  double value);

}  // namespace troupe
