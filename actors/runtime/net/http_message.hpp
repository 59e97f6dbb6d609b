#pragma once

#include "protocol/error.hpp"

#include <cstdint>
#include <ctime>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// HTTP as handlers see it: values, no sockets.
namespace troupe {

using http_headers = std::vector<std::pair<std::string, std::string>>;

struct http_request {
  std::string method;                        ///< as sent: "GET"
  std::string target;                        ///< as sent: "/files/read?path=%2Ftmp"
  std::string path;                          ///< decoded, begins with '/'; "/files/read"
  std::map<std::string, std::string> query;  ///< decoded; of a name given twice, the first
  http_headers headers;
  std::string body;
  bool peer_is_unix = false;  ///< came over the Unix socket

  /// The first header of this name, in any case; null if there is none.
  const std::string* header(std::string_view name) const;
};

/// Gives the next piece of a body, or none at its end, by calling `done` once, from any thread, at any time. It is
/// asked again only after that, and dropped when nobody wants more.
using http_source = std::function<void(std::function<void(std::optional<std::string> piece)> done)>;

struct http_response {
  unsigned status = 200;
  std::string content_type;  ///< no such header if empty
  std::string body;
  http_headers headers;  ///< besides Date, Content-Type, Content-Length and Connection, which are ours
  /// Instead of `body`: asked for one piece after the other as the client takes them, until it gives none. Asked on an
  /// I/O thread, so it must not block. `source_bytes` is what all pieces come to.
  http_source source;
  std::uint64_t source_bytes = 0;
};

/// A plain-text answer; without a text, the usual one of that status ("404 Not Found.").
http_response http_text(unsigned status, std::string text = {});

/// The status an error becomes, with its message as plain text.
http_response http_error(const error& e);

std::string_view http_reason(unsigned status);

struct http_target {
  std::string path;
  std::map<std::string, std::string> query;
};

/// Takes a request's target apart. Also takes the absolute form that proxies use.
result<http_target> parse_http_target(std::string_view target);

/// `Sun, 06 Nov 1994 08:49:37 GMT`
std::string http_date(std::time_t when);

/// How a response is framed on its connection.
struct http_framing {
  bool keep_alive = true;
  bool chunked = false;
  std::optional<std::uint64_t> content_length;
  std::time_t now = 0;
};

/// Status line and headers, blank line included. Line breaks within header values are replaced, so that none can be
/// smuggled in.
std::string render_http_head(const http_response& response, const http_framing& framing);

/// A response whose body is written piece by piece, for as long as both sides like. Thread-safe; dropping it ends it.
class http_stream {
 public:
  virtual ~http_stream() = default;
  /// Queues one chunk; each is written as one, never merged or split. False: the client is gone, or too much waits for
  /// it, which ends the stream.
  virtual bool write(std::string chunk) = 0;
  virtual void close() = 0;
  /// Called once when the client is gone or the stream has ended, at once if it has; on an I/O thread, or the caller's.
  virtual void on_closed(std::function<void()> closed) = 0;
};

/// The other half of a request: answers it, once, from any thread. Copies are one. If the last copy goes unanswered,
/// the client reads a 500.
class responder {
 public:
  class exchange {
   public:
    virtual ~exchange() = default;
    virtual void answer(http_response response) = 0;
    virtual std::shared_ptr<http_stream> open(http_response head) = 0;
  };

  explicit responder(std::shared_ptr<exchange> to) : to_(std::move(to)) {}

  void operator()(http_response response) const { to_->answer(std::move(response)); }
  /// Begins a chunked response with this head (its body is ignored).
  std::shared_ptr<http_stream> stream(http_response head) const { return to_->open(std::move(head)); }

 private:
  std::shared_ptr<exchange> to_;
};

using http_handler = std::function<void(const http_request&, responder)>;

}  // namespace troupe
