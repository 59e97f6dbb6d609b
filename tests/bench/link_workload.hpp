#pragma once

#include "protocol/verbs.hpp"

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

/// What goes over links and over the raw floor alike: the same messages in the same envelopes.
namespace troupe::bench {

/// Each client, over a connection of its own, keeps `outstanding` messages unanswered; the server answers every
/// `answer_every`-th. `messages` is per client and a multiple of it, as is `outstanding`.
struct link_workload {
  std::size_t clients = 1;
  std::size_t outstanding = 1;
  std::size_t messages = 1;
  std::size_t answer_every = 1;
  std::size_t body_bytes = 3;
};

struct link_outcome {
  double per_s = 0;              ///< messages, answered or not
  std::vector<double> waits_us;  ///< from sending to answer, where one is outstanding
};

/// A message from a client, and the server's answer.
scheduler::Call::Message question(std::size_t body_bytes);
scheduler::Event::Message answer_to(const scheduler::Call::Message& asked);

/// An envelope's head as shells fill it in.
Envelope head_of(const Address& from, const Address& to, std::uint32_t verb, std::uint64_t sequence);

/// Addresses as long as real ones.
Address client_address(std::size_t number);
Address server_address();

/// The same program as a server in a process of its own, until this object ends.
class server_process {
 public:
  /// `kind` is what `serve` is told.
  server_process(const std::string& kind, std::size_t answer_every);
  ~server_process();
  server_process(const server_process&) = delete;
  server_process& operator=(const server_process&) = delete;
  std::uint16_t port() const { return port_; }

 private:
  int pid_ = -1;
  int input_ = -1;
  std::uint16_t port_ = 0;
};

/// In the server: says where it listens. It ends when its standard input does.
void announce_port(std::uint16_t port);

// Over links.
void serve_links(std::size_t answer_every);
link_outcome run_links(const link_workload& work, std::uint16_t port);

// Over bare sockets: one thread at each end, an epoll loop that parses what has come, serialises all answers, and
// writes once a connection and round.
void serve_epoll(std::size_t answer_every);
link_outcome run_epoll(const link_workload& work, std::uint16_t port);

}  // namespace troupe::bench
