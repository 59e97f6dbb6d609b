#include "tests/unit/runtime/net/link_ends.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <thread>

namespace troupe::test {

namespace {

/// An agent that is connected to a master.
struct connected_pair {
  explicit connected_pair(transport which, const link_options& options = {}) {
    link_acceptor acceptor;
    acceptor.admit = [](const link_identity&) -> result<link_identity> { return identity(internal::MASTER, "m"); };
    acceptor.events = master.events();
    acceptor.options = options;
    bridge = std::make_unique<link_bridge>(which, acceptor);
    bridge->connect(identity(internal::AGENT, "a"), agent.events(), options);
    to_master = agent.wait_up();
    to_agent = master.wait_up();
  }
  ~connected_pair() { close(); }
  void close() {
    to_master->close("the test is over");
    agent.wait_down();
    master.wait_down();
  }

  link_ear agent, master;
  std::unique_ptr<link_bridge> bridge;
  std::shared_ptr<link> to_master, to_agent;
};

}  // namespace

TEST_CASE("each end of a link knows who stands at the other") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  connected_pair pair(which);
  CHECK(to_string(pair.to_master->peer().address()) == "master/m");
  CHECK(to_string(pair.to_agent->peer().address()) == "agent/a");
  CHECK(pair.to_agent->peer().incarnation == 7);
  CHECK(pair.to_agent->peer().software == "test");
}

TEST_CASE("envelopes arrive once, in order, in both directions") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  connected_pair pair(which);
  constexpr int letters = 5000;
  std::vector<std::string> sent;
  for (int i = 0; i < letters; ++i)
    sent.push_back(std::to_string(i) + std::string(static_cast<std::size_t>(i % 300), 'x'));
  std::thread back([&] {
    for (const auto& text : sent) pair.to_agent->send(envelope(text));
  });
  for (const auto& text : sent) REQUIRE(pair.to_master->send(envelope(text)));
  back.join();
  CHECK(pair.master.wait_envelopes(letters) == sent);
  CHECK(pair.agent.wait_envelopes(letters) == sent);
}

TEST_CASE("a link may outlive the threads that carried it: what is said then is not taken and wakes nobody") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket);
  INFO(name_of(which));
  link_ear master, agent;
  {
    link_acceptor acceptor;
    acceptor.admit = [](const link_identity&) -> result<link_identity> { return identity(internal::MASTER, "m"); };
    acceptor.events = master.events();
    link_bridge bridge(which, acceptor);
    bridge.connect(identity(internal::AGENT, "a"), agent.events(), {});
    agent.wait_up();
    master.wait_up();
  }
  CHECK_FALSE(agent.wait_up()->send(envelope("late")));
  CHECK_FALSE(master.wait_up()->send(envelope("late")));
}

TEST_CASE("many envelopes travel in few frames") {
  link_options options;
  connected_pair pair(transport::tcp, options);
  pair.master.hold();
  for (int i = 0; i < 10000; ++i) pair.to_master->send(envelope("letter"));
  pair.master.wait_envelopes(10000);
  pair.master.let_go();
  CHECK(options.counters->envelopes_sent.load() == 10000);
  CHECK(options.counters->envelopes_received.load() == 10000);
  // One write is under way while the rest gathers; one frame a letter would mean that nothing is batched.
  CHECK(options.counters->frames_sent.load() < 9000);
}

TEST_CASE("a receiver that does not finish with its letters stops the sender, and gets the rest when it does") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  link_options options;
  options.credit_bytes = 10000;
  connected_pair pair(which, options);
  pair.master.hold();
  const std::string text(1000, 'x');
  const auto cost = envelope(text).ByteSizeLong();
  for (int i = 0; i < 100; ++i) REQUIRE(pair.to_master->send(envelope(text)));
  const auto window = options.credit_bytes / cost;
  pair.master.wait_envelopes(window);
  // Traffic the other way proves that the link is alive and has had its turn.
  pair.to_agent->send(envelope("are you there"));
  pair.agent.wait_envelopes(1);
  CHECK(pair.master.envelopes() == window);
  pair.master.let_go();
  CHECK(pair.master.wait_envelopes(100).size() == 100);
}

TEST_CASE("a letter larger than the window passes when the window is free") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  link_options options;
  options.credit_bytes = 1000;
  connected_pair pair(which, options);
  REQUIRE(pair.to_master->send(envelope(std::string(200, 'a'))));
  REQUIRE(pair.to_master->send(envelope(std::string(500000, 'b'))));
  REQUIRE(pair.to_master->send(envelope(std::string(400, 'c'))));
  auto payloads = pair.master.wait_envelopes(3);
  CHECK(payloads[1].size() == 500000);
  CHECK(payloads[2].size() == 400);
}

TEST_CASE("a letter larger than a frame is refused, and the link stays") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  link_options options;
  options.frame_bytes = 100000;
  connected_pair pair(which, options);
  CHECK_FALSE(pair.to_master->send(envelope(std::string(200000, 'a'))));
  CHECK(options.counters->dropped_oversize.load() == 1);
  CHECK(pair.to_master->send(envelope("small")));
  CHECK(pair.master.wait_envelopes(1).front() == "small");
}

TEST_CASE("what waits for a slow reader is bounded: past it the link closes at both ends") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  link_options options;
  options.credit_bytes = 1000;
  options.send_queue_bytes = 100000;
  connected_pair pair(which, options);
  pair.master.hold();
  int sent = 0;
  while (pair.to_master->send(envelope(std::string(900, 'x')))) ++sent;
  CHECK(sent < 120);
  CHECK(pair.agent.wait_down() == "slow reader");
  pair.master.wait_down();
  CHECK(options.counters->closed_slow_reader.load() == 1);
  CHECK_FALSE(pair.to_master->send(envelope("too late")));
}

TEST_CASE("who was called may have far more to say than the window takes, and it all arrives") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  link_options options;
  options.credit_bytes = 64 << 10;
  connected_pair pair(which, options);
  constexpr int letters = 6000;  // of a kilobyte: six times what makes the far end count as behind
  for (int i = 0; i < letters; ++i) {
    REQUIRE(pair.to_agent->send(envelope(std::string(1000, 'x'))));
    pair.to_master->send(envelope("also"));
  }
  CHECK(pair.agent.wait_envelopes(letters).size() == letters);
  CHECK(pair.master.wait_envelopes(letters).size() == letters);
}

TEST_CASE("closing a link sends what waits, tells both ends once, and why") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  connected_pair pair(which);
  for (int i = 0; i < 1000; ++i) pair.to_master->send(envelope("last words"));
  pair.to_master->close("going home");
  pair.to_master->close("twice");
  CHECK(pair.master.wait_envelopes(1000).size() == 1000);
  CHECK(pair.agent.wait_down() == "going home");
  CHECK(pair.master.wait_down() == "closed by the other end: going home");
  CHECK_FALSE(pair.to_master->send(envelope("too late")));
  CHECK_FALSE(pair.to_agent->send(envelope("too late")));
  pair.bridge.reset();
  CHECK(pair.agent.history() == std::vector<std::string>{"up", "down"});
  CHECK(pair.master.history() == std::vector<std::string>{"up", "down"});
}

TEST_CASE("letters may be sent from many threads while the link is closed under them") {
  const auto which = GENERATE(transport::tcp, transport::in_process);
  INFO(name_of(which));
  connected_pair pair(which);
  std::vector<std::thread> senders;
  for (int t = 0; t < 4; ++t) {
    senders.emplace_back([&] {
      while (pair.to_master->send(envelope("x"))) {
      }
    });
  }
  pair.master.wait_envelopes(100);
  pair.to_agent->close("enough");
  for (auto& each : senders) each.join();
  CHECK(pair.master.wait_down() == "enough");
}

TEST_CASE("an acceptor that does not admit a peer tells it why") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket);
  link_acceptor acceptor;
  acceptor.admit = [](const link_identity& peer) {
    auto self = identity(internal::MASTER, "m");
    self.cluster_id = "c-1";
    return admit_same_cluster(self, peer);
  };
  link_ear master, agent;
  acceptor.events = master.events();
  link_bridge bridge(which, acceptor);
  auto stranger = identity(internal::AGENT, "a");
  stranger.cluster_id = "c-2";
  bridge.connect(stranger, agent.events());
  CHECK(bridge.wait_failure().find("c-1") != std::string::npos);
  CHECK(agent.history().empty());
  CHECK(acceptor.options.counters->handshakes_refused.load() == 1);
}

TEST_CASE("an idle link is kept alive by heartbeats, long beyond the silence that would close it") {
  link_options options;
  options.heartbeat_ms = 20;
  options.silence_ms = 2000;
  connected_pair pair(transport::tcp, options);
  // 2 ends, a heartbeat every 20 ms: after 300 of them more time has passed than silence may last.
  while (options.counters->heartbeats_received.load() < 300) std::this_thread::yield();
  CHECK(pair.agent.history() == std::vector<std::string>{"up"});
  CHECK(options.counters->closed_silence.load() == 0);
  CHECK(pair.to_master->send(envelope("still here")));
  pair.master.wait_envelopes(1);
}

TEST_CASE("silence closes a link") {
  link_options quiet;
  quiet.heartbeat_ms = 60000;
  quiet.silence_ms = 100;
  connected_pair pair(transport::tcp, quiet);
  // Whichever end notices first closes the connection, and that is what the other notices.
  const auto reasons = pair.agent.wait_down() + " | " + pair.master.wait_down();
  CHECK(reasons.find("silence: nothing heard for 100 ms") != std::string::npos);
  CHECK(quiet.counters->closed_silence.load() >= 1);
}

TEST_CASE("a server that stops takes its links down first") {
  connected_pair pair(transport::tcp);
  pair.bridge->server().stop();
  CHECK(pair.master.history() == std::vector<std::string>{"up", "down"});
  CHECK(pair.agent.wait_down() == "closed by the other end: shutting down");
}

}  // namespace troupe::test
