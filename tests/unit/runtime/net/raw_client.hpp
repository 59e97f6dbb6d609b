#pragma once

#include "actors/runtime/net/sockets.hpp"

#include <netinet/in.h>

#include <cstdint>
#include <string>
#include <string_view>

/// A client that sends what bytes it likes and sees what comes back.
namespace troupe::test {

class raw_client {
 public:
  /// From `source`, an address of this machine in host order; 127.0.0.1 if not given.
  static raw_client tcp(std::uint16_t port, std::uint32_t source = 0x7f000001);
  /// Over a socket made before: where no descriptor is left for another.
  static raw_client tcp_over(socket_fd fd, std::uint16_t port);
  static raw_client unix_socket(const std::string& path);

  /// False: the other end has gone.
  bool send(std::string_view bytes);
  void end_of_sending();

  /// Reads one response with a Content-Length; head and body. Empty when the connection ended first.
  std::string read_response();
  /// Reads until `text` has come and returns all up to its end; empty when the connection ended first.
  std::string read_until(std::string_view text);
  /// Everything until the other end closes.
  std::string read_to_end();

  // --- WebSocket by hand ---

  /// Asks for a link; true when the server agreed.
  bool upgrade(const std::string& extra_headers = {});
  /// A frame whose header claims `claimed` bytes of payload; `payload` is what follows.
  bool send_frame(unsigned opcode, std::string_view payload, std::uint64_t claimed);
  bool send_binary(std::string_view payload) { return send_frame(2, payload, payload.size()); }
  /// The next frame's payload; of a close frame the reason.
  std::string read_frame();

 private:
  explicit raw_client(socket_fd fd) : fd_(std::move(fd)) {}
  static sockaddr_in loopback(std::uint16_t port, std::uint32_t address = INADDR_LOOPBACK);
  bool fill();
  bool need(std::size_t bytes);

  socket_fd fd_;
  std::string buffer_;
};

}  // namespace troupe::test
