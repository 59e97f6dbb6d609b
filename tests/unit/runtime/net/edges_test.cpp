#include "actors/runtime/net/link_frame.hpp"
#include "actors/runtime/net/socket_link.hpp"
#include "tests/unit/runtime/net/link_ends.hpp"
#include "tests/unit/runtime/net/raw_client.hpp"

#include <catch2/catch.hpp>

#include <fcntl.h>
#include <sys/resource.h>
#include <unistd.h>

#include <future>
#include <thread>

/// What strangers may take of a server before they are anybody, and what becomes of those who take more.
namespace troupe::test {

namespace {

const std::string ask = "GET /hello HTTP/1.1\r\nHost: x\r\n\r\n";
const std::string ask_and_go = "GET /hello HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
constexpr std::uint32_t elsewhere = 0x7f000002;  // 127.0.0.2
constexpr std::size_t large_bytes = 1u << 20;

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct told {
  refusal cause;
  std::string peer, why;
};

/// A server with a link behind it, that keeps what it is told of refusals.
struct besieged_server {
  explicit besieged_server(http_options options = {}, link_options links = {}, io_threads* link_threads = nullptr) {
    options.refused = std::make_shared<refusals>(
        [this](refusal cause, const std::string& peer, const std::string& why, std::uint64_t) {
          std::lock_guard<std::mutex> lock(mutex);
          lines.push_back({cause, peer, why});
          changed.notify_all();
        });
    links.refused = options.refused;
    routes->add("*", "/hello", [](const http_request&, const responder& respond) { respond(http_text(200, "hello")); });
    routes->add("GET", "/large", [](const http_request&, const responder& respond) {
      respond(http_text(200, std::string(large_bytes, 'x')));
    });
    link_acceptor acceptor;
    acceptor.admit = [](const link_identity&) -> result<link_identity> { return identity(internal::MASTER, "m"); };
    acceptor.events = ear.events();
    acceptor.options = links;
    acceptor.threads = link_threads;
    server = http_server::open(io, std::move(options), routes, acceptor).value();
  }
  ~besieged_server() {
    server.reset();
    io.stop();
  }

  raw_client connect(std::uint32_t from = 0x7f000001) { return raw_client::tcp(server->port(), from); }
  std::string answer(raw_client client) {
    client.send(ask_and_go);
    return client.read_to_end();
  }
  raw_client linked(const std::string& name) {
    auto client = connect();
    REQUIRE(client.upgrade());
    client.send_binary(hello_frame(identity(internal::AGENT, name), {}));
    REQUIRE(read_welcome(client.read_frame()).has_value());
    return client;
  }
  /// The first that was told of this cause.
  told wait_for(refusal cause) {
    std::unique_lock<std::mutex> lock(mutex);
    const auto found = [&] {
      return std::find_if(lines.begin(), lines.end(), [&](const told& each) { return each.cause == cause; });
    };
    if (!changed.wait_for(lock, std::chrono::seconds(60), [&] { return found() != lines.end(); }))
      throw std::runtime_error("nobody is refused for that cause");
    return *found();
  }

  std::mutex mutex;
  std::condition_variable changed;
  std::vector<told> lines;
  link_ear ear;
  io_threads io;
  std::shared_ptr<http_routes> routes = std::make_shared<http_routes>();
  std::unique_ptr<http_server> server;
};

}  // namespace

TEST_CASE("edge: whoever waits gives way when a newcomer needs the place") {
  http_options options;
  options.places.all = 2;
  options.places.patience = std::chrono::milliseconds(0);
  besieged_server f(options);
  auto silent = f.connect();
  auto kept = f.connect();
  kept.send(ask);
  CHECK(contains(kept.read_response(), " 200 "));
  CHECK(contains(f.answer(f.connect()), " 200 "));
  CHECK(silent.read_to_end().empty());
  const auto line = f.wait_for(refusal::gave_way);
  CHECK(contains(line.peer, "127.0.0.1:"));
  CHECK(contains(line.why, "said nothing"));
}

TEST_CASE("edge: one address has its share of the places, and nobody's patience is tried by others") {
  http_options options;
  options.places.of_source = 2;
  options.places.patience = std::chrono::hours(1);
  besieged_server f(options);
  auto one = f.connect(), other = f.connect();
  one.send(ask);
  other.send(ask);
  CHECK(contains(one.read_response(), " 200 "));
  CHECK(contains(other.read_response(), " 200 "));
  CHECK(contains(f.connect().read_to_end(), "Too many connections from this address."));
  CHECK(contains(f.wait_for(refusal::too_many_of_source).peer, "127.0.0.1:"));
  CHECK(contains(f.answer(f.connect(elsewhere)), " 200 "));
}

TEST_CASE("edge: links keep their places and do not count for their address") {
  http_options options;
  options.places.of_source = 1;
  options.places.patience = std::chrono::milliseconds(0);
  besieged_server f(options);
  auto first = f.linked("a"), second = f.linked("b");
  for (int i = 0; i < 5; ++i) CHECK(contains(f.answer(f.connect()), " 200 "));
  CHECK(f.ear.history() == std::vector<std::string>{"up", "up"});
}

TEST_CASE("edge: out of descriptors, strangers are told so, and those who are in are served") {
  besieged_server f;
  auto inside = f.connect();
  inside.send(ask);
  REQUIRE(contains(inside.read_response(), " 200 "));
  std::vector<socket_fd> sockets;
  for (int i = 0; i < 20; ++i) sockets.push_back(open_stream_socket(AF_INET).value());
  rlimit before{};
  REQUIRE(::getrlimit(RLIMIT_NOFILE, &before) == 0);
  const rlimit few{std::min<rlim_t>(before.rlim_cur, 512), before.rlim_max};
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &few) == 0);
  std::vector<socket_fd> all;
  for (int fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC); fd >= 0; fd = ::open("/dev/null", O_RDONLY | O_CLOEXEC))
    all.emplace_back(fd);
  std::vector<raw_client> clients;  // held, since the end of one would leave a descriptor for the next
  for (auto& fd : sockets) {
    clients.push_back(raw_client::tcp_over(std::move(fd), f.server->port()));
    CHECK(contains(clients.back().read_to_end(), "no file descriptor left"));
  }
  inside.send(ask);
  CHECK(contains(inside.read_response(), " 200 "));
  all.clear();
  REQUIRE(::setrlimit(RLIMIT_NOFILE, &before) == 0);
  CHECK(contains(f.answer(f.connect()), " 200 "));
  CHECK(f.server->refused().count(refusal::no_descriptors) >= 20);
  CHECK(contains(f.wait_for(refusal::no_descriptors).peer, "127.0.0.1:"));
}

TEST_CASE("edge: of a flood one line a cause is told, and all are counted") {
  besieged_server f;
  for (int i = 0; i < 200; ++i) {
    auto client = f.connect();
    client.send("nonsense\r\n\r\n");
    client.read_to_end();
  }
  CHECK(f.server->refused().count(refusal::malformed) == 200);
  CHECK(f.lines.size() < 100);
  CHECK(contains(f.wait_for(refusal::malformed).why, "its request is none"));
}

TEST_CASE("edge: a request that is cut off is told of") {
  besieged_server f;
  {
    auto client = f.connect();
    client.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
  }
  CHECK(contains(f.wait_for(refusal::malformed).why, "in the middle of a request"));
}

TEST_CASE("edge: a head that drips in is cut off, and so is who never begins") {
  http_options options;
  options.head_ms = 50;
  options.first_request_ms = 50;
  besieged_server f(options);
  SECTION("dripping") {
    auto client = f.connect();
    std::string heard;
    client.send("GET /hello HTTP/1.1\r\n");
    std::thread drips([&] {
      while (client.send("X: y\r\n")) std::this_thread::sleep_for(std::chrono::milliseconds(5));
    });
    CHECK(contains(f.wait_for(refusal::timeout).why, "did not come to its end"));
    drips.join();
  }
  SECTION("silent") {
    auto client = f.connect();
    CHECK(client.read_to_end().empty());
    CHECK(contains(f.wait_for(refusal::timeout).why, "no request within 50 ms"));
  }
}

TEST_CASE("edge: a body has as long as a body may take, whatever its head took") {
  http_options options;
  options.head_ms = 60000;
  options.request_ms = 50;
  besieged_server f(options);
  auto client = f.connect();
  client.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\nhalf");
  CHECK(contains(client.read_to_end(), " 408 "));
}

TEST_CASE("edge: bodies that are not finished are bounded together") {
  http_options options;
  options.unfinished = std::make_shared<byte_budget>(1);
  besieged_server f(options);
  auto small = f.connect();
  small.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n" + std::string(100000, 'x'));
  CHECK(contains(small.read_response(), " 200 "));
  auto large = f.connect();
  large.send("POST /hello HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n" + std::string(999999, 'x'));
  CHECK(contains(large.read_to_end(), " 503 "));
  CHECK(contains(f.wait_for(refusal::over_budget).why, "bodies"));
  CHECK(options.unfinished->held() == 0);
}

TEST_CASE("edge: answers that nobody reads are bounded together") {
  http_options options;
  options.unread = std::make_shared<byte_budget>(large_bytes);
  besieged_server f(options);
  auto client = f.connect();
  client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(contains(client.read_response(), " 503 "));
  CHECK(contains(f.wait_for(refusal::over_budget).why, "answers"));
  INFO("and the connection is as good as before");
  client.send(ask);
  CHECK(contains(client.read_response(), " 200 "));
  client.end_of_sending();
  client.read_to_end();  // which comes after the answer has been counted off
  f.server->stop();
  CHECK(options.unread->held() == 0);
}

TEST_CASE("edge: a client that takes its answer a little at a time is dropped all the same") {
  http_options options;
  options.write_ms = 300;
  options.answer_bytes_per_s_min = 1u << 30;
  besieged_server f(options);
  f.routes->add("GET", "/endless", [](const http_request&, const responder& respond) {
    http_response response;
    response.source_bytes = std::uint64_t{1} << 40;
    response.source = [](const auto& done) { done(std::string(1u << 16, 'a')); };
    respond(std::move(response));
  });
  auto client = f.connect();
  client.send("GET /endless HTTP/1.1\r\nHost: x\r\n\r\n");
  while (f.server->refused().count(refusal::slow_reader) == 0) REQUIRE_FALSE(client.read_until("aaaa").empty());
  CHECK(contains(f.wait_for(refusal::slow_reader).why, "too slowly"));
}

TEST_CASE("edge: a source that gives nothing holds up its own client alone") {
  besieged_server f;
  std::promise<std::function<void(std::optional<std::string>)>> waits;
  f.routes->add("GET", "/slow-disk", [&](const http_request&, const responder& respond) {
    http_response response;
    response.source_bytes = 4;
    response.source = [&waits, asked = false](const auto& done) mutable {
      if (!std::exchange(asked, true)) return waits.set_value(done);
      done(std::nullopt);
    };
    respond(std::move(response));
  });
  auto client = f.connect();
  client.send("GET /slow-disk HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  auto done = waits.get_future().get();
  CHECK(contains(f.answer(f.connect()), " 200 "));
  std::thread([&] { done("file"); }).join();
  CHECK(contains(client.read_to_end(), "\r\n\r\nfile"));
}

TEST_CASE("edge: half a handshake ends in time, with a line that names the peer") {
  link_options links;
  links.handshake_ms = 50;
  besieged_server f({}, links);
  auto client = f.connect();
  REQUIRE(client.upgrade());
  client.read_to_end();
  const auto line = f.wait_for(refusal::link_handshake);
  CHECK(contains(line.peer, "127.0.0.1:"));
  CHECK(contains(line.why, "in time"));
  CHECK(links.counters->handshakes_failed.load() == 1);
}

TEST_CASE("edge: a peer that says it lives and never reads is cut off, though little waits for it") {
  link_options links;
  links.silence_ms = 300;
  links.heartbeat_ms = 100;
  links.send_queue_bytes = 32u << 20;  // more than the kernel takes in between
  besieged_server f({}, links);
  auto client = f.linked("deaf");
  auto link = f.ear.wait_up();
  for (int i = 0; i < 12; ++i) CHECK(link->send(envelope(std::string(1u << 20, 'x'))));
  while (client.send_binary(heartbeat_frame())) std::this_thread::sleep_for(std::chrono::milliseconds(20));
  CHECK(f.ear.wait_down() == "slow reader");
  CHECK(contains(f.wait_for(refusal::slow_reader).why, "agent/deaf: it has not taken a frame"));
}

TEST_CASE("edge: what waits on all links together is bounded, and one that holds little is not the one to go") {
  link_options links;
  links.unsent = std::make_shared<byte_budget>(16u << 20);
  link_greeting greeting{identity(internal::FRAMEWORK, "f"), 1, 1, 0};
  auto modest = std::make_shared<socket_link>(greeting, links, true);
  std::vector<std::shared_ptr<socket_link>> greedy;
  for (int i = 0; i < 50; ++i) greedy.push_back(std::make_shared<socket_link>(greeting, links, true));
  std::size_t closed = 0;
  for (int round = 0; round < 16; ++round) {
    for (auto& each : greedy) closed += each->send(envelope(std::string(1u << 20, 'x'))) ? 0 : 1;
    CHECK(links.unsent->held() <= 16u << 20);
  }
  CHECK(closed > 0);
  CHECK(modest->send(envelope("a small letter")));
}

TEST_CASE("edge: frames that are not finished are bounded together") {
  link_options links;
  links.unfinished = std::make_shared<byte_budget>(4u << 20);
  besieged_server f({}, links);
  auto good = f.linked("good");
  std::vector<raw_client> villains;
  for (int i = 0; i < 8; ++i) {
    villains.push_back(f.linked("villain-" + std::to_string(i)));
    villains.back().send_frame(2, std::string(3u << 20, 'x'), 31u << 20);
  }
  CHECK(contains(f.wait_for(refusal::over_budget).why, "agent/villain-"));
  INFO("whoever holds little is served all the same");
  internal::Frame letter;
  *letter.add_envelopes() = envelope("hello");
  good.send_binary(letter.SerializeAsString());
  CHECK(f.ear.wait_envelopes(1).back() == "hello");
  CHECK(links.unfinished->held() <= 5u << 20);
}

TEST_CASE("edge: a link of which much is not finished with is not read, and is read again when it is") {
  link_options links;
  links.unhandled = std::make_shared<byte_budget>(1);
  besieged_server f({}, links);
  f.ear.hold();
  auto client = f.linked("busy");
  constexpr std::size_t letters = 200, bytes = 4096, always = 16u << 10;
  for (std::size_t i = 0; i < letters; ++i) {
    internal::Frame letter;
    *letter.add_envelopes() = envelope(std::string(bytes, 'x'));
    client.send_binary(letter.SerializeAsString());
  }
  const auto taken = always / bytes;  // and one that says that it is enough, or that is more
  f.ear.wait_envelopes(taken);
  f.ear.wait_up()->send(envelope("are you there"));
  CHECK_FALSE(client.read_frame().empty());
  CHECK(f.ear.envelopes() <= taken + 1);
  CHECK(links.unhandled->held() <= always + 2 * bytes);
  f.ear.let_go();
  CHECK(f.ear.wait_envelopes(letters).size() == letters);
}

TEST_CASE("edge: links run on threads of their own, which strangers at the door do not hold up") {
  io_threads link_threads;
  {
    besieged_server f({}, {}, &link_threads);
    std::promise<void> entered, let_go;
    f.routes->add("GET", "/stuck", [&](const http_request&, const responder& respond) {
      entered.set_value();
      let_go.get_future().wait();
      respond(http_text(200));
    });
    link_ear near;
    const auto target = parse_link_target("http://127.0.0.1:" + std::to_string(f.server->port())).value();
    auto attempt = dial(link_threads, target, identity(internal::AGENT, "a"), near.events(), {}, nullptr);
    near.wait_up();
    auto client = f.connect();
    client.send("GET /stuck HTTP/1.1\r\nHost: x\r\n\r\n");
    entered.get_future().wait();
    near.wait_up()->send(envelope("there"));
    CHECK(f.ear.wait_envelopes(1).back() == "there");
    f.ear.wait_up()->send(envelope("and back"));
    CHECK(near.wait_envelopes(1).back() == "and back");
    let_go.set_value();
    CHECK(contains(client.read_response(), " 200 "));
    near.wait_up()->close("done");
    near.wait_down();
    f.server->stop();
  }
  link_threads.stop();
}

}  // namespace troupe::test
