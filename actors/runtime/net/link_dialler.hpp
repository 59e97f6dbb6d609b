#pragma once

#include "actors/runtime/net/io_threads.hpp"
#include "actors/runtime/net/link.hpp"
#include "protocol/error.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe {

/// Where a server listens: `http://host:port`, `https://host:port` or `unix:/path`.
struct link_target {
  bool tls = false;
  std::string host, port;  ///< both empty for a Unix socket
  std::string unix_path;
};

result<link_target> parse_link_target(const std::string& text);

/// An attempt under way, or the link it became.
class link_attempt {
 public:
  virtual ~link_attempt() = default;
  /// Gives up, or closes the link: `failed` or `down` follows, unless it has been called. Thread-safe.
  virtual void cancel(const std::string& reason) = 0;
};

/// Makes one attempt. Either `events.up` is called and some time later `events.down`, or `failed` once. All on I/O
/// threads.
std::shared_ptr<link_attempt> dial(io_threads& io, const link_target& target, const link_identity& self,
                                   link_events events, const link_options& options,
                                   std::function<void(const error&)> failed);

}  // namespace troupe
