#include "tests/unit/runtime/net/link_ends.hpp"
#include "tests/unit/runtime/net/raw_client.hpp"
#include "tests/unit/runtime/net/tls_authority.hpp"
#include "tests/unit/runtime/net/tls_client.hpp"

#include <catch2/catch.hpp>

#include <openssl/tls1.h>

#include <condition_variable>
#include <mutex>

namespace troupe::test {

namespace {

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

const std::string ask_to_close = "GET /large HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n";
constexpr std::size_t large_bytes = 1u << 20;

/// A server that speaks TLS, with an authority of its own.
struct tls_fixture {
  explicit tls_fixture(http_options options = {}, bool clients_need_certificate = false,
                       io_threads* link_threads = nullptr) {
    routes->add("GET", "/large", [](const http_request&, const responder& respond) {
      respond(http_text(200, std::string(large_bytes, 'x')));
    });
    options.tls = tls_context::of_server(authority.issue("server"), clients_need_certificate).value();
    options.refused = std::make_shared<::troupe::refusals>(
        [this](refusal, const std::string&, const std::string& why, std::uint64_t) {
          std::lock_guard<std::mutex> lock(mutex);
          failures.push_back(why);
          changed.notify_all();
        });
    link_acceptor acceptor;
    acceptor.admit = [](const link_identity&) -> result<link_identity> { return identity(internal::MASTER, "m"); };
    acceptor.events = far.events();
    acceptor.threads = link_threads;
    server = http_server::open(io, std::move(options), routes, acceptor).value();
  }
  ~tls_fixture() {
    server.reset();
    io.stop();
  }

  std::string wait_failed_handshake() {
    std::unique_lock<std::mutex> lock(mutex);
    if (!changed.wait_for(lock, std::chrono::seconds(60), [&] { return !failures.empty(); }))
      throw std::runtime_error("no handshake fails");
    return failures.front();
  }

  /// Dials with these files; what went wrong is in `refusal` once `refused` says so.
  void dial_with(const tls_files& files, const std::string& host = "127.0.0.1") {
    link_options options;
    options.tls = tls_context::of_client(files).value();
    auto target = parse_link_target("https://" + host + ":" + std::to_string(server->port())).value();
    attempt = dial(io, target, identity(internal::AGENT, "a"), near.events(), options, [this](const error& e) {
      std::lock_guard<std::mutex> lock(mutex);
      refusals.push_back(e.message);
      changed.notify_all();
    });
  }
  std::string wait_refusal() {
    std::unique_lock<std::mutex> lock(mutex);
    if (!changed.wait_for(lock, std::chrono::seconds(60), [&] { return !refusals.empty(); }))
      throw std::runtime_error("the attempt does not fail");
    return refusals.front();
  }

  tls_habits stranger() const {
    tls_habits habits;
    habits.files.authority = authority.file();
    return habits;
  }

  certificate_folder folder;
  tls_authority authority{folder, "authority"};
  std::mutex mutex;
  std::condition_variable changed;
  std::vector<std::string> failures, refusals;
  link_ear near, far;
  io_threads io{2};
  std::shared_ptr<http_routes> routes = std::make_shared<http_routes>();
  std::unique_ptr<http_server> server;
  std::shared_ptr<link_attempt> attempt;
};

std::string message_of(const result<std::shared_ptr<const tls_context>>& made) {
  return made ? "" : made.error().message;
}

}  // namespace

TEST_CASE("HTTP is served over TLS to a client without a certificate, and its end is said") {
  tls_fixture f;
  tls_client client(f.server->port(), f.stranger());
  REQUIRE(client.connected());
  CHECK(client.version() == "TLSv1.3");
  auto heard = client.ask(ask_to_close);
  CHECK(contains(heard.text, "HTTP/1.1 200 OK\r\n"));
  CHECK(heard.text.size() > large_bytes);
  CHECK(heard.orderly);
}

TEST_CASE("links over TLS carry envelopes of any size both ways") {
  tls_fixture f;
  f.dial_with(f.authority.issue("agent"));
  auto near = f.near.wait_up();
  auto far = f.far.wait_up();
  const std::vector<std::string> said{"small", std::string(large_bytes, 'y'), "last"};
  for (const auto& each : said) {
    CHECK(near->send(envelope(each)));
    CHECK(far->send(envelope(each)));
  }
  CHECK(f.far.wait_envelopes(3) == said);
  CHECK(f.near.wait_envelopes(3) == said);
  near->close("enough");
  CHECK(contains(f.far.wait_down(), "enough"));
}

TEST_CASE("a link over TLS may run on other threads than the handshake did") {
  io_threads link_threads;
  {
    tls_fixture f({}, false, &link_threads);
    f.dial_with(f.authority.issue("agent"));
    const std::vector<std::string> said{"small", std::string(large_bytes, 'y'), "last"};
    for (const auto& each : said) {
      CHECK(f.near.wait_up()->send(envelope(each)));
      CHECK(f.far.wait_up()->send(envelope(each)));
    }
    CHECK(f.far.wait_envelopes(3) == said);
    CHECK(f.near.wait_envelopes(3) == said);
    f.server->stop();
  }
  link_threads.stop();
}

TEST_CASE("a server whose certificate an unknown authority has signed is not spoken to") {
  tls_fixture f;
  tls_authority other(f.folder, "other");
  auto files = f.authority.issue("agent");
  files.authority = other.file();
  f.dial_with(files);
  auto why = f.wait_refusal();
  CHECK(contains(why, "127.0.0.1:" + std::to_string(f.server->port())));
  CHECK(contains(why, "certificate of the other end is not accepted"));
  CHECK(f.far.history().empty());
}

TEST_CASE("a server is known by the name in its certificate") {
  SECTION("which it has") {
    tls_fixture f;
    f.dial_with(f.authority.issue("agent"), "localhost");
    CHECK(f.near.wait_up()->peer().id == "m");
  }
  SECTION("or has not") {
    http_options options;
    options.address = "127.0.0.2";
    tls_fixture f(options);
    f.dial_with(f.authority.issue("agent"), "127.0.0.2");
    CHECK(contains(f.wait_refusal(), "mismatch"));
    CHECK(f.far.history().empty());
  }
}

TEST_CASE("a link needs a certificate that the authority has signed, HTTP does not") {
  tls_fixture f;
  tls_files nobody;
  nobody.authority = f.authority.file();
  SECTION("none") {
    f.dial_with(nobody);
    CHECK(contains(f.wait_refusal(), "needs a certificate"));
  }
  SECTION("one of another authority") {
    auto stolen = tls_authority(f.folder, "other").issue("stolen");
    stolen.authority = f.authority.file();
    f.dial_with(stolen);
    CHECK(contains(f.wait_failed_handshake(), "not accepted"));
    CHECK_FALSE(f.wait_refusal().empty());
  }
  CHECK(f.far.history().empty());
}

TEST_CASE("where clients need certificates nobody else is heard") {
  tls_fixture f({}, true);
  CHECK(tls_client(f.server->port(), f.stranger()).ask(ask_to_close).text.empty());
  CHECK(contains(f.wait_failed_handshake(), "certificate"));
  tls_habits known;
  known.files = f.authority.issue("operator");
  CHECK(contains(tls_client(f.server->port(), known).ask(ask_to_close).text, " 200 "));
}

TEST_CASE("a certificate that has expired opens nothing") {
  tls_fixture f;
  tls_authority::wish past;
  past.begins_s = -7200;
  past.ends_s = -3600;
  tls_habits late;
  late.files = f.authority.issue("late", past);
  CHECK(tls_client(f.server->port(), late).ask(ask_to_close).text.empty());
  CHECK(contains(f.wait_failed_handshake(), "expired"));
}

TEST_CASE("who does not speak TLS is told what to do, and is gone") {
  tls_fixture f;
  SECTION("HTTP") {
    auto client = raw_client::tcp(f.server->port());
    client.send("GET /large HTTP/1.1\r\nHost: x\r\n\r\n");
    auto heard = client.read_to_end();
    CHECK(contains(heard, "HTTP/1.1 400 "));
    CHECK(contains(heard, "https://"));
  }
  SECTION("a single byte") {
    auto client = raw_client::tcp(f.server->port());
    client.send("x");
    CHECK(contains(client.read_to_end(), " 400 "));
  }
  CHECK(contains(f.wait_failed_handshake(), "does not speak TLS"));
  CHECK(f.server->refused().count(refusal::tls) == 1);
  CHECK(f.server->counters().requests.load() == 0);
}

TEST_CASE("a dialler that does not speak TLS reads that it should") {
  tls_fixture f;
  auto target = parse_link_target("http://127.0.0.1:" + std::to_string(f.server->port())).value();
  f.attempt = dial(f.io, target, identity(internal::AGENT, "a"), f.near.events(), {}, [&](const error& e) {
    std::lock_guard<std::mutex> lock(f.mutex);
    f.refusals.push_back(e.message);
    f.changed.notify_all();
  });
  CHECK(contains(f.wait_refusal(), "https://"));
}

TEST_CASE("TLS before 1.2 is refused") {
  tls_fixture f;
  auto old = f.stranger();
  old.ciphers = "ALL:@SECLEVEL=0";
  old.version_max = TLS1_1_VERSION;
  CHECK_FALSE(tls_client(f.server->port(), old).connected());
  CHECK(contains(f.wait_failed_handshake(), "unsupported protocol"));
  old.version_max = TLS1_2_VERSION;
  tls_client newer(f.server->port(), old);
  CHECK(newer.connected());
  CHECK(newer.version() == "TLSv1.2");
}

TEST_CASE("TLS 1.2 is spoken only with ciphers that authenticate what they encrypt") {
  tls_fixture f;
  auto weak = f.stranger();
  weak.version_max = TLS1_2_VERSION;
  weak.ciphers = "ECDHE+AES128+SHA:@SECLEVEL=0";
  CHECK_FALSE(tls_client(f.server->port(), weak).connected());
}

TEST_CASE("a handshake that takes its time is cut off") {
  http_options options;
  options.handshake_ms = 20;
  tls_fixture f(options);
  auto client = raw_client::tcp(f.server->port());
  SECTION("after its first bytes") {
    client.send(std::string("\x16\x03\x01", 3));
  }
  SECTION("before them") {}
  CHECK(client.read_to_end().empty());
  CHECK(contains(f.wait_failed_handshake(), "no complete TLS handshake"));
}

TEST_CASE("connections count before their handshake is over") {
  http_options options;
  options.places.all = 1;
  tls_fixture f(options);
  auto first = raw_client::tcp(f.server->port());
  first.send("\x16");
  // One queue for both: the second is accepted after the first.
  CHECK(raw_client::tcp(f.server->port()).read_to_end().empty());
  CHECK(f.server->refused().count(refusal::too_many) == 1);
}

TEST_CASE("the Unix socket of a server that speaks TLS stays plain") {
  short_folder folder;
  http_options options;
  options.unix_path = folder.path("s");
  tls_fixture f(options);
  auto client = raw_client::unix_socket(options.unix_path);
  client.send(ask_to_close);
  CHECK(contains(client.read_response(), " 200 "));
  f.server->stop();
}

TEST_CASE("what is wrong with a file is said with its name") {
  certificate_folder folder;
  tls_authority authority(folder, "authority");
  auto files = authority.issue("good");
  auto message = [&] { return message_of(tls_context::of_server(files, false)); };
  CHECK(message().empty());
  SECTION("not there") {
    files.certificate = folder.path("nowhere");
    CHECK(contains(message(), "--tls-cert " + files.certificate + ": cannot be read: No such file"));
  }
  SECTION("a folder") {
    files.key = folder.path("");
    CHECK(contains(message(), "--tls-key " + files.key + ": cannot be read: Is a directory"));
  }
  SECTION("empty") {
    files.authority = folder.write("empty", "");
    CHECK(contains(message(), "--tls-ca " + files.authority + ": the file is empty"));
  }
  SECTION("no PEM") {
    files.certificate = folder.write("text", "certainly");
    CHECK(contains(message(), files.certificate + ": holds no usable PEM certificate"));
  }
  SECTION("no PEM authority") {
    files.authority = folder.write("text", "certainly");
    CHECK(contains(message(), files.authority + ": holds no usable PEM certificate"));
  }
  SECTION("no PEM key") {
    files.key = folder.write("text", "certainly");
    CHECK(contains(message(), files.key + ": holds no usable PEM key"));
  }
  SECTION("another's key") {
    files.key = authority.issue("other").key;
    CHECK(contains(message(), files.key + ": does not match the certificate in " + files.certificate));
  }
  SECTION("expired") {
    tls_authority::wish past;
    past.begins_s = -7200;
    past.ends_s = -3600;
    files = authority.issue("past", past);
    CHECK(contains(message(), files.certificate + ": the certificate expired on "));
  }
  SECTION("not valid yet") {
    tls_authority::wish future;
    future.begins_s = 3600;
    future.ends_s = 7200;
    files = authority.issue("future", future);
    CHECK(contains(message(), files.certificate + ": the certificate is not valid before "));
  }
  SECTION("half of it is missing") {
    files.key.clear();
    CHECK(contains(message(), "--tls-key"));
  }
  SECTION("certificates are demanded that nobody could verify") {
    files.authority.clear();
    CHECK(contains(message_of(tls_context::of_server(files, true)), "--tls-ca"));
  }
}

}  // namespace troupe::test
