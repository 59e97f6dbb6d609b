#include "tests/bench/figures.hpp"
#include "tests/bench/link_workload.hpp"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <map>
#include <memory>

namespace troupe::bench {
namespace {

[[noreturn]] void give_up(const char* what) {
  std::perror(what);
  std::exit(1);
}

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in at{};
  at.sin_family = AF_INET;
  at.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  at.sin_port = htons(port);
  return at;
}

/// A connection that carries envelopes, each behind its length in four bytes.
class framed_socket {
 public:
  explicit framed_socket(int fd) : fd_(fd), buffer_(256u << 10, '\0') {
    const int yes = 1;
    ::setsockopt(fd_, IPPROTO_TCP, TCP_NODELAY, &yes, sizeof(yes));
    ::fcntl(fd_, F_SETFL, O_NONBLOCK);
  }
  ~framed_socket() { ::close(fd_); }
  framed_socket(const framed_socket&) = delete;
  framed_socket& operator=(const framed_socket&) = delete;

  int fd() const { return fd_; }

  template <class Message>
  void queue(Envelope envelope, const Message& body) {
    body.SerializeToString(envelope.mutable_payload());
    const auto length = static_cast<std::uint32_t>(envelope.ByteSizeLong());
    const auto at = out_.size();
    out_.resize(at + sizeof(length) + length);
    std::memcpy(out_.data() + at, &length, sizeof(length));
    envelope.SerializeWithCachedSizesToArray(reinterpret_cast<std::uint8_t*>(out_.data() + at + sizeof(length)));
  }

  /// Reads once, and shows each envelope that is complete. False: the other end has gone.
  template <class See>
  bool read(See see) {
    const auto got = ::recv(fd_, buffer_.data(), buffer_.size(), 0);
    if (got == 0) return false;
    if (got < 0) return errno == EAGAIN || errno == EINTR;
    in_.append(buffer_.data(), static_cast<std::size_t>(got));
    std::size_t at = 0;
    std::uint32_t length = 0;
    while (in_.size() - at >= sizeof(length)) {
      std::memcpy(&length, in_.data() + at, sizeof(length));
      if (in_.size() - at - sizeof(length) < length) break;
      Envelope envelope;
      if (!envelope.ParseFromArray(in_.data() + at + sizeof(length), static_cast<int>(length))) return false;
      see(envelope);
      at += sizeof(length) + length;
    }
    in_.erase(0, at);
    return true;
  }

  /// Writes what it can; whether something is left.
  bool flush() {
    if (out_.empty()) return false;
    const auto put = ::send(fd_, out_.data(), out_.size(), MSG_NOSIGNAL);
    if (put > 0) out_.erase(0, static_cast<std::size_t>(put));
    return !out_.empty();
  }

 private:
  int fd_;
  std::string buffer_, in_, out_;
};

class epoll_loop {
 public:
  epoll_loop() : fd_(::epoll_create1(EPOLL_CLOEXEC)) {}
  ~epoll_loop() { ::close(fd_); }
  epoll_loop(const epoll_loop&) = delete;
  epoll_loop& operator=(const epoll_loop&) = delete;

  void watch(int fd, bool for_room = false) {
    epoll_event event{};
    event.events = for_room ? EPOLLIN | EPOLLOUT : EPOLLIN;
    event.data.fd = fd;
    if (::epoll_ctl(fd_, EPOLL_CTL_MOD, fd, &event) != 0) ::epoll_ctl(fd_, EPOLL_CTL_ADD, fd, &event);
  }
  /// Only where that has changed: a system call a write would be no floor.
  void flush(framed_socket& socket) {
    const bool left = socket.flush();
    if (waits_for_room_[socket.fd()] == left) return;
    watch(socket.fd(), waits_for_room_[socket.fd()] = left);
  }
  /// Calls `ready` for each descriptor until it says false.
  template <class Ready>
  void run(Ready ready) {
    epoll_event events[16];
    for (;;) {
      const int count = ::epoll_wait(fd_, events, 16, -1);
      for (int i = 0; i < count; ++i) {
        if (!ready(events[i].data.fd)) return;
      }
    }
  }

 private:
  int fd_;
  std::map<int, bool> waits_for_room_;
};

struct served_client {
  explicit served_client(int fd) : socket(fd) {}
  framed_socket socket;
  std::size_t heard = 0;
};

void answer(served_client& client, const Envelope& envelope, std::size_t answer_every) {
  scheduler::Call::Message asked;
  if (!asked.ParseFromString(envelope.payload())) return;
  if (++client.heard % answer_every != 0) return;
  client.socket.queue(
      head_of(server_address(), envelope.from(), verb_number<scheduler::Event::Message>::value, client.heard),
      answer_to(asked));
}

class floor_client {
 public:
  floor_client(std::size_t number, std::uint16_t port, const link_workload& work)
      : at_(client_address(number)), work_(work), socket_(connected(port)) {}

  framed_socket& socket() { return socket_; }
  bool done() const { return answered_ == work_.messages; }

  void begin() { send(work_.outstanding); }

  void on_answer(const Envelope& envelope, std::vector<double>& waits_us) {
    scheduler::Event::Message answer;
    if (!answer.ParseFromString(envelope.payload())) give_up("links_bench: an answer that is none");
    answered_ += work_.answer_every;
    if (work_.outstanding == 1) {
      waits_us.push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - sent_at_).count());
    }
    send(work_.answer_every);
  }

 private:
  static int connected(std::uint16_t port) {
    const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const auto to = loopback(port);
    if (::connect(fd, reinterpret_cast<const sockaddr*>(&to), sizeof(to)) != 0) give_up("links_bench: connect");
    return fd;
  }

  void send(std::size_t count) {
    sent_at_ = std::chrono::steady_clock::now();
    for (; count > 0 && sent_ < work_.messages; --count) {
      socket_.queue(head_of(at_, leader(), verb_number<scheduler::Call::Message>::value, ++sent_),
                    question(work_.body_bytes));
    }
  }

  Address at_;
  link_workload work_;
  framed_socket socket_;
  std::size_t sent_ = 0, answered_ = 0;
  std::chrono::steady_clock::time_point sent_at_;
};

}  // namespace

void serve_epoll(std::size_t answer_every) {
  const int listener = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  auto at = loopback(0);
  socklen_t size = sizeof(at);
  if (::bind(listener, reinterpret_cast<const sockaddr*>(&at), size) != 0 || ::listen(listener, 16) != 0)
    give_up("links_bench: listen");
  ::getsockname(listener, reinterpret_cast<sockaddr*>(&at), &size);
  announce_port(ntohs(at.sin_port));
  epoll_loop loop;
  loop.watch(listener);
  loop.watch(STDIN_FILENO);
  std::map<int, std::unique_ptr<served_client>> clients;
  loop.run([&](int fd) {
    if (fd == STDIN_FILENO) return false;
    if (fd == listener) {
      const int accepted = ::accept4(listener, nullptr, nullptr, SOCK_CLOEXEC);
      clients[accepted] = std::make_unique<served_client>(accepted);
      loop.watch(accepted);
      return true;
    }
    auto& client = *clients.at(fd);
    if (!client.socket.read([&](const Envelope& e) { answer(client, e, answer_every); })) {
      clients.erase(fd);
    } else {
      loop.flush(client.socket);
    }
    return true;
  });
  ::close(listener);
}

link_outcome run_epoll(const link_workload& work, std::uint16_t port) {
  link_outcome outcome;
  epoll_loop loop;
  std::map<int, std::unique_ptr<floor_client>> clients;
  for (std::size_t i = 0; i < work.clients; ++i) {
    auto made = std::make_unique<floor_client>(i, port, work);
    loop.watch(made->socket().fd());
    clients[made->socket().fd()] = std::move(made);
  }
  outcome.per_s = per_second(work.clients * work.messages, [&] {
    for (auto& [fd, client] : clients) {
      client->begin();
      loop.flush(client->socket());
    }
    std::size_t done = 0;
    loop.run([&](int fd) {
      auto& client = *clients.at(fd);
      const bool was_done = client.done();
      if (!client.socket().read([&](const Envelope& e) { client.on_answer(e, outcome.waits_us); }))
        give_up("links_bench: the server has gone");
      loop.flush(client.socket());
      if (!was_done && client.done()) ++done;
      return done < work.clients;
    });
  });
  return outcome;
}

}  // namespace troupe::bench
