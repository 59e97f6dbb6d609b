#include "frameworks/sdk/http_get.hpp"
#include "actors/runtime/net/http_server.hpp"

#include <catch2/catch.hpp>

namespace troupe::sdk {

TEST_CASE("an address is written as a URL wants it, in brackets where it has colons") {
  CHECK(http_url("h", 5051) == "http://h:5051");
  CHECK(http_url("::1", 5051) == "http://[::1]:5051");
  CHECK(http_url("[::1]", 5051) == "http://[::1]:5051");
}

TEST_CASE("files are read from agents that listen on IPv6 too") {
  io_threads io;
  auto routes = std::make_shared<http_routes>();
  routes->add("GET", "/files/download", [](const http_request& request, const responder& respond) {
    respond(http_text(200, request.query.at("path") + " from " + request.query.at("offset")));
  });
  http_options options;
  options.address = "::1";
  auto server = http_server::open(io, options, routes);
  if (!server) return;  // a machine without IPv6
  auto read = download_sandbox_range(http_url("::1", (*server)->port()), "/a b", 3, 10);
  REQUIRE(read.has_value());
  CHECK(*read == "/a b from 3");
}

TEST_CASE("of a long answer that explains an error only the beginning is quoted") {
  io_threads io;
  auto routes = std::make_shared<http_routes>();
  routes->add("GET", "/", [](const http_request&, const responder& respond) {
    respond(http_text(500, "why " + std::string(1000000, '!')));
  });
  auto server = http_server::open(io, {}, routes).value();
  auto read = http_get_ok(http_url("127.0.0.1", server->port()) + "/");
  REQUIRE_FALSE(read.has_value());
  CHECK(read.error().message.find("500: why !!!") != std::string::npos);
  CHECK(read.error().message.size() < 1000);
}

}  // namespace troupe::sdk
