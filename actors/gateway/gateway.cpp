#include "actors/gateway/gateway.hpp"

#include "actors/gateway/files_endpoints.hpp"
#include "actors/gateway/json_answer.hpp"
#include "actors/gateway/metrics.hpp"
#include "protocol/json_text.hpp"
#include "protocol/verbs.hpp"

#include <prometheus/metric_family.h>

#include <chrono>

namespace troupe {

namespace {

std::string version_json(const build_facts& facts) {
  std::string json;
  {
    json_object_writer all(json);
    build_fields(facts, all);
  }
  return json;
}

std::uint64_t busy_ms(const status_block& block) {
  const auto since = block.busy_since_ns.load();
  const auto now = std::chrono::steady_clock::now().time_since_epoch().count();
  return since == 0 || now < since ? 0 : static_cast<std::uint64_t>(now - since) / 1000000;
}

std::string actors_json(const status_board& board) {
  std::string json;
  {
    json_object_writer all(json);
    json_array_writer list(all.key("actors"));
    for (const auto& block : board.all()) {
      const auto verb = block->last_verb.load();
      json_object_writer(list.element())
          .field("name", block->name)
          .field("depth", block->depth())
          .field("handled", block->handled.load())
          .field("busy_ms", busy_ms(*block))
          .field("last_message", verb == 0 ? std::string_view() : verb_name(verb))
          .field("incarnation", block->incarnation.load())
          .field("restarts", block->restarts.load());
    }
  }
  return json;
}

}  // namespace

gateway::gateway(std::shared_ptr<http_routes> routes, std::string process, const build_facts& facts,
                 const status_board& board)
    : routes_(std::move(routes)), process_(std::move(process)) {
  add_view("/health", [](const http_request&, const responder& respond) { respond(http_response()); });
  add_view("/version", [json = version_json(facts)](const http_request& request, const responder& respond) {
    respond(json_answer(request, json));
  });
  add_view("/actors", [&board](const http_request& request, const responder& respond) {
    respond(json_answer(request, actors_json(board)));
  });
  add_view("/metrics", [metrics = metrics_](const http_request&, const responder& respond) {
    auto response = http_text(200, metrics->text());
    response.content_type = "text/plain; version=0.0.4; charset=utf-8";
    respond(std::move(response));
  });
  serve_files(*routes_, files_, disk_);
  metrics_->add([disk = disk_](std::vector<prometheus::MetricFamily>& into) {
    append_gauge(into, "troupe_files_reading", "Requests that read files, downloads under way included",
                 static_cast<double>(disk->taken()));
    append_counter(into, "troupe_files_refused_total", "Requests for files that were refused because of too many",
                   disk->refused());
  });
}

void gateway::add_view(const std::string& path, std::function<void(const http_request&, responder)> view) {
  routes_->add("GET", path, view);
  routes_->add("GET", "/" + process_ + path, std::move(view));
}

void gateway::stop() {
  disk_->stop();
}

}  // namespace troupe
