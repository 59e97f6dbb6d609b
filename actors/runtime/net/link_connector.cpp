#include "actors/runtime/net/link_connector.hpp"

#include "actors/runtime/net/backoff.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>

#include <atomic>
#include <future>
#include <random>
#include <vector>

namespace troupe {

namespace net = boost::asio;

namespace {

std::string after(const std::string& text, const std::string& prefix) {
  return text.substr(prefix.size());
}
bool begins(const std::string& text, const std::string& prefix) {
  return text.compare(0, prefix.size(), prefix) == 0;
}

error bad_target(const std::string& text) {
  return invalid("address " + text + ": must be http://HOST:PORT, https://HOST:PORT or unix:/PATH");
}

}  // namespace

result<link_target> parse_link_target(const std::string& text) {
  link_target target;
  if (begins(text, "unix:/")) {
    target.unix_path = after(text, "unix:");
    return target;
  }
  target.tls = begins(text, "https://");
  if (!target.tls && !begins(text, "http://")) return bad_target(text);
  auto rest = after(text, target.tls ? "https://" : "http://");
  while (!rest.empty() && rest.back() == '/') rest.pop_back();
  const auto colon = rest.rfind(':');
  if (colon == std::string::npos || colon == 0 || rest.find('/') != std::string::npos) return bad_target(text);
  target.host = rest.substr(0, colon);
  target.port = rest.substr(colon + 1);
  if (target.host.size() > 2 && target.host.front() == '[' && target.host.back() == ']') {
    target.host = target.host.substr(1, target.host.size() - 2);
  }
  const bool digits = !target.port.empty() && target.port.size() <= 5 &&
                      target.port.find_first_not_of("0123456789") == std::string::npos;
  if (!digits || std::stoul(target.port) == 0 || std::stoul(target.port) > 65535) return bad_target(text);
  return target;
}

/// Everything but set_target and stop runs on the strand.
struct link_connector::state : std::enable_shared_from_this<state> {
  state(io_threads& io, std::function<link_identity()> self, link_events events, connector_options options,
        std::function<void(const std::string&, const error&)> failed)
      : io(io),
        strand(net::make_strand(io.context())),
        timer(strand),
        self(std::move(self)),
        events(std::move(events)),
        options(std::move(options)),
        failed(std::move(failed)),
        delay(std::chrono::milliseconds(this->options.retry_first_ms),
              std::chrono::milliseconds(this->options.retry_limit_ms)) {}

  void change_target(const std::string& wanted) {
    if (stopping || wanted == target) return;
    target = wanted;
    delay.reset();
    timer.cancel();
    if (attempt) {
      at_once = true;
      attempt->cancel("the address changed");
    } else {
      dial_now();
    }
  }

  void dial_now() {
    if (stopping || attempt || target.empty()) return;
    at_once = false;
    auto parsed = parse_link_target(target);
    if (!parsed) return on_failed(target, parsed.error());
    link_events mine;
    auto me = shared_from_this();
    mine.up = [me](const std::shared_ptr<link>& l) {
      me->up_since = std::chrono::steady_clock::now();
      me->events.up(l);
    };
    mine.envelope = events.envelope;
    mine.down = [me](const std::shared_ptr<link>& l, const std::string& reason) {
      me->events.down(l, reason);
      net::post(me->strand, [me] { me->on_down(); });
    };
    attempt = dial(io, *parsed, self(), std::move(mine), options.link,
                   [me, to = target](const error& e) { net::post(me->strand, [me, to, e] { me->on_failed(to, e); }); });
  }

  void on_failed(const std::string& to, const error& e) {
    attempt = nullptr;
    if (failed && !stopping) failed(to, e);
    go_on();
  }

  void on_down() {
    attempt = nullptr;
    // A link that ends at once is as good as none: whoever takes turns with us for one address does so ever more
    // slowly.
    if (std::chrono::steady_clock::now() - up_since.load() > std::chrono::milliseconds(options.retry_limit_ms))
      delay.reset();
    go_on();
  }

  void go_on() {
    if (stopping) return tell_stopped();
    if (at_once) return dial_now();
    timer.expires_after(delay.next(chance()));
    timer.async_wait([me = shared_from_this()](boost::system::error_code ec) {
      if (!ec) me->dial_now();
    });
  }

  void stop(std::shared_ptr<std::promise<void>> done) {
    waiting.push_back(std::move(done));
    stopping = true;
    timer.cancel();
    if (!attempt) return tell_stopped();
    attempt->cancel("shutting down");
  }

  void tell_stopped() {
    for (auto& each : waiting) each->set_value();
    waiting.clear();
  }

  io_threads& io;
  net::strand<net::io_context::executor_type> strand;
  net::steady_timer timer;
  const std::function<link_identity()> self;
  const link_events events;
  const connector_options options;
  const std::function<void(const std::string&, const error&)> failed;
  backoff delay;
  std::mt19937_64 chance{std::random_device{}()};

  std::string target;
  std::shared_ptr<link_attempt> attempt;  ///< until it failed, or its link went down
  std::atomic<std::chrono::steady_clock::time_point> up_since{std::chrono::steady_clock::time_point{}};
  bool at_once = false;
  bool stopping = false;
  std::atomic<bool> stop_asked{false};
  std::vector<std::shared_ptr<std::promise<void>>> waiting;
};

link_connector::link_connector(io_threads& io, std::function<link_identity()> self, link_events events,
                               connector_options options, std::function<void(const std::string&, const error&)> failed)
    : state_(std::make_shared<state>(io, std::move(self), std::move(events), std::move(options), std::move(failed))) {}

link_connector::~link_connector() {
  stop();
}

void link_connector::set_target(const std::string& target) {
  net::post(state_->strand, [s = state_, target] { s->change_target(target); });
}

void link_connector::stop() {
  if (state_->stop_asked.exchange(true)) return;
  auto done = std::make_shared<std::promise<void>>();
  net::post(state_->strand, [s = state_, done] { s->stop(done); });
  done->get_future().wait();
}

}  // namespace troupe
