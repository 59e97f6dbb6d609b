#pragma once

#include "protocol/error.hpp"

#include <cstdint>
#include <string>
#include <utility>

/// Descriptors of sockets, all close-on-exec and non-blocking: nothing of ours leaks into a task.
namespace troupe {

/// Owns one descriptor.
class socket_fd {
 public:
  socket_fd() = default;
  explicit socket_fd(int fd) : fd_(fd) {}
  ~socket_fd();
  socket_fd(socket_fd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  socket_fd& operator=(socket_fd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }

  int get() const { return fd_; }
  int release() { return std::exchange(fd_, -1); }
  explicit operator bool() const { return fd_ >= 0; }

 private:
  int fd_ = -1;
};

/// Listens on a numeric address; port 0 picks a free one, which `port_of` tells.
result<socket_fd> listen_tcp(const std::string& address, std::uint16_t port);
std::uint16_t port_of(const socket_fd& listener);

/// Listens on a path of at most 107 bytes. A socket there that nobody listens on any more is replaced; anything else
/// stays, and is an error.
result<socket_fd> listen_unix(const std::string& path, unsigned mode);

/// Takes the next connection; none if there is none. An error: the process is out of descriptors or memory.
result<socket_fd> accept_connection(int listener);

/// A fresh stream socket of an address family.
result<socket_fd> open_stream_socket(int family);

/// Binds a fresh socket to a numeric address of this machine; which port is chosen when it is connected, so that one
/// address can be used as many times as there are ports for each far end.
result<void> bind_source(const socket_fd& fd, const std::string& address);

/// Connects at once, as is possible on this machine only.
result<socket_fd> connect_unix(const std::string& path);

}  // namespace troupe
