#include "tests/unit/runtime/net/link_ends.hpp"

#include "actors/runtime/net/backoff.hpp"

#include <catch2/catch.hpp>

#include <future>

namespace troupe::test {

namespace {

connector_options quick() {
  connector_options options;
  options.retry_first_ms = 1;
  options.retry_limit_ms = 5;
  return options;
}

struct listening_master {
  listening_master(io_threads& io, const std::string& id, std::uint16_t port = 0) {
    link_acceptor acceptor;
    acceptor.admit = [id](const link_identity&) -> result<link_identity> { return identity(internal::MASTER, id); };
    acceptor.events = ear.events();
    http_options options;
    options.port = port;
    server = http_server::open(io, options, std::make_shared<http_routes>(), acceptor).value();
  }
  std::string target() const { return "http://127.0.0.1:" + std::to_string(server->port()); }

  link_ear ear;
  std::unique_ptr<http_server> server;
};

}  // namespace

TEST_CASE("delays double up to a limit, and at least half of each is certain") {
  using ms = std::chrono::milliseconds;
  backoff delay(ms(100), ms(500));
  CHECK(delay.next(0) == ms(100));
  CHECK(delay.next(0) == ms(200));
  CHECK(delay.next(200) == ms(200));
  CHECK(delay.next(0) == ms(500));
  CHECK(delay.next(250) == ms(250));
  delay.reset();
  CHECK(delay.next(50) == ms(50));
}

TEST_CASE("addresses of servers are read, and errors say what would be valid") {
  CHECK(parse_link_target("http://master:5050")->host == "master");
  CHECK(parse_link_target("http://master:5050/")->port == "5050");
  CHECK(parse_link_target("http://[::1]:5050")->host == "::1");
  CHECK_FALSE(parse_link_target("http://master:5050")->tls);
  CHECK(parse_link_target("https://master:5050/")->tls);
  CHECK(parse_link_target("https://master:5050/")->host == "master");
  CHECK(parse_link_target("unix:/run/agent.sock")->unix_path == "/run/agent.sock");
  for (const auto* text : {"", "master:5050", "http://master", "http://:5050", "http://m:0", "http://m:70000",
                           "http://m:5x", "unix:x", "ftp://m:5050", "http://m/p:5"}) {
    INFO(text);
    auto parsed = parse_link_target(text);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().message.find("http://HOST:PORT") != std::string::npos);
  }
}

TEST_CASE("a connector dials again when its link ends, and tells down before up") {
  io_threads io{2};
  link_ear agent;
  auto master = std::make_unique<listening_master>(io, "m");
  const auto port = master->server->port();
  link_connector connector(
      io, [] { return identity(internal::AGENT, "a"); }, agent.events(), quick());
  connector.set_target(master->target());
  agent.wait_up(1);
  master.reset();
  agent.wait_down(1);
  listening_master again(io, "m", port);
  agent.wait_up(2);
  CHECK(agent.history() == std::vector<std::string>{"up", "down", "up"});
  connector.stop();
  CHECK(agent.history() == std::vector<std::string>{"up", "down", "up", "down"});
}

TEST_CASE("a connector keeps trying an address where nobody listens, and reports each failure") {
  io_threads io;
  link_ear agent;
  std::promise<void> third;
  std::atomic<int> failures{0};
  link_connector connector(
      io, [] { return identity(internal::AGENT, "a"); }, agent.events(), quick(),
      [&](const std::string& target, const error& e) {
        CHECK(target == "unix:/nonexistent/socket");
        CHECK(e.message.find("/nonexistent/socket") != std::string::npos);
        if (++failures == 3) third.set_value();
      });
  connector.set_target("unix:/nonexistent/socket");
  CHECK(third.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  connector.stop();
  connector.stop();
  CHECK(agent.history().empty());
}

TEST_CASE("a connector follows its target to another server at once") {
  io_threads io{2};
  link_ear agent;
  listening_master first(io, "m1"), second(io, "m2");
  auto options = quick();
  options.retry_first_ms = 3600 * 1000;
  link_connector connector(
      io, [] { return identity(internal::AGENT, "a"); }, agent.events(), options);
  connector.set_target(first.target());
  CHECK(agent.wait_up(1)->peer().id == "m1");
  connector.set_target(second.target());
  CHECK(agent.wait_up(2)->peer().id == "m2");
  CHECK(agent.wait_down(1) == "the address changed");
  connector.set_target("");
  agent.wait_down(2);
}

TEST_CASE("a connector can be stopped while it waits, dials or has nothing to do") {
  io_threads io;
  link_ear agent;
  auto options = quick();
  options.retry_first_ms = 3600 * 1000;
  {
    link_connector idle(
        io, [] { return identity(internal::AGENT, "a"); }, agent.events(), options);
  }
  std::promise<void> failed;
  link_connector waiting(
      io, [] { return identity(internal::AGENT, "a"); }, agent.events(), options,
      [&](const std::string&, const error&) { failed.set_value(); });
  waiting.set_target("unix:/nonexistent/socket");
  failed.get_future().wait();
  waiting.stop();
  CHECK(agent.history().empty());
}

}  // namespace troupe::test
