#include "actors/runtime/net/websocket_link.hpp"

#include "actors/runtime/net/sockets.hpp"
#include "actors/runtime/net/websocket_session.hpp"

#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/strand.hpp>

#include <mutex>

namespace troupe {

namespace {

using session = websocket_session<byte_stream>;

/// Forwards to the session while there is one.
class session_attempt final : public link_attempt {
 public:
  explicit session_attempt(std::weak_ptr<session> session) : session_(std::move(session)) {}
  void cancel(const std::string& reason) override {
    if (auto s = session_.lock()) s->cancel(reason);
  }

 private:
  std::weak_ptr<session> session_;
};

/// From a name to a connected socket, and on to a session.
class dialler final : public link_attempt, public std::enable_shared_from_this<dialler> {
 public:
  dialler(io_threads& io, link_target target, link_identity self, link_events events, link_options options,
          std::function<void(const error&)> failed)
      : socket_(net::make_strand(io.context())),
        resolver_(socket_.get_executor()),
        deadline_(socket_.get_executor()),
        target_(std::move(target)),
        identity_(std::move(self)),
        events_(std::move(events)),
        options_(std::move(options)),
        failed_(std::move(failed)) {}

  void start() {
    net::post(socket_.get_executor(), [self = shared_from_this()] {
      if (self->target_.unix_path.empty()) return self->resolve();
      self->connect_to_path();
    });
  }

  void cancel(const std::string& reason) override {
    std::lock_guard<std::mutex> lock(mutex_);
    if (auto s = session_.lock()) return s->cancel(reason);
    net::post(socket_.get_executor(), [self = shared_from_this(), reason] {
      if (auto s = self->session_.lock()) return s->cancel(reason);
      self->fail({errc::unavailable, reason});
    });
  }

 private:
  void resolve() {
    deadline_.expires_after(std::chrono::milliseconds(options_.handshake_ms));
    deadline_.async_wait([self = shared_from_this()](beast::error_code ec) {
      if (!ec) self->fail({errc::unavailable, "cannot connect to " + self->name() + " in time"});
    });
    resolver_.async_resolve(
        target_.host, target_.port,
        [self = shared_from_this()](beast::error_code ec, const net::ip::tcp::resolver::results_type& found) {
          if (ec) return self->fail({errc::unavailable, "cannot resolve " + self->target_.host + ": " + ec.message()});
          for (const auto& entry : found) self->endpoints_.push_back(entry.endpoint());
          self->connect_to_next({errc::unavailable, "no address for " + self->target_.host});
        });
  }

  void connect_to_next(const error& last) {
    if (ended_) return;
    if (next_ == endpoints_.size()) return fail(last);
    const auto endpoint = endpoints_[next_++];
    auto fd = open_stream_socket(endpoint.protocol().family());
    if (!fd) return fail(fd.error());
    if (!options_.source.empty())
      if (auto bound = bind_source(*fd, options_.source); !bound) return connect_to_next(bound.error());
    beast::error_code ignored;
    socket_.close(ignored);
    socket_.assign(net::generic::stream_protocol(endpoint.protocol()), fd->release(), ignored);
    socket_.async_connect(endpoint, [self = shared_from_this()](beast::error_code ec) {
      if (ec)
        return self->connect_to_next({errc::unavailable, "cannot connect to " + self->name() + ": " + ec.message()});
      beast::error_code no_matter;
      self->socket_.set_option(net::ip::tcp::no_delay(true), no_matter);
      self->stream_.emplace(std::move(self->socket_));
      if (self->target_.tls) return self->secure();
      self->greet();
    });
  }

  void connect_to_path() {
    auto fd = connect_unix(target_.unix_path);
    if (!fd) return fail(fd.error());
    beast::error_code ec;
    socket_.assign(net::generic::stream_protocol(AF_UNIX, 0), fd->release(), ec);
    if (ec) return fail({errc::io, ec.message()});
    stream_.emplace(std::move(socket_));
    greet();
  }

  /// The server's certificate is verified before anything is said.
  void secure() {
    if (ended_) return;
    auto* connection = options_.tls ? options_.tls->open(target_.host) : nullptr;
    if (!connection)
      return fail({errc::unavailable, "TLS to " + name() + " cannot be begun: " +
                                          (options_.tls ? "out of memory" : "this process speaks no TLS")});
    stream_->begin_tls(connection);
    stream_->async_handshake(false, [self = shared_from_this()](beast::error_code ec) {
      if (!ec) return self->greet();
      self->fail({errc::unavailable,
                  "cannot connect to " + self->name() + ": " + tls_failure(self->stream_->tls(), ec.message())});
    });
  }

  void greet() {
    if (ended_) return;
    ended_ = true;
    deadline_.cancel();
    auto made = std::make_shared<session>(std::move(*stream_), options_, std::move(events_), peer_address(), nullptr);
    {
      std::lock_guard<std::mutex> lock(mutex_);
      session_ = made;
    }
    made->greet(target_.unix_path.empty() ? target_.host + ":" + target_.port : "localhost", identity_,
                std::move(failed_));
  }

  void fail(const error& e) {
    if (ended_) return;
    ended_ = true;
    deadline_.cancel();
    resolver_.cancel();
    beast::error_code ignored;
    (stream_ ? stream_->next_layer() : socket_).close(ignored);
    auto failed = std::move(failed_);
    if (failed) failed(e);
  }

  std::string name() const { return target_.host + ":" + target_.port; }

  stream_socket socket_;               ///< until it is connected
  std::optional<byte_stream> stream_;  ///< from then on
  net::ip::tcp::resolver resolver_;
  net::steady_timer deadline_;
  const link_target target_;
  const link_identity identity_;
  link_events events_;
  const link_options options_;
  std::function<void(const error&)> failed_;

  std::vector<net::ip::tcp::endpoint> endpoints_;
  std::size_t next_ = 0;
  bool ended_ = false;  ///< handed over, or failed

  std::mutex mutex_;
  std::weak_ptr<session> session_;
};

}  // namespace

std::shared_ptr<link_attempt> accept_link(byte_stream stream, const peer_address& peer, upgrade_request request,
                                          const link_acceptor& acceptor, std::shared_ptr<connection_place> place) {
  auto made = std::make_shared<session>(std::move(stream), acceptor.options, acceptor.events, peer, std::move(place));
  made->accept(std::move(request), acceptor.admit);
  return std::make_shared<session_attempt>(made);
}

std::shared_ptr<link_attempt> dial(io_threads& io, const link_target& target, const link_identity& self,
                                   link_events events, const link_options& options,
                                   std::function<void(const error&)> failed) {
  auto attempt = std::make_shared<dialler>(io, target, self, std::move(events), options, std::move(failed));
  attempt->start();
  return attempt;
}

}  // namespace troupe
