#pragma once

#include "actors/runtime/net/http_routes.hpp"
#include "actors/runtime/net/io_threads.hpp"
#include "actors/runtime/net/link_acceptor.hpp"
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
  /// Hears who did not get through the TLS handshake, and why. Called on an I/O thread, once a connection.
  std::function<void(const std::string& peer, const std::string& why)> on_handshake_failed;

  std::size_t header_bytes_max = 16u << 10;
  std::size_t body_bytes_max = 8u << 20;
  std::size_t connections_max = 16384;             ///< links included
  std::size_t stream_queue_bytes_max = 16u << 20;  ///< what waits for a client that reads a streaming answer too slowly
  std::uint32_t handshake_ms = 5000;               ///< from accept to the end of the TLS handshake
  std::uint32_t request_ms = 30000;                ///< from a request's first byte to its last
  std::uint32_t idle_ms = 60000;                   ///< between requests
  std::uint32_t write_ms = 30000;                  ///< without the client taking a byte of its answer
};

struct http_counters {
  std::atomic<std::uint64_t> accepted{0}, refused{0};  ///< connections; refused: there were too many
  std::atomic<std::uint64_t> open{0};                  ///< connections now, links included
  std::atomic<std::uint64_t> handshakes_failed{0};     ///< of TLS
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

  /// Stops listening, closes all connections and links, and returns when the last of them has ended (links: after
  /// `down`). Not to be called from an I/O thread. Idempotent.
  void stop();

 private:
  struct state;
  explicit http_server(std::shared_ptr<state> state);
  std::shared_ptr<state> state_;
};

}  // namespace troupe
