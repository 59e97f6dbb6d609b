#include "tests/unit/runtime/net/link_ends.hpp"
#include "tests/unit/runtime/net/raw_client.hpp"

#include "actors/runtime/net/link_frame.hpp"
#include "protocol/verbs.hpp"

#include <catch2/catch.hpp>

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iterator>
#include <thread>

/// What a hostile peer may try. Every test ends with a well-behaved peer being served.
namespace troupe::test {

namespace {

struct besieged_master {
  explicit besieged_master(link_options options = {}) : options(options) {
    acceptor.admit = [](const link_identity&) -> result<link_identity> { return identity(internal::MASTER, "m"); };
    acceptor.events = ear.events();
    acceptor.options = options;
    bridge = std::make_unique<link_bridge>(transport::tcp, acceptor);
  }

  raw_client connect() { return raw_client::tcp(bridge->server().port()); }
  /// A peer that has behaved so far.
  raw_client greet() {
    auto client = connect();
    REQUIRE(client.upgrade());
    client.send_binary(hello_frame(identity(internal::AGENT, "villain"), options));
    REQUIRE(read_welcome(client.read_frame()).has_value());
    return client;
  }
  void serves_others() {
    link_ear good;
    bridge->connect(identity(internal::AGENT, "good"), good.events());
    good.wait_up()->send(envelope("hello"));
    CHECK(ear.wait_envelopes(1).back() == "hello");
    good.wait_up()->close("done");
    good.wait_down();
  }
  /// All of them: a peer sees its end before it is counted, so the server is stopped first.
  std::uint64_t failed_handshakes() {
    bridge->server().stop();
    return options.counters->handshakes_failed.load();
  }

  link_options options;
  link_acceptor acceptor;
  link_ear ear;
  std::unique_ptr<link_bridge> bridge;
};

std::size_t resident_bytes() {
  std::ifstream statm("/proc/self/statm");
  std::size_t total = 0, resident = 0;
  statm >> total >> resident;
  return resident * static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
}

/// A peer may see its connection end a moment before that has been counted: waits for it, a guard against hanging
/// aside.
bool comes_to(const link_counters::count& counter, std::uint64_t value) {
  for (int i = 0; i < 30000 && counter.load() != value; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  return counter.load() == value;
}

}  // namespace

TEST_CASE("attack: a frame header that claims 4 GiB takes no memory and ends the link") {
  besieged_master master;
  auto client = master.greet();
  const auto before = resident_bytes();
  client.send_frame(2, "32 bytes and a header, no more…", std::uint64_t{4} << 30);
  client.read_to_end();
  CHECK(master.ear.wait_down().find("larger than") != std::string::npos);
  CHECK(resident_bytes() < before + (64u << 20));
  CHECK(comes_to(master.options.counters->closed_protocol, 1));
  master.serves_others();
}

TEST_CASE("attack: a large claim within the limit takes memory only as the bytes come") {
  besieged_master master;
  std::vector<raw_client> clients;
  for (int i = 0; i < 20; ++i) {
    clients.push_back(master.connect());
    REQUIRE(clients.back().upgrade());
    clients.back().send_binary(hello_frame(identity(internal::AGENT, "villain" + std::to_string(i)), master.options));
    REQUIRE(read_welcome(clients.back().read_frame()).has_value());
  }
  const auto before = resident_bytes();
  for (auto& client : clients) client.send_frame(2, "the beginning", 31u << 20);
  master.serves_others();
  CHECK(resident_bytes() < before + (64u << 20));
}

TEST_CASE("attack: before the handshake only small frames are read") {
  besieged_master master;
  auto client = master.connect();
  REQUIRE(client.upgrade());
  client.send_frame(2, "x", 1u << 20);
  client.read_to_end();
  CHECK(master.ear.history().empty());
  master.serves_others();
  CHECK(master.failed_handshakes() == 1);
}

TEST_CASE("attack: deep nested protobuf is refused without taking the stack") {
  besieged_master master;
  auto client = master.greet();
  SECTION("as groups, a byte a level") {
    client.send_binary(std::string(4500000, '\x7b'));
  }
  SECTION("as messages within the handshake") {
    auto other = master.connect();
    REQUIRE(other.upgrade());
    other.send_binary(std::string(10000, '\x7b'));
    CHECK(other.read_frame().find("not a frame") != std::string::npos);
    client.send_binary(std::string(4500000, '\x7b'));
  }
  CHECK(master.ear.wait_down().find("not a frame") != std::string::npos);
  master.serves_others();
}

TEST_CASE("attack: a frame of millions of empty envelopes ends the link before it takes their memory") {
  besieged_master master;
  auto client = master.greet();
  std::string empties;
  for (int i = 0; i < 4000000; ++i) empties += {char(internal::Frame::kEnvelopesFieldNumber << 3 | 2), '\0'};
  const auto before = resident_bytes();
  client.send_binary(empties);
  client.read_to_end();
  CHECK(master.ear.wait_down().find("too many parts") != std::string::npos);
  CHECK(resident_bytes() < before + (64u << 20));
  master.serves_others();
}

TEST_CASE("a frame may be large if its parts are") {
  auto large = envelope("hello");
  large.set_payload(std::string(8000000, '\0'));
  std::string frame;
  append_envelope(frame, large);
  REQUIRE(parse_frame(frame).has_value());
  CHECK(parse_frame(frame)->envelopes(0).payload().size() == 8000000);
}

TEST_CASE("attack: garbage instead of a handshake") {
  besieged_master master;
  for (const auto* garbage : {"", "garbage", "\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff", "\x0a\x00"}) {
    auto client = master.connect();
    REQUIRE(client.upgrade());
    client.send_binary(garbage);
    client.read_to_end();
  }
  auto text = master.connect();
  REQUIRE(text.upgrade());
  text.send_frame(1, "text", 4);
  CHECK(text.read_frame().find("text frame") != std::string::npos);
  auto raw = master.connect();
  REQUIRE(raw.upgrade());
  raw.send(std::string(5000, '\x03'));
  raw.read_to_end();
  CHECK(master.ear.history().empty());
  master.serves_others();
  CHECK(master.failed_handshakes() == 6);
}

TEST_CASE("attack: a peer that never says hello is put out") {
  link_options options;
  options.handshake_ms = 50;
  besieged_master master(options);
  auto silent = master.connect();
  REQUIRE(silent.upgrade());
  CHECK(silent.read_to_end().empty());
  CHECK(master.ear.history().empty());
}

TEST_CASE("attack: greetings that do not fit are refused with the reason") {
  besieged_master master;
  const auto refused = [&](const internal::Hello& hello) {
    auto client = master.connect();
    REQUIRE(client.upgrade());
    internal::Frame frame;
    *frame.mutable_hello() = hello;
    client.send_binary(frame.SerializeAsString());
    auto answer = read_welcome(client.read_frame());
    REQUIRE_FALSE(answer.has_value());
    return answer.error().message;
  };
  internal::Hello hello;
  hello.set_version_min(1);
  hello.set_version_max(1);
  hello.set_role(internal::AGENT);
  hello.set_id("a");
  auto future = hello;
  future.set_version_min(2);
  future.set_version_max(9);
  CHECK(refused(future).find("versions 1 to 1, the other 2 to 9") != std::string::npos);
  auto nobody = hello;
  nobody.set_role(internal::RUNTIME);
  CHECK(refused(nobody).find("role: runtime") != std::string::npos);
  auto nameless = hello;
  nameless.clear_id();
  CHECK(refused(nameless).find("id: must have") != std::string::npos);
  auto endless = hello;
  endless.set_id(std::string(5000, 'a'));
  CHECK(refused(endless).find("id: must have") != std::string::npos);
  auto forging = hello;
  forging.set_id("a\nlog line");
  CHECK(refused(forging).find("control characters") != std::string::npos);
  CHECK(master.ear.history().empty());
  master.serves_others();
}

TEST_CASE("attack: who calls itself a master at an agent's door, or anything that does not call there, is refused") {
  const Role at_masters[] = {internal::AGENT, internal::FRAMEWORK, internal::OPERATOR};
  for (int number = 0; number < internal::Role_ARRAYSIZE; ++number) {
    const auto role = static_cast<Role>(number);
    INFO(role_name(role));
    const bool welcome = std::count(std::begin(at_masters), std::end(at_masters), role) == 1;
    CHECK(admit_callers(identity(internal::MASTER, "m"), identity(role, "x")).has_value() == welcome);
    CHECK(admit_callers(identity(internal::AGENT, "a"), identity(role, "x")).has_value() ==
          (role == internal::EXECUTOR));
  }
  CHECK_THAT(admit_callers(identity(internal::AGENT, "a"), identity(internal::MASTER, "impostor")).error().message,
             Catch::Matchers::StartsWith("role: master does not call at the door of this agent"));
}

TEST_CASE("attack: more than the credit allows ends the link") {
  link_options options;
  options.credit_bytes = 1000;
  besieged_master master(options);
  auto client = master.greet();
  master.ear.hold();
  std::string frame;
  for (int i = 0; i < 100; ++i) append_envelope(frame, envelope(std::string(100, 'x')));
  client.send_binary(frame);
  CHECK(master.ear.wait_down().find("without credit") != std::string::npos);
  CHECK(master.ear.envelopes() < 10);
  master.ear.let_go();
}

TEST_CASE("attack: returning credit that was never used ends the link") {
  besieged_master master;
  auto client = master.greet();
  std::string frame;
  append_credit(frame, ~std::uint64_t{0});
  client.send_binary(frame);
  CHECK(master.ear.wait_down().find("more credit returned") != std::string::npos);
  master.serves_others();
}

TEST_CASE("attack: a second greeting ends the link") {
  besieged_master master;
  auto client = master.greet();
  client.send_binary(hello_frame(identity(internal::AGENT, "somebody else"), master.options));
  CHECK(master.ear.wait_down().find("greeting") != std::string::npos);
  master.serves_others();
}

TEST_CASE("attack: a web page cannot open a link through its visitor's browser") {
  besieged_master master;
  auto client = master.connect();
  CHECK_FALSE(client.upgrade("Origin: http://evil.example\r\n"));
  CHECK(master.ear.history().empty());
}

TEST_CASE("what a later release adds to frames and greetings is ignored") {
  besieged_master master;
  auto client = master.connect();
  REQUIRE(client.upgrade());
  client.send_binary(hello_frame(identity(internal::AGENT, "newer"), master.options) +
                     std::string("\xa2\x06\x03new", 6));
  REQUIRE(read_welcome(client.read_frame()).has_value());
  std::string frame;
  append_envelope(frame, envelope("known"));
  client.send_binary(frame + std::string("\xa2\x06\x03new", 6));
  CHECK(master.ear.wait_envelopes(1).front() == "known");
}

}  // namespace troupe::test
