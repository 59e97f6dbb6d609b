#include "actors/runtime/net/http_message.hpp"

#include <catch2/catch.hpp>

namespace troupe {

TEST_CASE("a request target is decoded into a path and its query") {
  auto target = parse_http_target("/slave%281%29/state?path=%2Ftmp%2Fa+b&x=&path=second");
  REQUIRE(target.has_value());
  CHECK(target->path == "/slave(1)/state");
  CHECK(target->query.at("path") == "/tmp/a b");
  CHECK(target->query.at("x").empty());
}

TEST_CASE("the absolute form that proxies use means the same") {
  CHECK(parse_http_target("http://master:5050/state?a=1")->path == "/state");
  CHECK(parse_http_target("http://master:5050")->path == "/");
}

TEST_CASE("a target that is no path is refused and the message says what would be valid") {
  for (const auto* target : {"state", "*", "", "/%zz", "/a b", "/%00"}) {
    auto parsed = parse_http_target(target);
    INFO(target);
    REQUIRE_FALSE(parsed.has_value());
    CHECK(parsed.error().message.find("request target: must") == 0);
  }
}

TEST_CASE("headers are found in any case") {
  http_request request;
  request.headers = {{"Accept", "text/html"}, {"ACCEPT", "second"}};
  REQUIRE(request.header("accept"));
  CHECK(*request.header("accept") == "text/html");
  CHECK(request.header("host") == nullptr);
}

TEST_CASE("a response head carries the date, and no header can smuggle in another") {
  http_response response;
  response.status = 404;
  response.headers = {{"Location", "/a\r\nSet-Cookie: x"}};
  http_framing framing;
  framing.content_length = 3;
  framing.now = 784111777;
  CHECK(render_http_head(response, framing) ==
        "HTTP/1.1 404 Not Found\r\nDate: Sun, 06 Nov 1994 08:49:37 GMT\r\nLocation: /a  Set-Cookie: "
        "x\r\nContent-Length: 3\r\n"
        "Connection: keep-alive\r\n\r\n");
}

TEST_CASE("an error answer without a text says the usual one of its status") {
  CHECK(http_text(404).body == "404 Not Found.");
  CHECK(http_text(400, "task id: must not be empty").body == "task id: must not be empty");
  CHECK(http_error({errc::not_found, "no such file"}).status == 404);
}

}  // namespace troupe
