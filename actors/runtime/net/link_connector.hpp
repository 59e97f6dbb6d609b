#pragma once

#include "actors/runtime/net/link_dialler.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe {

struct connector_options {
  link_options link;
  std::uint32_t retry_first_ms = 100;  ///< doubles with each failure, partly random
  std::uint32_t retry_limit_ms = 5000;
};

/// Keeps one link up: dials, and dials again when an attempt fails or the link ends. Thread-safe. The events of a link
/// come as those of `dial`; a `down` is told before the next `up`.
class link_connector {
 public:
  /// `self` is asked anew at each attempt. `failed` hears of attempts that came to nothing, for the log.
  link_connector(io_threads& io, std::function<link_identity()> self, link_events events,
                 connector_options options = {},
                 std::function<void(const std::string& target, const error&)> failed = {});
  ~link_connector();  ///< as `stop`
  link_connector(const link_connector&) = delete;
  link_connector& operator=(const link_connector&) = delete;

  /// Whom to dial: `http://host:port`, `https://host:port`, `unix:/path`, or nobody when empty. A link to another
  /// target is closed, and the new one dialled at once.
  void set_target(const std::string& target);

  /// Closes the link; returns when it is down and no more event will come. Not to be called from an I/O thread.
  /// Idempotent.
  void stop();

 private:
  struct state;
  std::shared_ptr<state> state_;
};

}  // namespace troupe
