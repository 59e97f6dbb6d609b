#include "actors/runtime/net/http_server.hpp"

#include "actors/runtime/net/http_session.hpp"
#include "actors/runtime/net/sockets.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/strand.hpp>

#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <mutex>
#include <utility>

namespace troupe {

namespace {

/// A descriptor that is kept for the moment when there is no other: with it somebody can still be taken in, to be told.
class reserve_descriptor {
 public:
  reserve_descriptor() { fill(); }
  bool spend() { return static_cast<bool>(std::exchange(fd_, socket_fd())); }
  void fill() { fd_ = socket_fd(::open("/dev/null", O_RDONLY | O_CLOEXEC)); }

 private:
  socket_fd fd_;
};

/// One listening socket.
class listener : public std::enable_shared_from_this<listener> {
 public:
  listener(io_threads& io, socket_fd fd, bool is_unix, std::shared_ptr<http_session_context> context,
           std::shared_ptr<connection_places> places)
      : io_(io),
        descriptor_(net::make_strand(io.context()), fd.release()),
        retry_(descriptor_.get_executor()),
        is_unix_(is_unix),
        context_(std::move(context)),
        places_(std::move(places)) {}

  void start() {
    net::post(descriptor_.get_executor(), [self = shared_from_this()] { self->wait(); });
  }

  /// After `closed` has been called no connection is taken any more.
  void stop(std::function<void()> closed) {
    net::post(descriptor_.get_executor(), [self = shared_from_this(), closed = std::move(closed)] {
      beast::error_code ignored;
      self->descriptor_.close(ignored);
      self->retry_.cancel();
      closed();
    });
  }

 private:
  // Between two turns those who are here already have theirs.
  static constexpr int accepted_a_turn_max = 64;

  void wait() {
    if (!descriptor_.is_open()) return;
    descriptor_.async_wait(net::posix::stream_descriptor::wait_read, [self = shared_from_this()](beast::error_code ec) {
      if (!ec) self->accept_some();
    });
  }

  void accept_some() {
    if (!descriptor_.is_open()) return;
    for (int i = 0; i < accepted_a_turn_max; ++i) {
      auto fd = accept_connection(descriptor_.native_handle());
      if (!fd && !turn_away_with_reserve()) return wait_for_descriptors();
      if (!fd) continue;
      if (!*fd) return wait();
      take_in(std::move(*fd));
    }
    net::post(descriptor_.get_executor(), [self = shared_from_this()] { self->accept_some(); });
  }

  /// False: nobody could be taken in with it either.
  bool turn_away_with_reserve() {
    if (!reserve_.spend()) {
      reserve_.fill();
      context_->options.refused->add(refusal::no_descriptors, {},
                                     "connections wait to be accepted until some are free");
      return false;
    }
    {
      auto fd = accept_connection(descriptor_.native_handle());
      if (fd && *fd) turn_away(*fd, refusal::no_descriptors, "This process has no file descriptor left.");
    }
    reserve_.fill();
    return true;
  }

  /// Whoever waits for a connection keeps the socket readable, so waiting for that would spin.
  void wait_for_descriptors() {
    retry_.expires_after(std::chrono::milliseconds(100));
    retry_.async_wait([self = shared_from_this()](beast::error_code ec) {
      if (!ec) self->wait();
    });
  }

  void take_in(socket_fd fd) {
    const auto peer = peer_address::of(fd.get());
    auto taken = places_->take(peer);
    if (!taken.place) {
      const bool all = taken.cause == refusal::too_many;
      return turn_away(fd, taken.cause, all ? "Too many connections." : "Too many connections from this address.");
    }
    context_->counters.accepted.fetch_add(1);
    const int family = is_unix_ ? AF_UNIX : family_of(fd);
    stream_socket socket(net::make_strand(io_.context()));
    beast::error_code ec;
    socket.assign(net::generic::stream_protocol(family, 0), fd.get(), ec);
    if (ec) return;
    (void)fd.release();
    if (!is_unix_) socket.set_option(net::ip::tcp::no_delay(true), ec);
    std::make_shared<http_session<byte_stream>>(byte_stream(std::move(socket)), is_unix_, peer, context_,
                                                std::move(taken.place))
        ->start();
  }

  void turn_away(const socket_fd& fd, refusal cause, const std::string& why) {
    context_->options.refused->add(cause, peer_address::of(fd.get()), why);
    if (context_->options.tls && !is_unix_) return;  // it would take the words for broken TLS
    auto response = http_text(503, why);
    http_framing how;
    how.keep_alive = false;
    how.content_length = response.body.size();
    how.now = std::time(nullptr);
    const auto text = render_http_head(response, how) + response.body;
    (void)!::send(fd.get(), text.data(), text.size(), MSG_NOSIGNAL | MSG_DONTWAIT);
  }

  static int family_of(const socket_fd& fd) {
    sockaddr_storage address{};
    socklen_t size = sizeof address;
    ::getsockname(fd.get(), static_cast<sockaddr*>(static_cast<void*>(&address)), &size);
    return address.ss_family;
  }

  io_threads& io_;
  net::posix::stream_descriptor descriptor_;
  net::steady_timer retry_;
  const bool is_unix_;
  std::shared_ptr<http_session_context> context_;
  std::shared_ptr<connection_places> places_;
  reserve_descriptor reserve_;
};

}  // namespace

struct http_server::state {
  std::shared_ptr<http_session_context> context = std::make_shared<http_session_context>();
  std::shared_ptr<connection_places> places;
  std::vector<std::shared_ptr<listener>> listeners;
  std::uint16_t port = 0;
  std::string unix_path;  ///< to be removed at the end
};

http_server::http_server(std::shared_ptr<state> state) : state_(std::move(state)) {}

http_server::~http_server() {
  stop();
}

result<std::unique_ptr<http_server>> http_server::open(io_threads& io, http_options options,
                                                       std::shared_ptr<const http_routes> routes,
                                                       std::optional<link_acceptor> acceptor) {
  auto made = std::make_shared<state>();
  auto& context = *made->context;
  context.options = options;
  context.link_io = acceptor && acceptor->threads ? acceptor->threads : &io;
  made->places = std::make_shared<connection_places>(
      options.places, context.counters.open,
      [refused = options.refused, how_long = options.places.patience](const peer_address& peer) {
        refused->add(refusal::gave_way, peer,
                     "said nothing for " + std::to_string(how_long.count()) + " ms or more, and others need the place");
      });
  context.routes = std::move(routes);
  context.acceptor = std::move(acceptor);
  if (!options.address.empty()) {
    auto fd = listen_tcp(options.address, options.port);
    if (!fd) return fd.error();
    made->port = port_of(*fd);
    made->listeners.push_back(std::make_shared<listener>(io, std::move(*fd), false, made->context, made->places));
  }
  if (!options.unix_path.empty()) {
    auto fd = listen_unix(options.unix_path, options.unix_mode);
    if (!fd) return fd.error();
    made->unix_path = options.unix_path;
    made->listeners.push_back(std::make_shared<listener>(io, std::move(*fd), true, made->context, made->places));
  }
  if (made->listeners.empty()) return invalid("a server needs an address, a socket path, or both");
  for (auto& each : made->listeners) each->start();
  return std::unique_ptr<http_server>(new http_server(std::move(made)));
}

std::uint16_t http_server::port() const {
  return state_->port;
}

const http_counters& http_server::counters() const {
  return state_->context->counters;
}

const refusals& http_server::refused() const {
  return *state_->context->options.refused;
}

void http_server::stop() {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t open = state_->listeners.size();
  for (auto& each : state_->listeners) {
    each->stop([&] {
      std::lock_guard<std::mutex> lock(mutex);
      --open;
      changed.notify_all();
    });
  }
  std::unique_lock<std::mutex> lock(mutex);
  changed.wait(lock, [&] { return open == 0; });
  state_->listeners.clear();
  if (!state_->unix_path.empty()) ::unlink(std::exchange(state_->unix_path, {}).c_str());
  state_->places->stop();
}

}  // namespace troupe
