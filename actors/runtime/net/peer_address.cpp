#include "actors/runtime/net/peer_address.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <cstring>

namespace troupe {

namespace {

/// 64 bits in the order of the bytes.
std::uint64_t leading_bytes(const std::array<unsigned char, 16>& bytes) {
  std::uint64_t value = 0;
  for (std::size_t i = 0; i < 8; ++i) value = value << 8 | bytes[i];
  return value;
}

template <class Address>
Address as(const sockaddr_storage& from) {
  Address to;
  std::memcpy(&to, &from, sizeof to);
  return to;
}

}  // namespace

peer_address peer_address::of(int fd) {
  peer_address peer;
  sockaddr_storage address{};
  socklen_t size = sizeof address;
  if (::getpeername(fd, static_cast<sockaddr*>(static_cast<void*>(&address)), &size) != 0) return peer;
  if (address.ss_family == AF_INET) {
    const auto v4 = as<sockaddr_in>(address);
    peer.kind_ = kind::v4;
    std::memcpy(peer.bytes_.data(), &v4.sin_addr, sizeof v4.sin_addr);
    peer.number_ = ntohs(v4.sin_port);
  } else if (address.ss_family == AF_INET6) {
    const auto v6 = as<sockaddr_in6>(address);
    peer.kind_ = kind::v6;
    std::memcpy(peer.bytes_.data(), &v6.sin6_addr, sizeof v6.sin6_addr);
    peer.number_ = ntohs(v6.sin6_port);
  } else if (address.ss_family == AF_UNIX) {
    ucred who{};
    size = sizeof who;
    if (::getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size) != 0) return peer;
    peer.kind_ = kind::local;
    peer.user_ = who.uid;
    peer.number_ = static_cast<std::uint32_t>(who.pid);
  }
  return peer;
}

std::string peer_address::text() const {
  char host[INET6_ADDRSTRLEN] = "";
  switch (kind_) {
    case kind::unknown:
      return "unknown";
    case kind::v4:
      ::inet_ntop(AF_INET, bytes_.data(), host, sizeof host);
      return std::string(host) + ":" + std::to_string(number_);
    case kind::v6:
      ::inet_ntop(AF_INET6, bytes_.data(), host, sizeof host);
      return "[" + std::string(host) + "]:" + std::to_string(number_);
    case kind::local:
      return "uid=" + std::to_string(user_) + " pid=" + std::to_string(number_);
  }
  return "unknown";
}

peer_address::source_key peer_address::source() const {
  return {static_cast<std::uint32_t>(kind_), kind_ == kind::local ? user_ : leading_bytes(bytes_)};
}

}  // namespace troupe
