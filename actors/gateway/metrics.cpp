#include "actors/gateway/metrics.hpp"

#include <prometheus/metric_family.h>

#include <chrono>
#include <utility>

namespace troupe {

namespace {

using families = std::vector<prometheus::MetricFamily>;
using prometheus::MetricType;

prometheus::MetricFamily family(const std::string& name, const std::string& help, MetricType type) {
  prometheus::MetricFamily made;
  made.name = name;
  made.help = help;
  made.type = type;
  return made;
}

void add_value(prometheus::MetricFamily& to, double value, const std::string& label = {},
               const std::string& label_value = {}) {
  prometheus::ClientMetric metric;
  if (!label.empty()) metric.label.push_back({label, label_value});
  if (to.type == MetricType::Counter) {
    metric.counter.value = value;
  } else {
    metric.gauge.value = value;
  }
  to.metric.push_back(std::move(metric));
}

double value_of(const std::atomic<std::uint64_t>& counter) {
  return static_cast<double>(counter.load());
}

using by_cause = std::vector<std::pair<const char*, const std::atomic<std::uint64_t>*>>;

void append_by_cause(families& into, const std::string& name, const std::string& help, const by_cause& causes) {
  auto all = family(name, help, MetricType::Counter);
  for (const auto& [cause, counter] : causes) add_value(all, value_of(*counter), "cause", cause);
  into.push_back(std::move(all));
}

void append_both_ways(families& into, const std::string& name, const std::string& help,
                      const std::atomic<std::uint64_t>& sent, const std::atomic<std::uint64_t>& received) {
  auto both = family(name, help, MetricType::Counter);
  add_value(both, value_of(sent), "direction", "sent");
  add_value(both, value_of(received), "direction", "received");
  into.push_back(std::move(both));
}

std::int64_t now_ns() {
  return std::chrono::steady_clock::now().time_since_epoch().count();
}

}  // namespace

void append_counter(families& into, const std::string& name, const std::string& help, std::uint64_t value) {
  into.push_back(family(name, help, MetricType::Counter));
  add_value(into.back(), static_cast<double>(value));
}

void append_gauge(families& into, const std::string& name, const std::string& help, double value) {
  into.push_back(family(name, help, MetricType::Gauge));
  add_value(into.back(), value);
}

metrics_page::collector link_metrics(std::shared_ptr<const link_counters> counters) {
  return [counters](families& into) {
    const auto& c = *counters;
    append_gauge(into, "troupe_links", "Links that are up", value_of(c.opened) - value_of(c.closed));
    append_counter(into, "troupe_links_opened_total", "Links that came up", c.opened.load());
    append_both_ways(into, "troupe_link_frames_total", "Frames of envelopes or credit", c.frames_sent,
                     c.frames_received);
    append_both_ways(into, "troupe_link_envelopes_total", "Envelopes", c.envelopes_sent, c.envelopes_received);
    append_both_ways(into, "troupe_link_envelope_bytes_total", "Bytes of envelopes", c.bytes_sent, c.bytes_received);
    append_by_cause(into, "troupe_link_handshakes_failed_total", "Connections that became no link",
                    {{"refused", &c.handshakes_refused}, {"malformed", &c.handshakes_failed}});
    append_by_cause(into, "troupe_links_closed_total", "Links that were closed for cause",
                    {{"slow_reader", &c.closed_slow_reader},
                     {"silence", &c.closed_silence},
                     {"protocol", &c.closed_protocol},
                     {"replaced", &c.closed_replaced}});
    append_by_cause(into, "troupe_link_letters_dropped_total", "Letters that were not delivered",
                    {{"oversize", &c.dropped_oversize},
                     {"unsent", &c.dropped_unsent},
                     {"not_allowed", &c.dropped_not_allowed},
                     {"unknown_verb", &c.dropped_unknown_verb},
                     {"spoofed", &c.dropped_spoofed},
                     {"malformed", &c.dropped_malformed},
                     {"undeliverable", &c.dropped_undeliverable},
                     {"late", &c.dropped_late}});
  };
}

metrics_page::collector http_metrics(const http_server& server) {
  return [&server](families& into) {
    const auto& c = server.counters();
    append_gauge(into, "troupe_http_connections", "Open connections, links included", value_of(c.open));
    append_counter(into, "troupe_http_connections_accepted_total", "Connections taken in", c.accepted.load());
    auto refused = family("troupe_peers_refused_total", "Peers that were turned away or cut off", MetricType::Counter);
    for (std::size_t i = 0; i < refusals_known; ++i) {
      const auto cause = static_cast<refusal>(i);
      add_value(refused, static_cast<double>(server.refused().count(cause)), "cause", std::string(refusal_name(cause)));
    }
    into.push_back(std::move(refused));
    append_counter(into, "troupe_http_requests_total", "Requests", c.requests.load());
    append_counter(into, "troupe_http_bad_requests_total", "Requests that ended their connection",
                   c.bad_requests.load());
    append_counter(into, "troupe_http_timeouts_total", "Requests that did not come to their end in time",
                   c.timeouts.load());
  };
}

metrics_page::collector actor_metrics(const status_board& board) {
  return [&board](families& into) {
    auto depth = family("troupe_actor_mailbox_depth", "Messages that wait for an actor", MetricType::Gauge);
    auto handled =
        family("troupe_actor_messages_handled_total", "Messages that an actor has handled", MetricType::Counter);
    auto busy = family("troupe_actor_busy_seconds",
                       "For how long an actor has been at its present message; 0 while idle", MetricType::Gauge);
    auto restarts = family("troupe_actor_restarts_total", "How often an actor was restarted by its supervisor",
                           MetricType::Counter);
    for (const auto& block : board.all()) {
      const auto since = block->busy_since_ns.load();
      add_value(depth, static_cast<double>(block->depth()), "actor", block->name);
      add_value(handled, value_of(block->handled), "actor", block->name);
      add_value(busy, since == 0 ? 0.0 : static_cast<double>(now_ns() - since) / 1e9, "actor", block->name);
      add_value(restarts, value_of(block->restarts), "actor", block->name);
    }
    for (auto* each : {&depth, &handled, &busy, &restarts}) into.push_back(std::move(*each));
  };
}

}  // namespace troupe
