#include "actors/gateway/files_endpoints.hpp"
#include "actors/gateway/json_answer.hpp"
#include "tests/fuzz/fuzzing.hpp"

#include <algorithm>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <future>

/// A request's method and target, as `METHOD TARGET`, and what the endpoints that read files make of them.
namespace troupe {

namespace {

constexpr std::uint64_t source_bytes_max = 64;  // the only file has fewer
const std::string outside = "what lies outside";

/// A served folder with a file, a folder, and links out of it; its neighbour is not served.
class served_world {
 public:
  served_world() {
    namespace fs = std::filesystem;
    char name[] = "/tmp/troupe-fuzz.XXXXXX";
    fuzzing::require(::mkdtemp(name) != nullptr, "a folder can be made under /tmp");
    top_ = name;
    fs::create_directories(top_ / "box" / "folder");
    std::ofstream(top_ / "box" / "log") << "one line and \xc3\xa9 more\n";
    std::ofstream(top_ / "secret") << outside;
    fs::create_symlink("../secret", top_ / "box" / "out");
    fs::create_symlink("..", top_ / "box" / "folder" / "up");
    fs::create_symlink(top_, top_ / "box" / "away");
    served_->attach("/box", (top_ / "box").string());
    serve_files(routes_, served_, disk_);
    routes_.add("GET", "/state",
                [](const http_request& request, const responder& respond) { respond(json_answer(request, "{}")); });
    routes_.add_below("*", "/below", [](const http_request& request, const responder& respond) {
      respond(http_text(404, "nothing at " + request.path));
    });
  }
  ~served_world() {
    disk_->stop();
    std::filesystem::remove_all(top_);
  }
  served_world(const served_world&) = delete;
  served_world& operator=(const served_world&) = delete;

  const http_routes& routes() const { return routes_; }

 private:
  std::filesystem::path top_;
  std::shared_ptr<files> served_ = std::make_shared<files>();
  std::shared_ptr<disk_desk> disk_ = std::make_shared<disk_desk>(disk_desk::limits{1, 4});
  http_routes routes_;
};

class one_answer final : public responder::exchange {
 public:
  void answer(http_response response) override { promise_.set_value(std::move(response)); }
  std::shared_ptr<http_stream> open(http_response) override { return nullptr; }
  http_response wait() { return promise_.get_future().get(); }

 private:
  std::promise<http_response> promise_;
};

void check_head(const http_response& response) {
  http_framing how;
  how.content_length = response.source ? response.source_bytes : response.body.size();
  const auto head = render_http_head(response, how);
  fuzzing::require(head.find("\r\n\r\n") == head.size() - 4, "a head ends once");
  fuzzing::require(
      std::count(head.begin(), head.end(), '\n') ==
          static_cast<std::ptrdiff_t>(6 + response.headers.size() - (response.content_type.empty() ? 1 : 0)),
      "a head has no line but ours");
}

void check(http_response response) {
  fuzzing::require(response.status >= 200 && response.status < 600, "a status is one");
  fuzzing::require(response.status != 500, "nothing from outside is our fault");
  check_head(response);
  auto body = response.body;
  fuzzing::require(!response.source || response.source_bytes <= source_bytes_max, "no more is announced than is there");
  while (response.source) {
    std::promise<std::optional<std::string>> asked;
    response.source([&](std::optional<std::string> got) { asked.set_value(std::move(got)); });
    auto piece = asked.get_future().get();
    if (!piece) break;
    body += *piece;
  }
  if (response.source) fuzzing::require(body.size() == response.source_bytes, "what is announced comes");
  fuzzing::require(body.find(outside) == std::string::npos, "no path leads out of a served folder");
}

}  // namespace

}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  static const served_world world;
  fuzzing::input in(data, size);
  http_request request;
  request.method = std::string(in.until(' '));
  request.target = std::string(in.rest());
  auto target = parse_http_target(request.target);
  if (!target) return 0;
  fuzzing::require(target->path.find('\0') == std::string::npos, "a path has no zero byte");
  request.path = std::move(target->path);
  request.query = std::move(target->query);
  const auto exchange = std::make_shared<one_answer>();
  world.routes().dispatch(request, responder(exchange));
  check(exchange->wait());
  return 0;
}
