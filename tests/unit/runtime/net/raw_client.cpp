#include "tests/unit/runtime/net/raw_client.hpp"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <stdexcept>

namespace troupe::test {

namespace {

// Guards against a hanging test only.
constexpr int patience_ms = 60000;

void wait_for(int fd, short what) {
  pollfd poller{fd, what, 0};
  if (::poll(&poller, 1, patience_ms) <= 0) throw std::runtime_error("the server neither reads nor writes nor closes");
}

}  // namespace

sockaddr_in raw_client::loopback(std::uint16_t port, std::uint32_t address) {
  sockaddr_in made{};
  made.sin_family = AF_INET;
  made.sin_port = htons(port);
  made.sin_addr.s_addr = htonl(address);
  return made;
}

raw_client raw_client::tcp(std::uint16_t port, std::uint32_t source) {
  auto fd = open_stream_socket(AF_INET).value();
  const auto from = loopback(0, source);
  if (::bind(fd.get(), static_cast<const sockaddr*>(static_cast<const void*>(&from)), sizeof from) != 0)
    throw std::runtime_error("cannot bind");
  return tcp_over(std::move(fd), port);
}

raw_client raw_client::tcp_over(socket_fd fd, std::uint16_t port) {
  const auto to = loopback(port);
  if (::connect(fd.get(), static_cast<const sockaddr*>(static_cast<const void*>(&to)), sizeof to) != 0 &&
      errno != EINPROGRESS) {
    throw std::runtime_error("cannot connect");
  }
  wait_for(fd.get(), POLLOUT);
  return raw_client(std::move(fd));
}

raw_client raw_client::unix_socket(const std::string& path) {
  return raw_client(connect_unix(path).value());
}

bool raw_client::send(std::string_view bytes) {
  while (!bytes.empty()) {
    const auto sent = ::send(fd_.get(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
    if (sent >= 0) {
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    } else if (errno == EAGAIN) {
      wait_for(fd_.get(), POLLOUT);
    } else {
      return false;
    }
  }
  return true;
}

void raw_client::end_of_sending() {
  ::shutdown(fd_.get(), SHUT_WR);
}

bool raw_client::fill() {
  char chunk[16384];
  for (;;) {
    const auto got = ::recv(fd_.get(), chunk, sizeof chunk, 0);
    if (got > 0) {
      buffer_.append(chunk, static_cast<std::size_t>(got));
      return true;
    }
    if (got == 0 || errno != EAGAIN) return false;
    wait_for(fd_.get(), POLLIN);
  }
}

bool raw_client::need(std::size_t bytes) {
  while (buffer_.size() < bytes) {
    if (!fill()) return false;
  }
  return true;
}

std::string raw_client::read_until(std::string_view text) {
  for (;;) {
    const auto at = buffer_.find(text);
    if (at != std::string::npos) {
      auto found = buffer_.substr(0, at + text.size());
      buffer_.erase(0, at + text.size());
      return found;
    }
    if (!fill()) return {};
  }
}

std::string raw_client::read_response() {
  auto head = read_until("\r\n\r\n");
  const auto at = head.find("Content-Length: ");
  if (at == std::string::npos) return head;
  const auto length = std::stoul(head.substr(at + std::strlen("Content-Length: ")));
  if (!need(length)) return {};
  head += buffer_.substr(0, length);
  buffer_.erase(0, length);
  return head;
}

std::string raw_client::read_to_end() {
  while (fill()) {
  }
  return std::exchange(buffer_, {});
}

bool raw_client::upgrade(const std::string& extra_headers) {
  send(
      "GET /link HTTP/1.1\r\nHost: test\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\n"
      "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" +
      extra_headers + "\r\n");
  return read_until("\r\n\r\n").find(" 101 ") != std::string::npos;
}

bool raw_client::send_frame(unsigned opcode, std::string_view payload, std::uint64_t claimed) {
  std::string frame;
  frame.push_back(static_cast<char>(0x80 | opcode));
  if (claimed < 126) {
    frame.push_back(static_cast<char>(0x80 | claimed));
  } else {
    frame.push_back(static_cast<char>(0x80 | 127));
    for (int shift = 56; shift >= 0; shift -= 8) frame.push_back(static_cast<char>((claimed >> shift) & 0xff));
    if (claimed < 65536) frame = {frame[0], static_cast<char>(0x80 | 126), frame[8], frame[9]};
  }
  frame.append(4, '\0');  // a mask that changes nothing
  frame += payload;
  return send(frame);
}

std::string raw_client::read_frame() {
  if (!need(2)) return {};
  const auto byte = [this](std::size_t i) {
    return static_cast<std::uint64_t>(static_cast<unsigned char>(buffer_[i]));
  };
  const bool is_close = (byte(0) & 0x0f) == 8;
  std::size_t head = 2;
  std::uint64_t length = byte(1) & 0x7f;
  if (length == 126) {
    head = 4;
    if (!need(head)) return {};
    length = byte(2) << 8 | byte(3);
  }
  if (!need(head + length)) return {};
  auto payload = buffer_.substr(head, length);
  buffer_.erase(0, head + length);
  return is_close && payload.size() >= 2 ? payload.substr(2) : payload;
}

}  // namespace troupe::test
