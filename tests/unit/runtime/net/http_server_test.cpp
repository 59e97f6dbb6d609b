#include "actors/runtime/net/http_server.hpp"
#include "tests/unit/runtime/net/raw_client.hpp"

#include <catch2/catch.hpp>

#include <sys/stat.h>
#include <unistd.h>

#include <future>
#include <thread>

namespace troupe::test {

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct server_fixture {
  explicit server_fixture(http_options options = {}) {
    routes->add("*", "/echo", [](const http_request& request, const responder& respond) {
      respond(http_text(200, request.method + " " + (request.peer_is_unix ? "unix " : "") + request.body));
    });
    routes->add("GET", "/later", [this](const http_request&, const responder& respond) { waiting.set_value(respond); });
    routes->add("GET", "/never", [](const http_request&, const responder&) {});
    routes->add("GET", "/stream", [this](const http_request&, const responder& respond) {
      http_response head;
      head.content_type = "application/json";
      streams.set_value(respond.stream(std::move(head)));
    });
    server = http_server::open(io, std::move(options), routes).value();
  }

  raw_client connect() { return raw_client::tcp(server->port()); }
  std::string ask(const std::string& bytes) {
    auto client = connect();
    client.send(bytes);
    return client.read_response();
  }

  io_threads io{2};
  std::shared_ptr<http_routes> routes = std::make_shared<http_routes>();
  std::promise<responder> waiting;
  std::promise<std::shared_ptr<http_stream>> streams;
  std::unique_ptr<http_server> server;
};

}  // namespace

TEST_CASE("a request is answered with a date, its length and a connection that stays") {
  server_fixture f;
  auto response = f.ask("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(contains(response, "HTTP/1.1 200 OK\r\n"));
  CHECK(contains(response, "\r\nDate: "));
  CHECK(contains(response, "\r\nContent-Length: 4\r\n"));
  CHECK(contains(response, "\r\nConnection: keep-alive\r\n"));
  CHECK(contains(response, "\r\n\r\nGET "));
}

TEST_CASE("pipelined requests are answered in order on one connection") {
  server_fixture f;
  auto client = f.connect();
  client.send(
      "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"
      "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo"
      "GET /missing HTTP/1.1\r\nHost: x\r\n\r\n");
  auto respond = f.waiting.get_future().get();
  std::thread([respond] { respond(http_text(200, "one")); }).join();
  CHECK(contains(client.read_response(), "\r\n\r\none"));
  CHECK(contains(client.read_response(), "\r\n\r\nPOST two"));
  CHECK(contains(client.read_response(), "404 Not Found."));
}

TEST_CASE("a client that has said all still gets its answer, and then the end") {
  server_fixture f;
  auto client = f.connect();
  client.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  client.end_of_sending();
  f.waiting.get_future().get()(http_text(200, "late"));
  CHECK(contains(client.read_to_end(), "\r\n\r\nlate"));
}

TEST_CASE("a handler that drops its request leaves a 500, not a client that waits") {
  server_fixture f;
  CHECK(contains(f.ask("GET /never HTTP/1.1\r\nHost: x\r\n\r\n"), "HTTP/1.1 500 "));
}

TEST_CASE("HEAD has the length of the body and no body") {
  server_fixture f;
  f.routes->add("GET", "/page",
                [](const http_request&, const responder& respond) { respond(http_text(200, "12345")); });
  auto client = f.connect();
  client.send("HEAD /page HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
  auto response = client.read_to_end();
  CHECK(contains(response, "Content-Length: 5\r\n"));
  CHECK_FALSE(contains(response, "12345"));
}

TEST_CASE("malformed input is answered with a plain 400 and the end of the connection") {
  server_fixture f;
  for (const auto* bytes :
       {"nonsense\r\n\r\n", "GET /echo HTTP/9.9\r\n\r\n", "GET /echo HTTP/1.1\r\nbad header\r\n\r\n",
        "POST /echo HTTP/1.1\r\nContent-Length: minus\r\n\r\n", "GET /%zz HTTP/1.1\r\nHost: x\r\n\r\n",
        "GET echo HTTP/1.1\r\nHost: x\r\n\r\n"}) {
    INFO(bytes);
    auto client = f.connect();
    client.send(bytes);
    auto response = client.read_to_end();
    CHECK(contains(response, "HTTP/1.1 400 Bad Request\r\n"));
    CHECK(contains(response, "Content-Type: text/plain"));
    CHECK(contains(response, "Connection: close\r\n"));
  }
  CHECK(contains(f.ask("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n"), "200 OK"));
}

TEST_CASE("a header that is too large is a 431") {
  http_options options;
  options.header_bytes_max = 512;
  server_fixture f(options);
  CHECK(contains(f.ask("GET /echo HTTP/1.1\r\nX: " + std::string(2000, 'a') + "\r\n\r\n"), "HTTP/1.1 431 "));
}

TEST_CASE("a body that is too large is a 413, and the client that is still sending it can read that") {
  http_options options;
  options.body_bytes_max = 1000;
  server_fixture f(options);
  auto client = f.connect();
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 500000\r\n\r\n");
  client.send(std::string(500000, 'a'));
  CHECK(contains(client.read_to_end(), "HTTP/1.1 413 "));
  SECTION("a chunked one too") {
    auto chunked = f.connect();
    chunked.send("POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n" +
                 std::string(2000, 'a'));
    CHECK(contains(chunked.read_to_end(), "HTTP/1.1 413 "));
  }
}

TEST_CASE("a client that asks whether to go on is told so") {
  server_fixture f;
  auto client = f.connect();
  client.send("POST /echo HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n");
  CHECK(contains(client.read_until("\r\n\r\n"), "100 Continue"));
  client.send("ok");
  CHECK(contains(client.read_response(), "POST ok"));
}

TEST_CASE("a request that does not come to its end in time is a 408") {
  http_options options;
  options.head_ms = 50;
  server_fixture f(options);
  auto client = f.connect();
  client.send("GET /echo HTTP/1.1\r\nX-Slow: ");
  CHECK(contains(client.read_to_end(), "HTTP/1.1 408 "));
  CHECK(f.server->counters().timeouts.load() == 1);
}

TEST_CASE("a connection on which nothing comes is closed") {
  http_options options;
  options.first_request_ms = 50;
  server_fixture f(options);
  CHECK(f.connect().read_to_end().empty());
}

TEST_CASE("a client that takes nothing of its answer is dropped") {
  http_options options;
  options.write_ms = 50;
  server_fixture f(options);
  std::promise<void> dropped;
  f.routes->add("GET", "/huge", [&](const http_request&, const responder& respond) {
    http_response response;
    response.source_bytes = 1u << 30;
    // The last holder of `alive` is the response: when it goes, so does the connection.
    auto alive = std::shared_ptr<void>(nullptr, [&](void*) { dropped.set_value(); });
    response.source = [alive](const auto& done) { done(std::string(1u << 20, 'a')); };
    respond(std::move(response));
  });
  auto client = f.connect();
  client.send("GET /huge HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(dropped.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
}

TEST_CASE("more connections than allowed are turned away with a 503") {
  http_options options;
  options.places.all = 1;
  server_fixture f(options);
  auto first = f.connect();
  first.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(contains(first.read_response(), "200 OK"));
  CHECK(contains(f.connect().read_to_end(), "HTTP/1.1 503 "));
  CHECK(f.server->refused().count(refusal::too_many) == 1);
}

TEST_CASE("a body may come from a source, piece by piece") {
  server_fixture f;
  f.routes->add("GET", "/pieces", [](const http_request&, const responder& respond) {
    http_response response;
    response.source_bytes = 6;
    response.source = [left = 3](const auto& done) mutable {
      done(left-- > 0 ? std::optional<std::string>("ab") : std::nullopt);
    };
    respond(std::move(response));
  });
  CHECK(contains(f.ask("GET /pieces HTTP/1.1\r\nHost: x\r\n\r\n"), "\r\n\r\nababab"));
}

TEST_CASE("a streaming answer carries each record as one chunk, and the connection lives on") {
  server_fixture f;
  auto client = f.connect();
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  auto stream = f.streams.get_future().get();
  CHECK(contains(client.read_until("\r\n\r\n"), "Transfer-Encoding: chunked\r\n"));
  CHECK(stream->write("5\nhello"));
  CHECK(client.read_until("hello\r\n") == "7\r\n5\nhello\r\n");
  CHECK(stream->write("1\nx"));
  stream->close();
  CHECK(client.read_until("0\r\n\r\n") == "3\r\n1\nx\r\n0\r\n\r\n");
  client.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
  CHECK(contains(client.read_response(), "200 OK"));
}

TEST_CASE("whoever streams hears that the client is gone") {
  server_fixture f;
  std::promise<void> gone;
  std::shared_ptr<http_stream> stream;
  {
    auto client = f.connect();
    client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
    stream = f.streams.get_future().get();
    stream->on_closed([&] { gone.set_value(); });
    client.read_until("\r\n\r\n");
  }
  REQUIRE(gone.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
  CHECK_FALSE(stream->write("x"));
}

TEST_CASE("a stream whose client reads too slowly is ended") {
  http_options options;
  options.stream_queue_bytes_max = 100000;
  server_fixture f(options);
  auto client = f.connect();
  client.send("GET /stream HTTP/1.1\r\nHost: x\r\n\r\n");
  auto stream = f.streams.get_future().get();
  std::promise<void> ended;
  stream->on_closed([&] { ended.set_value(); });
  while (stream->write(std::string(50000, 'a'))) {
  }
  CHECK(ended.get_future().wait_for(std::chrono::seconds(60)) == std::future_status::ready);
}

TEST_CASE("a Unix socket serves the same, knows that it is one, and leaves nothing behind") {
  char folder[] = "/tmp/troupe-net-XXXXXX";
  REQUIRE(::mkdtemp(folder));
  const std::string path = std::string(folder) + "/s";
  {
    http_options options;
    options.unix_path = path;
    options.address.clear();
    server_fixture f(options);
    CHECK(f.server->port() == 0);
    struct stat info {};
    REQUIRE(::stat(path.c_str(), &info) == 0);
    CHECK((info.st_mode & 0777) == 0600);
    auto client = raw_client::unix_socket(path);
    client.send("GET /echo HTTP/1.1\r\nHost: x\r\n\r\n");
    CHECK(contains(client.read_response(), "GET unix "));
    INFO("a second server does not take the socket from the first");
    CHECK_FALSE(http_server::open(f.io, options, f.routes).has_value());
  }
  CHECK(::access(path.c_str(), F_OK) != 0);
  ::rmdir(folder);
}

TEST_CASE("a socket that a dead process left is replaced, and a file in its place is not") {
  char folder[] = "/tmp/troupe-net-XXXXXX";
  REQUIRE(::mkdtemp(folder));
  const std::string path = std::string(folder) + "/s";
  { auto abandoned = listen_unix(path, 0600).value(); }
  CHECK(listen_unix(path, 0600).has_value());
  ::unlink(path.c_str());
  ::close(::creat(path.c_str(), 0600));
  auto refused = listen_unix(path, 0600);
  CHECK_FALSE(refused.has_value());
  CHECK(::unlink(path.c_str()) == 0);
  ::rmdir(folder);
}

TEST_CASE("addresses that cannot be listened on are errors that name them") {
  io_threads io;
  auto routes = std::make_shared<http_routes>();
  http_options options;
  options.address = "localhost";
  auto wrong = http_server::open(io, options, routes);
  REQUIRE_FALSE(wrong.has_value());
  CHECK(contains(wrong.error().message, "localhost"));
  options.address.clear();
  options.unix_path = "/" + std::string(200, 'x');
  auto too_long = http_server::open(io, options, routes);
  REQUIRE_FALSE(too_long.has_value());
  CHECK(contains(too_long.error().message, "107"));
}

TEST_CASE("stopping a server ends its connections, whatever they are at") {
  server_fixture f;
  auto idle = f.connect();
  auto asking = f.connect();
  asking.send("GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
  auto respond = f.waiting.get_future().get();
  f.server->stop();
  CHECK(idle.read_to_end().empty());
  CHECK(asking.read_to_end().empty());
  respond(http_text(200, "nobody hears this"));
  CHECK(f.server->counters().open.load() == 0);
}

}  // namespace troupe::test
