#include "actors/gateway/gateway.hpp"
#include "actors/gateway/metrics.hpp"
#include "actors/runtime/net/http_server.hpp"
#include "tests/unit/runtime/net/raw_client.hpp"

#include "protocol/verbs.hpp"

#include <catch2/catch.hpp>

#include <stdlib.h>

#include <filesystem>
#include <fstream>
#include <thread>

namespace troupe {

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

struct daemon_fixture {
  daemon_fixture() {
    build_facts facts;
    facts.version = "0.1.0";
    facts.build_date = "2026-01-02";
    facts.build_time_s = 5;
    facts.build_user = "me";
    facts.git_sha = "abc";
    shown = std::make_unique<gateway>(routes, "slave(1)", facts, board);
    server = http_server::open(io, {}, routes).value();
    shown->metrics()->add(http_metrics(*server));
    shown->metrics()->add(actor_metrics(board));
  }
  ~daemon_fixture() {
    server->stop();
    shown->stop();
  }

  std::string get(const std::string& target) {
    auto client = test::raw_client::tcp(server->port());
    client.send("GET " + target + " HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    return client.read_to_end();
  }
  std::string body(const std::string& target) {
    const auto response = get(target);
    INFO(response);
    REQUIRE(contains(response, "HTTP/1.1 200 OK"));
    return response.substr(response.find("\r\n\r\n") + 4);
  }

  io_threads io;
  status_board board;
  std::shared_ptr<http_routes> routes = std::make_shared<http_routes>();
  std::unique_ptr<gateway> shown;
  std::unique_ptr<http_server> server;
};

}  // namespace

TEST_CASE("a healthy daemon says so with nothing in it, under both its paths") {
  daemon_fixture d;
  CHECK(d.body("/health").empty());
  CHECK(d.body("/slave%281%29/health").empty());
  CHECK(contains(d.get("/master/health"), " 404 "));
}

TEST_CASE("the version is told with what is known of the build, and left out what is not") {
  daemon_fixture d;
  CHECK(d.body("/version") ==
        R"({"version":"0.1.0","build_date":"2026-01-02","build_time":5.0,"build_user":"me","git_sha":"abc"})");
}

TEST_CASE("a view may be asked for as a call, if the name is one of a function") {
  daemon_fixture d;
  CHECK(contains(d.get("/version?jsonp=show.it"), "Content-Type: text/javascript"));
  CHECK(d.body("/version?jsonp=show.it").substr(0, 9) == "show.it({");
  CHECK(contains(d.get("/version?jsonp=alert(1)//"), " 400 "));
}

TEST_CASE("actors are shown from their status blocks, with nobody's help") {
  daemon_fixture d;
  auto block = d.board.of("master/leader");
  block->sent = 7;
  block->handled = 4;
  block->last_verb = verb_number<internal::Pong>::value;
  block->incarnation = 3;
  block->restarts = 1;
  CHECK(
      d.body("/actors") ==
      R"({"actors":[{"name":"master/leader","depth":3,"handled":4,"busy_ms":0,"last_message":"troupe.internal.Pong","incarnation":3,"restarts":1}]})");
}

TEST_CASE("metrics are in the text form of Prometheus, those of actors and of the server itself among them") {
  daemon_fixture d;
  d.board.of("agent/a")->sent = 2;
  auto counters = std::make_shared<link_counters>();
  counters->dropped_spoofed = 5;
  d.shown->metrics()->add(link_metrics(counters));
  const auto page = d.body("/metrics");
  CHECK(contains(page, "# TYPE troupe_actor_mailbox_depth gauge\n"));
  CHECK(contains(page, "troupe_actor_mailbox_depth{actor=\"agent/a\"} 2\n"));
  CHECK(contains(page, "troupe_http_requests_total 1\n"));
  CHECK(contains(page, "troupe_link_letters_dropped_total{cause=\"spoofed\"} 5\n"));
}

TEST_CASE("a view that its owner adds answers later, from wherever it likes") {
  daemon_fixture d;
  d.shown->add_view("/state", [](const http_request& request, const responder& respond) {
    std::thread([respond, path = request.path] { respond(http_text(200, "state of " + path)); }).detach();
  });
  CHECK(d.body("/state") == "state of /state");
  CHECK(contains(d.get("/slave(1)/state"), "state of /slave(1)/state"));
}

TEST_CASE("files are browsed, read and downloaded over HTTP") {
  daemon_fixture d;
  char folder[] = "/tmp/troupe-gateway-XXXXXX";
  REQUIRE(::mkdtemp(folder));
  const std::filesystem::path top = folder;
  std::ofstream(top / "stdout") << "gr\xc3\xbc\xc3\x9f"
                                   "e";
  std::ofstream(top / "bytes.bin") << std::string("\xff\x00\x01", 3);
  std::ofstream(top / "large.txt") << std::string(1000000, 'x') << "end";
  d.shown->served_files()->attach("/sandbox", folder);

  CHECK(contains(d.body("/files/browse?path=/sandbox"), R"({"path":"/sandbox/bytes.bin","nlink":1,"size":3,"mtime":)"));
  CHECK(d.body("/files/browse?path=/sandbox/stdout") == "[]");
  CHECK(d.body("/files/read?path=/sandbox/stdout") == R"({"offset":7,"data":""})");
  CHECK(d.body("/files/read?path=/sandbox/stdout&offset=-1&length=-1") == R"({"offset":7,"data":""})");
  CHECK(d.body("/files/read?path=/sandbox/stdout&offset=0") ==
        "{\"offset\":0,\"data\":\"gr\xc3\xbc\xc3\x9f"
        "e\"}");
  INFO("a piece ends before a character that it would cut in two, but is never empty");
  CHECK(d.body("/files/read?path=/sandbox/stdout&offset=0&length=5") == "{\"offset\":0,\"data\":\"gr\xc3\xbc\"}");
  CHECK(d.body("/files/read?path=/sandbox/bytes.bin&offset=0&length=1") == "{\"offset\":0,\"data\":\"\xef\xbf\xbd\"}");
  CHECK(d.body("/files/debug") == "{\"/sandbox\":\"" + top.string() + "\"}");

  const auto download = d.get("/files/download?path=/sandbox/bytes.bin");
  CHECK(contains(download, "Content-Disposition: attachment; filename=\"bytes.bin\"\r\n"));
  CHECK(contains(download, "Content-Type: application/octet-stream\r\n"));
  CHECK(download.substr(download.size() - 3) == std::string("\xff\x00\x01", 3));
  CHECK(d.body("/files/download?path=/sandbox/large.txt").size() == 1000003);
  CHECK(d.body("/files/download?path=/sandbox/large.txt&offset=999998&length=4") == "xxen");
  CHECK(d.body("/files/download?path=/sandbox/large.txt&offset=5000000").empty());

  CHECK(contains(d.get("/files/read"), " 400 "));
  CHECK(contains(d.get("/files/read?path=/sandbox"), " 400 "));
  CHECK(contains(d.get("/files/download?path=/sandbox"), " 400 "));
  CHECK(contains(d.get("/files/read?path=/sandbox/stdout&offset=much"), " 400 "));
  CHECK(contains(d.get("/files/read?path=/sandbox/missing&offset=0"), " 404 "));
  CHECK(contains(d.get("/files/read?path=/sandbox/../etc/passwd&offset=0"), " 400 "));
  std::filesystem::remove_all(top);
}

}  // namespace troupe
