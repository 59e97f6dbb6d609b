#pragma once

#include "actors/runtime/net/http_message.hpp"

#include <map>
#include <shared_mutex>
#include <string>

namespace troupe {

/// Which handler answers which path. Thread-safe; routes may be added while a server runs.
///
/// A path is tried as it stands, then cut back segment by segment (`/a/b/c`, `/a/b`, `/a`, `/`) among the routes that
/// take what is below them. A trailing '/' does not matter.
class http_routes {
 public:
  /// `method` is upper case; "*" takes all that have no handler of their own. HEAD is answered by GET's.
  void add(const std::string& method, const std::string& path, http_handler handler);
  /// As `add`, and everything below the path too.
  void add_below(const std::string& method, const std::string& path, http_handler handler);

  /// Finds a handler and calls it, or answers 404 or 405 itself. What a handler throws becomes a 500.
  void dispatch(const http_request& request, const responder& respond) const;

 private:
  struct route {
    std::map<std::string, http_handler> handlers;  ///< by method
    bool below = false;
  };

  void insert(const std::string& method, const std::string& path, http_handler handler, bool below);
  const route* find(std::string path) const;

  mutable std::shared_mutex mutex_;
  std::map<std::string, route> routes_;
};

}  // namespace troupe
