#include "actors/runtime/net/http_server.hpp"

#include "actors/runtime/net/http_session.hpp"
#include "actors/runtime/net/sockets.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/posix/stream_descriptor.hpp>
#include <boost/asio/strand.hpp>

#include <sys/socket.h>
#include <unistd.h>

#include <condition_variable>
#include <map>
#include <mutex>

namespace troupe {

namespace {

/// All connections of a server, so that it can end them and wait for their end.
class connection_table : public std::enable_shared_from_this<connection_table> {
 public:
  connection_table(std::size_t max, std::atomic<std::uint64_t>& open) : max_(max), open_(open) {}

  /// None: there are too many, or the server is stopping.
  std::shared_ptr<connection_slot> take() {
    std::lock_guard<std::mutex> lock(mutex_);
    if (stopping_ || entries_.size() >= max_) return nullptr;
    entries_.emplace(++last_, entry{});
    open_.store(entries_.size());
    return std::make_shared<slot>(shared_from_this(), last_);
  }

  void stop() {
    std::vector<std::function<void()>> stops;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      stopping_ = true;
      for (const auto& [id, held] : entries_) {
        if (held.stop) stops.push_back(held.stop);
      }
    }
    for (auto& call : stops) call();
    stops.clear();
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait(lock, [this] { return entries_.empty(); });
  }

 private:
  struct entry {
    std::shared_ptr<void> keep;
    std::function<void()> stop;
  };

  struct slot final : connection_slot {
    slot(std::shared_ptr<connection_table> table, std::uint64_t id) : table(std::move(table)), id(id) {}
    ~slot() override { table->give_back(id); }
    void held_by(std::shared_ptr<void> keep, std::function<void()> stop) override {
      table->hold(id, {std::move(keep), std::move(stop)});
    }
    std::shared_ptr<connection_table> table;
    std::uint64_t id;
  };

  void hold(std::uint64_t id, entry held) {
    bool stop_now = false;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      auto& at = entries_[id];
      std::swap(at, held);
      stop_now = stopping_;
      if (stop_now) held = at;
    }
    if (stop_now) held.stop();
  }

  void give_back(std::uint64_t id) {
    entry last;  // destroyed after the lock is released
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = entries_.find(id);
    last = std::move(it->second);
    entries_.erase(it);
    open_.store(entries_.size());
    changed_.notify_all();
  }

  const std::size_t max_;
  std::atomic<std::uint64_t>& open_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::map<std::uint64_t, entry> entries_;
  std::uint64_t last_ = 0;
  bool stopping_ = false;
};

/// One listening socket.
class listener : public std::enable_shared_from_this<listener> {
 public:
  listener(io_threads& io, socket_fd fd, bool is_unix, std::shared_ptr<http_session_context> context,
           std::shared_ptr<connection_table> table)
      : io_(io),
        descriptor_(net::make_strand(io.context()), fd.release()),
        retry_(descriptor_.get_executor()),
        is_unix_(is_unix),
        context_(std::move(context)),
        table_(std::move(table)) {}

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
  void wait() {
    if (!descriptor_.is_open()) return;
    descriptor_.async_wait(net::posix::stream_descriptor::wait_read, [self = shared_from_this()](beast::error_code ec) {
      if (!ec) self->accept_all();
    });
  }

  void accept_all() {
    if (!descriptor_.is_open()) return;
    for (;;) {
      auto fd = accept_connection(descriptor_.native_handle());
      if (!fd) return wait_for_descriptors();
      if (!*fd) return wait();
      take_in(std::move(*fd));
    }
  }

  /// Out of descriptors: the waiting connection stays readable, so waiting for it would spin.
  void wait_for_descriptors() {
    retry_.expires_after(std::chrono::milliseconds(100));
    retry_.async_wait([self = shared_from_this()](beast::error_code ec) {
      if (!ec) self->wait();
    });
  }

  void take_in(socket_fd fd) {
    auto slot = table_->take();
    if (!slot) return turn_away(fd);
    context_->counters.accepted.fetch_add(1);
    const int family = is_unix_ ? AF_UNIX : family_of(fd);
    stream_socket socket(net::make_strand(io_.context()));
    beast::error_code ec;
    socket.assign(net::generic::stream_protocol(family, 0), fd.get(), ec);
    if (ec) return;
    (void)fd.release();
    if (!is_unix_) socket.set_option(net::ip::tcp::no_delay(true), ec);
    std::make_shared<http_session<byte_stream>>(byte_stream(std::move(socket)), is_unix_, context_, std::move(slot))
        ->start();
  }

  void turn_away(const socket_fd& fd) {
    context_->counters.refused.fetch_add(1);
    if (context_->options.tls && !is_unix_) return;  // it would take the words for broken TLS
    auto response = http_text(503, "Too many connections.");
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
  std::shared_ptr<connection_table> table_;
};

}  // namespace

struct http_server::state {
  std::shared_ptr<http_session_context> context = std::make_shared<http_session_context>();
  std::shared_ptr<connection_table> table;
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
  made->table = std::make_shared<connection_table>(options.connections_max, context.counters.open);
  context.options = options;
  context.routes = std::move(routes);
  context.acceptor = std::move(acceptor);
  if (!options.address.empty()) {
    auto fd = listen_tcp(options.address, options.port);
    if (!fd) return fd.error();
    made->port = port_of(*fd);
    made->listeners.push_back(std::make_shared<listener>(io, std::move(*fd), false, made->context, made->table));
  }
  if (!options.unix_path.empty()) {
    auto fd = listen_unix(options.unix_path, options.unix_mode);
    if (!fd) return fd.error();
    made->unix_path = options.unix_path;
    made->listeners.push_back(std::make_shared<listener>(io, std::move(*fd), true, made->context, made->table));
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
  state_->table->stop();
}

}  // namespace troupe
