#include "actors/runtime/net/sockets.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace troupe {

namespace {

constexpr int backlog = 1024;

error system_error_of(const std::string& what, int code = errno) {
  return {errc::io, what + ": " + std::generic_category().message(code)};
}

const sockaddr* generic(const void* address) {
  return static_cast<const sockaddr*>(address);
}

result<sockaddr_un> unix_address(const std::string& path) {
  sockaddr_un address{};
  address.sun_family = AF_UNIX;
  if (path.empty() || path.size() >= sizeof address.sun_path) {
    return invalid("socket path " + path + ": must have 1 to " + std::to_string(sizeof address.sun_path - 1) +
                   " bytes");
  }
  std::memcpy(address.sun_path, path.data(), path.size());
  return address;
}

/// Removes a socket that a process which is gone has left at this path.
void remove_abandoned(const std::string& path, const sockaddr_un& address) {
  struct stat info {};
  if (::lstat(path.c_str(), &info) != 0 || !S_ISSOCK(info.st_mode)) return;
  socket_fd probe(::socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (::connect(probe.get(), generic(&address), sizeof address) != 0 && errno == ECONNREFUSED) ::unlink(path.c_str());
}

result<socket_fd> bind_and_listen(const void* address, socklen_t size, const std::string& name) {
  auto fd = open_stream_socket(generic(address)->sa_family);
  if (!fd) return fd;
  const int on = 1;
  ::setsockopt(fd->get(), SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  if (::bind(fd->get(), generic(address), size) != 0) return system_error_of("cannot listen on " + name);
  if (::listen(fd->get(), backlog) != 0) return system_error_of("cannot listen on " + name);
  return fd;
}

/// A numeric IPv4 or IPv6 address with a port, as the system takes it.
struct numeric_address {
  sockaddr_storage bytes{};
  socklen_t size = 0;
  bool v6 = false;
};

result<numeric_address> numeric(const std::string& address, std::uint16_t port) {
  numeric_address found;
  auto* v4 = static_cast<sockaddr_in*>(static_cast<void*>(&found.bytes));
  auto* v6 = static_cast<sockaddr_in6*>(static_cast<void*>(&found.bytes));
  if (::inet_pton(AF_INET, address.c_str(), &v4->sin_addr) == 1) {
    v4->sin_family = AF_INET;
    v4->sin_port = htons(port);
    found.size = sizeof *v4;
    return found;
  }
  if (::inet_pton(AF_INET6, address.c_str(), &v6->sin6_addr) == 1) {
    v6->sin6_family = AF_INET6;
    v6->sin6_port = htons(port);
    found.size = sizeof *v6;
    found.v6 = true;
    return found;
  }
  return invalid("address " + address + ": must be a numeric IPv4 or IPv6 address, as 127.0.0.1 or ::1");
}

}  // namespace

socket_fd::~socket_fd() {
  if (fd_ >= 0) ::close(fd_);
}

result<socket_fd> open_stream_socket(int family) {
  socket_fd fd(::socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));
  if (!fd) return system_error_of("cannot open a socket");
  return fd;
}

result<socket_fd> listen_tcp(const std::string& address, std::uint16_t port) {
  auto at = numeric(address, port);
  if (!at) return at.error();
  const auto host = at->v6 ? "[" + address + "]" : address;
  return bind_and_listen(&at->bytes, at->size, host + ":" + std::to_string(port));
}

result<void> bind_source(const socket_fd& fd, const std::string& address) {
  auto at = numeric(address, 0);
  if (!at) return at.error();
  const int on = 1;
  ::setsockopt(fd.get(), IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof on);
  if (::bind(fd.get(), generic(&at->bytes), at->size) != 0) return system_error_of("cannot call from " + address);
  return {};
}

std::uint16_t port_of(const socket_fd& listener) {
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getsockname(listener.get(), static_cast<sockaddr*>(static_cast<void*>(&address)), &size) != 0) return 0;
  if (address.ss_family == AF_INET)
    return ntohs(static_cast<const sockaddr_in*>(static_cast<const void*>(&address))->sin_port);
  if (address.ss_family == AF_INET6)
    return ntohs(static_cast<const sockaddr_in6*>(static_cast<const void*>(&address))->sin6_port);
  return 0;
}

result<socket_fd> listen_unix(const std::string& path, unsigned mode) {
  auto address = unix_address(path);
  if (!address) return address.error();
  remove_abandoned(path, *address);
  auto fd = bind_and_listen(&*address, sizeof *address, path);
  if (fd && ::chmod(path.c_str(), mode) != 0) return system_error_of("cannot set the mode of " + path);
  return fd;
}

result<socket_fd> accept_connection(int listener) {
  for (;;) {
    socket_fd fd(::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC | SOCK_NONBLOCK));
    if (fd || errno == EAGAIN || errno == EWOULDBLOCK) return fd;
    // What went wrong with that one connection (ECONNABORTED, network errors) is not the listener's trouble.
    if (errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM)
      return system_error_of("cannot accept");
    if (errno == EBADF || errno == EINVAL || errno == ENOTSOCK) return system_error_of("cannot accept");
  }
}

result<socket_fd> connect_unix(const std::string& path) {
  auto address = unix_address(path);
  if (!address) return address.error();
  auto fd = open_stream_socket(AF_UNIX);
  if (fd && ::connect(fd->get(), generic(&*address), sizeof(sockaddr_un)) != 0) {
    const int code = errno;
    return error{errc::unavailable, "cannot connect to " + path + ": " + std::generic_category().message(code)};
  }
  return fd;
}

}  // namespace troupe
