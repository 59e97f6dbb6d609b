#include "actors/runtime/link_hub.hpp"
#include "tests/unit/runtime/net/link_ends.hpp"

#include <caf/actor_system_config.hpp>
#include <catch2/catch.hpp>

#include <chrono>
#include <stdexcept>

/// Two hubs with a link between them, over each transport.
namespace troupe::test {

namespace {

/// Stands for a local actor: hears everything, and keeps it.
class letter_ear {
 public:
  directory::endpoint endpoint() {
    return
        [this](const directory::head_ptr& head, const directory::body_ptr& body, const std::shared_ptr<void>& credit) {
          std::lock_guard<std::mutex> lock(mutex_);
          heads_.push_back(head);
          bodies_.push_back(body);
          if (holding_) held_.push_back(credit);
          changed_.notify_all();
          return true;
        };
  }

  /// The short names of all letters so far, once there are that many.
  std::vector<std::string> wait(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (!changed_.wait_for(lock, std::chrono::seconds(60), [&] { return bodies_.size() >= count; })) {
      throw std::runtime_error("the letters do not come");
    }
    std::vector<std::string> names;
    for (const auto& body : bodies_) names.push_back(body->GetDescriptor()->name());
    return names;
  }
  template <class Message>
  Message body(std::size_t i) {
    std::lock_guard<std::mutex> lock(mutex_);
    return dynamic_cast<const Message&>(*bodies_.at(i));
  }
  Envelope head(std::size_t i) {
    std::lock_guard<std::mutex> lock(mutex_);
    return *heads_.at(i);
  }
  std::size_t count() {
    std::lock_guard<std::mutex> lock(mutex_);
    return bodies_.size();
  }
  void hold() {
    std::lock_guard<std::mutex> lock(mutex_);
    holding_ = true;
  }
  void let_go() {
    std::vector<std::shared_ptr<void>> held;  // ends outside the lock: it may bring the next letter at once
    std::lock_guard<std::mutex> lock(mutex_);
    holding_ = false;
    held.swap(held_);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<directory::head_ptr> heads_;
  std::vector<directory::body_ptr> bodies_;
  std::vector<std::shared_ptr<void>> held_;
  bool holding_ = false;
};

/// What one process has.
struct node {
  node(caf::actor_system& system, Address at, link_options options = {})
      : options(std::move(options)), hub(system, names, board, at, this->options.counters), at(at) {
    names.add_endpoint(at, ear.endpoint());
  }

  template <class Message>
  bool say(const Address& to, Message message, const Address* from = nullptr) {
    auto head = std::make_shared<Envelope>();
    *head->mutable_from() = from ? *from : at;
    *head->mutable_to() = to;
    head->set_sequence(++sequence);
    head->set_verb(verb_number<Message>::value);
    return names.deliver(head, std::make_shared<const Message>(std::move(message)));
  }

  link_options options;
  status_board board;
  directory names{board};
  letter_ear ear;
  link_hub hub;
  Address at;
  std::uint64_t sequence = 0;
};

internal::Pong pong(std::uint64_t number) {
  internal::Pong message;
  message.set_number(number);
  return message;
}

std::string field(int number, const std::string& bytes) {
  std::string out(1, static_cast<char>(number << 3 | 2));
  auto size = bytes.size();
  for (; size > 0x7f; size >>= 7) out.push_back(static_cast<char>((size & 0x7f) | 0x80));
  out.push_back(static_cast<char>(size));
  return out + bytes;
}

/// A status of a container in a container in a container …
std::string status_with_parents(int depth) {
  const auto value = field(v1::ContainerID::kValueFieldNumber, "x");
  std::string container = value;
  for (int i = 0; i < depth; ++i) container = value + field(v1::ContainerID::kParentFieldNumber, container);
  v1::TaskStatus status;
  status.mutable_task_id()->set_value("t");
  status.set_state(v1::TASK_RUNNING);
  const auto in_container = field(v1::ContainerStatus::kContainerIdFieldNumber, container);
  return field(internal::StatusUpdated::kStatusFieldNumber,
               status.SerializeAsString() + field(v1::TaskStatus::kContainerStatusFieldNumber, in_container));
}

struct few_threads : caf::actor_system_config {
  few_threads() { set("scheduler.max-threads", 2); }
};

struct cluster_of_two {
  explicit cluster_of_two(transport which, const link_options& options = {})
      : master(system, leader(), options), agent(system, address(internal::AGENT, "a"), options) {
    link_acceptor acceptor;
    acceptor.admit = [](const link_identity&) -> result<link_identity> { return identity(internal::MASTER, "m"); };
    acceptor.events = master.hub.events();
    acceptor.options = options;
    bridge = std::make_unique<link_bridge>(which, acceptor);
  }
  ~cluster_of_two() {
    agent.hub.stop();
    master.hub.stop();
    bridge.reset();
    agent.names.clear();
    master.names.clear();
  }
  void connect() {
    bridge->connect(identity(internal::AGENT, "a"), agent.hub.events(), agent.options);
    agent.ear.wait(1);
    master.ear.wait(1);
  }

  few_threads config;
  caf::actor_system system{config};
  node master, agent;
  std::unique_ptr<link_bridge> bridge;
};

}  // namespace

TEST_CASE("when a link comes up each local actor hears who is there, and when it goes, why") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  cluster_of_two two(which);
  two.connect();
  auto here = two.master.ear.body<internal::PeerConnected>(0);
  CHECK(to_string(here.peer()) == "agent/a");
  CHECK(here.incarnation() == 7);
  CHECK(here.software() == "test");
  CHECK(to_string(two.agent.ear.body<internal::PeerConnected>(0).peer()) == "master/m");
  CHECK(two.agent.names.knows(leader()));
  two.agent.hub.close_peer(address(internal::MASTER, "m"), "enough");
  two.master.ear.wait(2);
  two.agent.ear.wait(2);
  CHECK(to_string(two.master.ear.body<internal::PeerDisconnected>(1).peer()) == "agent/a");
  CHECK(two.agent.ear.body<internal::PeerDisconnected>(1).reason() == "enough");
  CHECK_FALSE(two.agent.names.knows(leader()));
  CHECK_FALSE(two.master.names.knows(address(internal::AGENT, "a")));
  CHECK(two.master.hub.peers().empty());
}

TEST_CASE("letters pass between typed actors in order, heads and all") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  cluster_of_two two(which);
  two.connect();
  constexpr std::uint64_t letters = 2000;
  for (std::uint64_t i = 1; i <= letters; ++i) REQUIRE(two.agent.say(leader(), pong(i)));
  internal::Ping ping;
  ping.set_connected(true);
  REQUIRE(two.master.say(address(internal::AGENT, "a"), ping));
  two.master.ear.wait(1 + letters);
  for (std::uint64_t i = 1; i <= letters; ++i) REQUIRE(two.master.ear.body<internal::Pong>(i).number() == i);
  auto head = two.master.ear.head(letters);
  CHECK(to_string(head.from()) == "agent/a");
  CHECK(to_string(head.to()) == "master/leader");
  CHECK(head.sequence() == letters);
  CHECK_FALSE(head.has_payload());
  CHECK(two.agent.ear.wait(2)[1] == "Ping");
}

TEST_CASE("an actor that holds its letters stops the far proxy's link, and letting go resumes it") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  link_options options;
  options.credit_bytes = 10000;
  cluster_of_two two(which, options);
  two.connect();
  two.master.ear.hold();
  internal::SendToFramework message;
  message.set_data(std::string(1000, 'x'));
  for (int i = 0; i < 100; ++i) REQUIRE(two.agent.say(leader(), message));
  two.master.ear.wait(1 + 8);
  internal::Ping ping;
  two.master.say(address(internal::AGENT, "a"), ping);
  two.agent.ear.wait(2);
  CHECK(two.master.ear.count() < 1 + 11);
  two.master.ear.let_go();
  CHECK(two.master.ear.wait(101).size() == 101);
}

TEST_CASE("verbs that a role may not say never reach an actor") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  link_ear villain;
  cluster_of_two two(which);
  two.bridge->connect(identity(internal::AGENT, "v"), villain.events());
  auto link = villain.wait_up();
  auto& counters = *two.master.options.counters;
  const auto say = [&](const Address& to, std::uint32_t verb, const std::string& payload,
                       const Address* from = nullptr) {
    Envelope e;
    *e.mutable_to() = to;
    if (from) *e.mutable_from() = *from;
    e.set_verb(verb);
    e.set_payload(payload);
    REQUIRE(link->send(std::move(e)));
  };
  const auto other = address(internal::AGENT, "somebody-else");
  say(leader(), verb_number<internal::TeardownFramework>::value, "");
  say(leader(), verb_number<internal::AddAgent>::value, "");
  say(leader(), verb_number<internal::Recovered>::value, "");
  say(allocator(), verb_number<internal::AddAgent>::value, "");
  say(leader(), 4000000000u, "");
  say(leader(), verb_number<internal::Pong>::value, pong(1).SerializeAsString(), &other);
  say(leader(), verb_number<internal::Pong>::value, "\xff\xff\xff");
  say(address(internal::MASTER, "nobody"), verb_number<internal::Pong>::value, pong(2).SerializeAsString());
  say(Address(), 0, "");
  say(leader(), verb_number<internal::Pong>::value, pong(3).SerializeAsString());
  CHECK(two.master.ear.wait(2) == std::vector<std::string>{"PeerConnected", "Pong"});
  CHECK(two.master.ear.body<internal::Pong>(1).number() == 3);
  CHECK(to_string(two.master.ear.head(1).from()) == "agent/v");
  CHECK(counters.dropped_not_allowed.load() == 4);
  CHECK(counters.dropped_unknown_verb.load() == 2);
  CHECK(counters.dropped_spoofed.load() == 1);
  CHECK(counters.dropped_malformed.load() == 1);
  CHECK(counters.dropped_undeliverable.load() == 1);
}

TEST_CASE("attack: deep nested protobuf in a payload is dropped and counted, and the link goes on") {
  link_ear villain;
  cluster_of_two two(transport::tcp);
  two.bridge->connect(identity(internal::AGENT, "v"), villain.events());
  auto link = villain.wait_up();
  Envelope e;
  *e.mutable_to() = leader();
  e.set_verb(verb_number<internal::StatusUpdated>::value);
  e.set_payload(std::string(4500000, '\x7b'));
  REQUIRE(link->send(e));
  e.set_payload(status_with_parents(20));
  REQUIRE(link->send(e));
  e.set_payload(status_with_parents(5000));
  REQUIRE(link->send(e));
  e.set_verb(verb_number<internal::Pong>::value);
  e.set_payload(pong(1).SerializeAsString());
  REQUIRE(link->send(e));
  CHECK(two.master.ear.wait(3) == std::vector<std::string>{"PeerConnected", "StatusUpdated", "Pong"});
  CHECK(two.master.options.counters->dropped_malformed.load() == 2);
  link->close("done");
  villain.wait_down();
}

TEST_CASE("attack: a payload of millions of unknown fields is dropped and counted, and the link goes on") {
  link_ear villain;
  cluster_of_two two(transport::tcp);
  two.bridge->connect(identity(internal::AGENT, "v"), villain.events());
  auto link = villain.wait_up();
  std::string unknown;
  for (int i = 0; i < 2000000; ++i) unknown += {char(15 << 3), '\0'};
  Envelope e;
  *e.mutable_to() = leader();
  e.set_verb(verb_number<internal::Pong>::value);
  e.set_payload(unknown);
  REQUIRE(link->send(e));
  e.set_payload(pong(1).SerializeAsString());
  REQUIRE(link->send(e));
  CHECK(two.master.ear.wait(2) == std::vector<std::string>{"PeerConnected", "Pong"});
  CHECK(two.master.options.counters->dropped_malformed.load() == 1);
  link->close("done");
  villain.wait_down();
}

TEST_CASE("roles that have nothing to say to each other get no link") {
  link_ear other;
  cluster_of_two two(transport::tcp);
  two.bridge->connect(identity(internal::EXECUTOR, "x"), other.events());
  CHECK(other.wait_down().find("a master has nothing to say to a executor") != std::string::npos);
  CHECK(two.master.ear.count() == 0);
}

TEST_CASE("a second link of the same peer replaces the first, whose end is told before and not after") {
  const auto which = GENERATE(transport::tcp, transport::unix_socket, transport::in_process);
  INFO(name_of(which));
  link_ear first, second;
  cluster_of_two two(which);
  two.bridge->connect(identity(internal::AGENT, "a"), first.events());
  first.wait_up();
  two.master.ear.wait(1);
  two.bridge->connect(identity(internal::AGENT, "a"), second.events());
  second.wait_up();
  CHECK(first.wait_down() == "closed by the other end: replaced");
  CHECK(two.master.ear.wait(3) == std::vector<std::string>{"PeerConnected", "PeerDisconnected", "PeerConnected"});
  CHECK(two.master.ear.body<internal::PeerDisconnected>(1).reason() == "replaced");
  INFO("letters go to the second");
  REQUIRE(two.master.say(address(internal::AGENT, "a"), internal::Ping()));
  second.wait_envelopes(1);
  CHECK(first.envelopes() == 0);
  CHECK(two.master.hub.peers().size() == 1);
  second.wait_up()->close("done");
  two.master.ear.wait(4);
  CHECK(two.master.ear.count() == 4);
  CHECK(two.master.options.counters->closed_replaced.load() == 1);
}

TEST_CASE("a restarted local actor can be told of its peers again") {
  cluster_of_two two(transport::in_process);
  two.connect();
  two.master.hub.announce_peers();
  CHECK(two.master.ear.wait(2) == std::vector<std::string>{"PeerConnected", "PeerConnected"});
}

TEST_CASE("a proxy's status shows what it has sent on, and goes with it") {
  cluster_of_two two(transport::tcp);
  two.connect();
  for (int i = 0; i < 10; ++i) two.agent.say(leader(), pong(1));
  two.master.ear.wait(11);
  auto status = two.agent.board.of("master/m");
  CHECK(status->sent.load() == 10);
  CHECK(status->handled.load() >= 9);  // the last one is counted after it was sent
  CHECK(status->last_verb.load() == verb_number<internal::Pong>::value);
  two.agent.hub.close_peer(address(internal::MASTER, "m"), "enough");
  two.agent.ear.wait(2);
  two.agent.hub.stop();
  for (const auto& block : two.agent.board.all()) CHECK(block->name != "master/m");
}

}  // namespace troupe::test
