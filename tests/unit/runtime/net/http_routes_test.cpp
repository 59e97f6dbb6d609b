#include "actors/runtime/net/http_routes.hpp"

#include <catch2/catch.hpp>

#include <stdexcept>

namespace troupe {

namespace {

/// Remembers the answer.
class answer_book final : public responder::exchange {
 public:
  void answer(http_response response) override { said = std::move(response); }
  std::shared_ptr<http_stream> open(http_response) override { return nullptr; }
  http_response said;
};

http_response ask(const http_routes& routes, const std::string& method, const std::string& path) {
  auto book = std::make_shared<answer_book>();
  http_request request;
  request.method = method;
  request.path = path;
  routes.dispatch(request, responder(book));
  return book->said;
}

http_handler says(const std::string& text) {
  return [text](const http_request&, const responder& respond) { respond(http_text(200, text)); };
}

}  // namespace

TEST_CASE("a path finds its own handler, else the nearest one that takes what is below it") {
  http_routes routes;
  routes.add("GET", "/a", says("a"));
  routes.add_below("GET", "/a/b", says("below b"));
  routes.add_below("GET", "/", says("anything"));
  routes.add("GET", "/a/b/c", says("c"));
  CHECK(ask(routes, "GET", "/a").body == "a");
  CHECK(ask(routes, "GET", "/a/").body == "a");
  CHECK(ask(routes, "GET", "/a/x").body == "anything");
  CHECK(ask(routes, "GET", "/a/b/c").body == "c");
  CHECK(ask(routes, "GET", "/a/b/c/d").body == "below b");
  CHECK(ask(routes, "GET", "/ab").body == "anything");
}

TEST_CASE("an unknown path is a 404, and so is one that climbs") {
  http_routes routes;
  routes.add_below("GET", "/files", says("files"));
  CHECK(ask(routes, "GET", "/nothing").status == 404);
  CHECK(ask(routes, "GET", "/files/../etc").status == 404);
  CHECK(ask(routes, "GET", "files").status == 400);
}

TEST_CASE("a wrong method is a 405 that names the right ones") {
  http_routes routes;
  routes.add("GET", "/weights", says("w"));
  routes.add("PUT", "/weights", says("w"));
  auto response = ask(routes, "DELETE", "/weights");
  CHECK(response.status == 405);
  REQUIRE(response.headers.size() == 1);
  CHECK(response.headers[0] == std::make_pair(std::string("Allow"), std::string("GET, PUT")));
  CHECK(response.body.find("GET, PUT") != std::string::npos);
  CHECK(response.body.find("DELETE") != std::string::npos);
}

TEST_CASE("HEAD is answered by GET's handler, and * takes every method") {
  http_routes routes;
  routes.add("GET", "/a", says("a"));
  routes.add("*", "/b", says("b"));
  CHECK(ask(routes, "HEAD", "/a").status == 200);
  CHECK(ask(routes, "POST", "/b").body == "b");
}

TEST_CASE("what a handler throws becomes a 500 with its text") {
  http_routes routes;
  routes.add("GET", "/a", [](const http_request&, const responder&) { throw std::runtime_error("the disk is gone"); });
  CHECK(ask(routes, "GET", "/a").status == 500);
  CHECK(ask(routes, "GET", "/a").body == "the disk is gone");
}

}  // namespace troupe
