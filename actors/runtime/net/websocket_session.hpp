#pragma once

#include "actors/runtime/net/byte_stream.hpp"
#include "actors/runtime/net/link_acceptor.hpp"
#include "actors/runtime/net/link_dialler.hpp"
#include "actors/runtime/net/places.hpp"
#include "actors/runtime/net/refusals.hpp"
#include "actors/runtime/net/socket_link.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket.hpp>

#include <algorithm>
#include <chrono>
#include <optional>
#include <utility>

/// The connection under a link. Includes Beast: for websocket_link.cpp only.
namespace troupe {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;
namespace websocket = beast::websocket;

/// One WebSocket, from its first byte to its end. Everything runs on the stream's executor, which is a strand; pending
/// operations keep it alive. `Stream` is the connected byte stream below.
template <class Stream>
class websocket_session : public std::enable_shared_from_this<websocket_session<Stream>> {
 public:
  using self_ptr = std::shared_ptr<websocket_session>;
  using request = http::request<http::string_body>;

  /// `place` is told when the session is a link, and dropped when it ends; null for a dialler, whose peer is no
  /// stranger.
  websocket_session(Stream stream, link_options options, link_events events, const peer_address& peer,
                    std::shared_ptr<connection_place> place)
      : ws_(std::move(stream)),
        timer_(ws_.get_executor()),
        options_(std::move(options)),
        events_(std::move(events)),
        peer_(peer),
        place_(std::move(place)),
        unfinished_(options_.unfinished, unfinished_bytes_always) {
    ws_.binary(true);
    ws_.auto_fragment(false);
    ws_.write_buffer_bytes(16384 - 14);  // with the longest header one TLS record
    ws_.read_message_max(handshake_bytes_max);
  }

  /// A process that ends its threads destroys sessions that have not ended; who still holds the link must not wake
  /// them.
  ~websocket_session() {
    if (link_) link_->detach();
  }

  websocket_session(const websocket_session&) = delete;
  websocket_session& operator=(const websocket_session&) = delete;

  /// Takes in a peer that asked with `upgrade`.
  void accept(request upgrade, std::function<result<link_identity>(const link_identity&)> admit) {
    upgrade_ = std::move(upgrade);
    admit_ = std::move(admit);
    limit_handshake();
    ws_.async_accept(upgrade_, [self = self()](beast::error_code ec) {
      if (ec) {
        self->options_.counters->handshakes_failed.fetch_add(1);
        self->tell(refusal::link_handshake, ec.message());
        return self->fail("handshake: " + ec.message());
      }
      self->read([](websocket_session& s, std::string_view bytes) { s.on_hello(bytes); });
    });
  }

  /// Greets the server at the other end of a connected stream.
  void greet(const std::string& host, const link_identity& identity, std::function<void(const error&)> failed) {
    failed_ = std::move(failed);
    limit_handshake();
    ws_.async_handshake(upgraded_, host, "/link", [self = self(), identity](beast::error_code ec) {
      if (ec) return self->fail("handshake: " + self->answer_or(ec));
      self->write(hello_frame(identity, self->options_), [](websocket_session& s) {
        s.read([](websocket_session& me, std::string_view bytes) { me.on_welcome(bytes); });
      });
    });
  }

  /// Ends it from outside, link or not yet. From any thread.
  void cancel(const std::string& reason) {
    net::post(ws_.get_executor(), [self = self(), reason] {
      if (self->link_) return self->link_->close(reason);
      self->fail(reason);
    });
  }

 private:
  using clock = std::chrono::steady_clock;
  // For the other end to answer our close: one that has behaved, and one that has not.
  static constexpr std::chrono::milliseconds close_grace{2000}, villain_grace{250};
  static constexpr std::size_t read_chunk_bytes = 64u << 10;
  static constexpr std::uint64_t unfinished_bytes_always = 256u << 10;
  static constexpr std::uint64_t frame_bytes_per_ms_min = 256;

  self_ptr self() { return this->shared_from_this(); }

  // --- before the link is up
  // -----------------------------------------------------------------------------------------------------------

  void limit_handshake() {
    timer_.expires_after(std::chrono::milliseconds(options_.handshake_ms));
    timer_.async_wait([self = self()](beast::error_code ec) {
      if (ec || self->link_ || self->ended_) return;
      self->options_.counters->handshakes_failed.fetch_add(1);
      const std::string why = "no complete handshake in time";
      self->tell(refusal::link_handshake, why);
      self->fail(why);
    });
  }

  /// What the server said instead of agreeing, or what went wrong.
  std::string answer_or(beast::error_code ec) {
    constexpr std::size_t quoted_bytes_max = 500;
    if (ec == websocket::error::upgrade_declined)
      return "answered " + std::to_string(upgraded_.result_int()) + ": " + upgraded_.body().substr(0, quoted_bytes_max);
    return ws_.next_layer().tls() ? tls_failure(ws_.next_layer().tls(), ec.message()) : ec.message();
  }

  void on_hello(std::string_view bytes) {
    auto greeting = read_hello(bytes);
    if (!greeting) {
      options_.counters->handshakes_failed.fetch_add(1);
      tell(refusal::link_handshake, greeting.error().message);
      return refuse(greeting.error().message);
    }
    auto identity = admit_(greeting->peer);
    if (!identity) {
      options_.counters->handshakes_refused.fetch_add(1);
      tell(refusal::link_refused, identity.error().message);
      return refuse(identity.error().message);
    }
    write(welcome_frame(*identity, *greeting, options_), [g = *greeting](websocket_session& s) { s.establish(g); });
  }

  void refuse(const std::string& reason) {
    write(refused_frame(reason), [reason](websocket_session& s) { s.begin_close(reason, villain_grace); });
  }

  void on_welcome(std::string_view bytes) {
    auto greeting = read_welcome(bytes);
    if (!greeting) return fail(greeting.error());
    if (greeting->heartbeat_ms != 0) {
      constexpr std::uint32_t fastest_ms = 10;
      options_.heartbeat_ms = std::min(options_.heartbeat_ms, std::max(fastest_ms, greeting->heartbeat_ms));
    }
    establish(*greeting);
  }

  void establish(const link_greeting& greeting) {
    if (ended_) return;
    if (place_) place_->is_link();
    ws_.read_message_max(options_.frame_bytes);
    link_ = std::make_shared<socket_link>(greeting, options_, place_ != nullptr);
    link_->attach([weak = this->weak_from_this(), executor = ws_.get_executor()] {
      net::post(executor, [weak] {
        if (auto s = weak.lock()) s->on_wake();
      });
    });
    options_.counters->opened.fetch_add(1);
    heard_at_ = wrote_at_ = clock::now();
    watch();
    events_.up(link_);
    pump();
    read_frames();
  }

  // --- reading
  // -------------------------------------------------------------------------------------------------------------------------

  // In bounded steps: a frame that claims to be large takes memory only as its bytes arrive.
  template <class Then>
  void read(Then then) {
    reading_ = true;
    ws_.async_read_some(buffer_, read_chunk_bytes, [self = self(), then](beast::error_code ec, std::size_t) {
      if (ec) return self->on_read_error(ec);
      self->heard_at_ = clock::now();
      if (!self->unfinished_.hold(self->buffer_.size())) return self->over_budget();
      if (!self->ws_.is_message_done()) return self->read(then);
      if (self->ws_.got_text()) return self->protocol_error("a text frame; frames are binary");
      self->handle(then);
    });
  }

  template <class Then>
  void handle(Then then) {
    const auto data = buffer_.cdata();
    try {
      then(*this, std::string_view(static_cast<const char*>(data.data()), data.size()));
    } catch (const std::exception& e) {
      return fail(std::string("internal: ") + e.what());
    }
    buffer_.consume(buffer_.size());
    (void)unfinished_.hold(0);
    if (buffer_.capacity() > kept_buffer_bytes) buffer_.shrink_to_fit();
    reading_ = false;
    read_frames();
  }

  void read_frames() {
    if (reading_ || !link_ || closing_ || ended_) return;
    if (waits_ = link_->must_wait(); waits_) return;
    read([](websocket_session& s, std::string_view bytes) {
      if (s.closing_ || s.ended_) return;
      if (auto wrong = s.link_->receive(bytes, s.events_)) s.protocol_error(*wrong);
    });
  }

  void on_read_error(beast::error_code ec) {
    if (ec == websocket::error::closed) {
      const auto& said = ws_.reason().reason;
      return fail("closed by the other end" +
                  (said.empty() ? std::string() : ": " + std::string(said.data(), said.size())));
    }
    if (ec == websocket::error::message_too_big) {
      return protocol_error("a frame larger than " + std::to_string(options_.frame_bytes) + " bytes");
    }
    if (ec == net::error::eof || ec == net::error::connection_reset) return fail("connection lost");
    if (ec.category() == websocket::make_error_code(websocket::error::closed).category())
      return protocol_error(ec.message());
    fail(ec.message());
  }

  void protocol_error(const std::string& what) {
    if (link_) {
      options_.counters->closed_protocol.fetch_add(1);
    } else {
      options_.counters->handshakes_failed.fetch_add(1);
    }
    tell(link_ ? refusal::link_protocol : refusal::link_handshake, what);
    begin_close("protocol: " + what, villain_grace);
  }

  /// Gone at once: what it has sent so far is the trouble.
  void over_budget() {
    options_.counters->closed_protocol.fetch_add(1);
    const std::string why = "all that is being sent at once is as much as may be";
    tell(refusal::over_budget, why);
    fail(why);
  }

  /// Of a stranger who called, for the log; `link_` has said who it is.
  void tell(refusal cause, const std::string& why) {
    if (!place_ || !options_.refused) return;
    options_.refused->add(cause, peer_, link_ ? to_string(link_->peer().address()) + ": " + why : why);
  }

  // --- writing
  // -------------------------------------------------------------------------------------------------------------------------

  template <class Then>
  void write(std::string bytes, Then then) {
    writing_ = true;
    outgoing_ = std::move(bytes);
    write_began_at_ = clock::now();
    ws_.async_write(net::buffer(outgoing_), [self = self(), then](beast::error_code ec, std::size_t) {
      self->writing_ = false;
      if (ec) return self->fail(ec.message());
      self->wrote_at_ = clock::now();
      then(*self);
    });
  }

  void on_wake() {
    if (ended_) return;
    if (auto reason = link_->abandoned()) {
      tell(refusal::slow_reader, "as many letters wait for it as may");
      return fail(*reason);
    }
    if (link_->closing() && !close_by_) set_close_deadline(close_grace);
    pump();
    if (!waits_) return;
    heard_at_ = clock::now();  // it was not listened to
    read_frames();
  }

  void pump() {
    if (writing_ || closing_ || ended_) return;
    if (auto frame = link_->next_frame()) return write(std::move(*frame), [](websocket_session& s) { s.pump(); });
    if (auto reason = link_->next_close()) begin_close(*reason);
  }

  // --- time
  // ----------------------------------------------------------------------------------------------------------------------------

  void watch() {
    const auto heartbeat = std::chrono::milliseconds(std::max(1u, options_.heartbeat_ms));
    const auto silence = std::chrono::milliseconds(std::max(4u, options_.silence_ms));
    auto next = clock::now() + std::min(heartbeat, std::chrono::milliseconds(silence / 4));
    if (close_by_) next = std::min(next, *close_by_);
    timer_.expires_at(next);
    timer_.async_wait([self = self(), heartbeat, silence](beast::error_code ec) {
      if (ec || self->ended_) return;
      self->on_tick(heartbeat, silence);
    });
  }

  void on_tick(std::chrono::milliseconds heartbeat, std::chrono::milliseconds silence) {
    const auto now = clock::now();
    if (close_by_ && now >= *close_by_) return fail(close_reason_.empty() ? "closed" : close_reason_);
    if (!closing_ && !waits_ && now - heard_at_ >= silence) {
      options_.counters->closed_silence.fetch_add(1);
      const auto why = "silence: nothing heard for " + std::to_string(silence.count()) + " ms";
      tell(refusal::link_silence, why);
      return fail(why);
    }
    const auto write_patience = silence + std::chrono::milliseconds(outgoing_.size() / frame_bytes_per_ms_min);
    if (writing_ && !closing_ && now - write_began_at_ >= write_patience) {
      options_.counters->closed_slow_reader.fetch_add(1);
      tell(refusal::slow_reader, "it has not taken a frame of " + std::to_string(outgoing_.size()) + " bytes in " +
                                     std::to_string(write_patience.count()) + " ms");
      return fail("slow reader");
    }
    if (!writing_ && !closing_ && now - wrote_at_ >= heartbeat / 2)
      write(heartbeat_frame(), [](websocket_session& s) { s.pump(); });
    watch();
  }

  void set_close_deadline(std::chrono::milliseconds grace) {
    close_by_ = clock::now() + grace;
    watch();
  }

  // --- the end
  // -------------------------------------------------------------------------------------------------------------------------

  void begin_close(const std::string& reason, std::chrono::milliseconds grace = close_grace) {
    if (closing_ || ended_) return;
    closing_ = true;
    close_reason_ = reason;
    set_close_deadline(grace);
    // The protocol allows 123 bytes.
    ws_.async_close({websocket::close_code::normal, reason.substr(0, 120)},
                    [self = self()](beast::error_code) { self->fail(self->close_reason_); });
  }

  void fail(const std::string& reason) { fail(error{errc::unavailable, reason}); }

  void fail(const error& e) {
    if (ended_) return;
    ended_ = true;
    const auto why = closing_ ? error{e.code, close_reason_} : e;
    timer_.cancel();
    beast::error_code ignored;
    beast::get_lowest_layer(ws_).close(ignored);
    if (link_) {
      link_->detach();
      options_.counters->closed.fetch_add(1);
      events_.down(link_, why.message);
    } else if (failed_) {
      failed_(why);
    }
    failed_ = nullptr;
    admit_ = nullptr;
    (void)unfinished_.hold(0);
    place_.reset();
  }

  static constexpr std::size_t kept_buffer_bytes = 256u << 10;

  websocket::stream<Stream, false> ws_;
  net::steady_timer timer_;
  link_options options_;
  const link_events events_;
  const peer_address peer_;
  std::shared_ptr<connection_place> place_;
  request upgrade_;                    ///< of an acceptor
  websocket::response_type upgraded_;  ///< of a dialler
  std::function<result<link_identity>(const link_identity&)> admit_;
  std::function<void(const error&)> failed_;

  std::shared_ptr<socket_link> link_;
  beast::flat_buffer buffer_;
  std::string outgoing_;
  bool reading_ = false;
  bool waits_ = false;  ///< does not read until our actors have less of it
  bool writing_ = false;
  bool closing_ = false;
  bool ended_ = false;
  std::string close_reason_;
  std::optional<clock::time_point> close_by_;
  budget_share unfinished_;  ///< of the frame that is coming
  clock::time_point heard_at_, wrote_at_, write_began_at_;
};

}  // namespace troupe
