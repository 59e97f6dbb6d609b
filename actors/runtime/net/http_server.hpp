#pragma once

#include "actors/runtime/net/http_routes.hpp"
#include "actors/runtime/net/io_threads.hpp"
#include "actors/runtime/net/link_acceptor.hpp"
#include "actors/runtime/net/places.hpp"
#include "actors/runtime/net/refusals.hpp"
#include "actors/runtime/net/tls_context.hpp"

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

struct http_options {
  std::string address = "127.0.0.1";  ///< numeric; empty: no TCP
  std::uint16_t port = 0;             ///< 0 picks a free one
  std::string unix_path;              ///< empty: no Unix socket; at most 107 bytes
  unsigned unix_mode = 0600;

  /// TCP serves nothing but TLS then; the Unix socket stays plain. Links need a certificate if it verifies peers.
  std::shared_ptr<const tls_context> tls;
  /// Counts, and hears of, whoever is turned away or cut off; never null.
  std::shared_ptr<refusals> refused = std::make_shared<refusals>();

  std::size_t header_bytes_max = 16u << 10;
  std::size_t body_bytes_max = 8u << 20;
  place_limits places;
  std::size_t stream_queue_bytes_max = 16u << 20;  ///< what waits for a client that reads a streaming answer too slowly
  std::uint32_t handshake_ms = 5000;               ///< from accept to the end of the TLS handshake
  std::uint32_t first_request_ms = 10000;          ///< from then to the first byte of a request
  std::uint32_t head_ms = 10000;                   ///< from a request's first byte to the end of its head
  std::uint32_t request_ms = 30000;                ///< from there to its last byte
  std::uint32_t idle_ms = 60000;                   ///< between requests
  std::uint32_t write_ms = 30000;                  ///< without the client taking a byte of its answer
  std::uint32_t answer_bytes_per_s_min = 4096;     ///< over a whole answer, streaming ones aside; and write_ms on top

  // What all connections hold together; never null. One that holds more than its share is refused.
  std::shared_ptr<byte_budget> unfinished = std::make_shared<byte_budget>(512u << 20);  ///< of bodies that still come
  std::shared_ptr<byte_budget> unread = std::make_shared<byte_budget>(1u << 30);        ///< of answers
};

struct http_counters {
  std::atomic<std::uint64_t> accepted{0};
  std::atomic<std::uint64_t> open{0};  ///< connections now, links included
  std::atomic<std::uint64_t> requests{0}, bad_requests{0}, timeouts{0};
};

/// Serves HTTP/1.1 on TCP, a Unix socket, or both, and takes in links: `GET /link` with an upgrade.
///
/// Requests of one connection are handled and answered in order, one at a time. Malformed ones are answered in plain
/// text and the connection is closed. Handlers run on I/O threads and must not block; they answer when they like.
class http_server {
 public:
  /// Listens at once; errors name the address. Without an acceptor, `/link` is a path like others.
  static result<std::unique_ptr<http_server>> open(io_threads& io, http_options options,
                                                   std::shared_ptr<const http_routes> routes,
                                                   std::optional<link_acceptor> acceptor = std::nullopt);
  ~http_server();  ///< as `stop`
  http_server(const http_server&) = delete;
  http_server& operator=(const http_server&) = delete;

  /// The TCP port; 0 if there is none.
  std::uint16_t port() const;
  const http_counters& counters() const;
  /// By cause, links included.
  const refusals& refused() const;

  /// Stops listening, closes all connections and links, and returns when the last of them has ended (links: after
  /// `down`). Not to be called from an I/O thread. Idempotent.
  void stop();

 private:
  struct state;
  explicit http_server(std::shared_ptr<state> state);
  std::shared_ptr<state> state_;
};

}  // namespace troupe
