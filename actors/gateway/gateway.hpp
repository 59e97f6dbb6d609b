#pragma once

#include "actors/gateway/build_facts.hpp"
#include "actors/gateway/disk_desk.hpp"
#include "actors/gateway/files.hpp"
#include "actors/gateway/metrics_page.hpp"
#include "actors/runtime/net/http_routes.hpp"
#include "actors/runtime/status_block.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// What a daemon shows over HTTP, apart from the v1 API: `/health`, `/version`, `/metrics`, `/actors`, `/files/…`, and
/// the views its owner adds. It only reads, and works while every actor is stuck.
class gateway {
 public:
  /// `process` is the first path segment that clients may put before a view's path: "master", or "slave(1)" on an
  /// agent. `routes` may be served already. `board` outlives the server.
  gateway(std::shared_ptr<http_routes> routes, std::string process, const build_facts& facts,
          const status_board& board);

  /// GET `path` and `/process/path`.
  void add_view(const std::string& path, std::function<void(const http_request&, responder)> view);

  /// What can be read under `/files`. Thread-safe.
  const std::shared_ptr<files>& served_files() const { return files_; }
  /// What `/metrics` tells. Thread-safe.
  const std::shared_ptr<metrics_page>& metrics() const { return metrics_; }

  /// Ends its own threads, on which the disk is read. After the server has been stopped.
  void stop();

 private:
  std::shared_ptr<http_routes> routes_;
  const std::string process_;
  std::shared_ptr<files> files_ = std::make_shared<files>();
  std::shared_ptr<metrics_page> metrics_ = std::make_shared<metrics_page>();
  std::shared_ptr<disk_desk> disk_ = std::make_shared<disk_desk>();
};

}  // namespace troupe
