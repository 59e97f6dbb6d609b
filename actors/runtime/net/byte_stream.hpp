#pragma once

#include "actors/runtime/net/tls_context.hpp"

#include <boost/asio/buffer.hpp>
#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/ssl/stream.hpp>
#include <boost/beast/core/bind_handler.hpp>
#include <boost/beast/core/buffers_range.hpp>
#include <boost/beast/core/role.hpp>

#include <algorithm>
#include <memory>
#include <optional>
#include <string>
#include <utility>

/// Includes Asio's SSL: for the sessions only.
namespace troupe {

using stream_socket = boost::asio::generic::stream_protocol::socket;

/// What sessions read and write: a socket, or TLS over one. One type for both, so that each session is compiled once;
/// on a plain socket that costs a branch. Its executor is a strand; one read and one write at a time.
class byte_stream {
 public:
  using executor_type = stream_socket::executor_type;

  explicit byte_stream(stream_socket socket) : executor_(socket.get_executor()), plain_(std::move(socket)) {}

  executor_type get_executor() const noexcept { return executor_; }
  /// The socket, below TLS if there is any.
  stream_socket& next_layer() { return tls_ ? tls_->next_layer() : *plain_; }
  const stream_socket& next_layer() const { return tls_ ? tls_->next_layer() : *plain_; }

  /// Null on a plain socket.
  ssl_st* tls() { return tls_ ? tls_->native_handle() : nullptr; }

  /// From here on it is TLS; takes `connection` over. Nothing may be under way.
  void begin_tls(ssl_st* connection) {
    tls_ = std::make_unique<tls_stream>(std::move(*plain_), connection);
    plain_.reset();
  }

  /// The same connection on another executor, perhaps of other threads; this one is not used any more. Nothing may be
  /// under way, nor anything have come that was not read. Errors: `failed` is set, and what is returned is closed.
  byte_stream moved_to(const executor_type& executor, boost::system::error_code& failed) {
    stream_socket socket(executor);
    auto& old = next_layer();
    const auto protocol = old.local_endpoint(failed).protocol();
    const auto fd = failed ? -1 : old.release(failed);
    if (!failed) socket.assign(protocol, fd, failed);
    byte_stream moved(std::move(socket));
    if (!tls_ || failed) return moved;
    // Each end of Asio's TLS owns one reference, and joins the session to buffers of its own.
    ssl_st* session = tls_->native_handle();
    SSL_up_ref(session);
    moved.begin_tls(session);
    tls_.reset();
    return moved;
  }

  /// After `begin_tls`, and before anything is read or written.
  template <class Handler>
  void async_handshake(bool as_server, Handler&& handler) {
    tls_->async_handshake(as_server ? tls_stream::server : tls_stream::client, std::forward<Handler>(handler));
  }

  /// Says that nothing more will be written, so that the other end can tell the end from a cut. Whatever the handler is
  /// told, there is no more TLS: what still comes can be read from the socket, and thrown away.
  template <class Handler>
  void async_end_tls(Handler&& handler) {
    tls_->async_shutdown(std::forward<Handler>(handler));
  }

  template <class Buffers, class Handler>
  void async_read_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_read_some(buffers, std::forward<Handler>(handler));
    plain_->async_read_some(buffers, std::forward<Handler>(handler));
  }

  template <class Buffers, class Handler>
  void async_write_some(const Buffers& buffers, Handler&& handler) {
    if (tls_) return tls_->async_write_some(one_record(buffers), std::forward<Handler>(handler));
    plain_->async_write_some(buffers, std::forward<Handler>(handler));
  }

 private:
  using tls_stream = boost::asio::ssl::stream<stream_socket>;
  static constexpr std::size_t record_bytes = 16384;

  /// TLS takes the first buffer alone, and makes a record of it: a frame's header would be one of its own. So what is
  /// small is put together first.
  template <class Buffers>
  boost::asio::const_buffer one_record(const Buffers& buffers) {
    const auto total = boost::asio::buffer_size(buffers);
    for (boost::asio::const_buffer first : boost::beast::buffers_range_ref(buffers)) {
      if (first.size() == 0) continue;
      if (first.size() == total || first.size() >= record_bytes) return first;
      break;
    }
    staged_.resize(std::min(total, record_bytes));
    boost::asio::buffer_copy(boost::asio::buffer(staged_), buffers);
    return boost::asio::buffer(staged_);
  }

  executor_type executor_;
  std::optional<stream_socket> plain_;
  std::unique_ptr<tls_stream> tls_;
  std::string staged_;
};

/// Found by Beast through its argument when a WebSocket has said its last: it is let go of at once. Beast would wait
/// for the other end to close, and tell of a violated protocol only then: a hostile end could take its time.
template <class Handler>
void async_teardown(boost::beast::role_type, byte_stream& stream, Handler&& handler) {
  boost::system::error_code done;
  stream.next_layer().shutdown(boost::asio::socket_base::shutdown_both, done);
  boost::asio::post(stream.get_executor(),
                    boost::beast::bind_front_handler(std::forward<Handler>(handler), boost::system::error_code()));
}

}  // namespace troupe
