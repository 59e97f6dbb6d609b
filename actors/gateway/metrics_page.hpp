#pragma once

#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace prometheus {
struct MetricFamily;
}

namespace troupe {

/// Everything a daemon counts, as Prometheus reads it. Thread-safe.
class metrics_page {
 public:
  /// Appends metric families as they are now; called at every scrape, on an I/O thread, so it must not block.
  using collector = std::function<void(std::vector<prometheus::MetricFamily>& into)>;

  void add(collector collect);
  /// The text exposition format, families by name.
  std::string text() const;

 private:
  mutable std::mutex mutex_;
  std::vector<collector> collectors_;
};

}  // namespace troupe
