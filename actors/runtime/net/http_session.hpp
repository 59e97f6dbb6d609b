#pragma once

#include "actors/runtime/net/http_exchange.hpp"
#include "actors/runtime/net/http_server.hpp"
#include "actors/runtime/net/websocket_link.hpp"

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/strand.hpp>
#include <boost/beast/core/flat_buffer.hpp>
#include <boost/beast/core/stream_traits.hpp>
#include <boost/beast/http.hpp>
#include <boost/beast/websocket/rfc6455.hpp>

#include <sys/socket.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <ctime>
#include <optional>
#include <utility>

/// One HTTP connection. Includes Beast: for http_server.cpp only.
namespace troupe {

namespace net = boost::asio;
namespace beast = boost::beast;
namespace http = beast::http;

/// What all connections of a server share.
struct http_session_context {
  http_options options;
  std::shared_ptr<const http_routes> routes;
  std::optional<link_acceptor> acceptor;
  io_threads* link_io = nullptr;
  http_counters counters;
};

inline void shutdown_sending(stream_socket& socket) {
  beast::error_code ignored;
  socket.shutdown(net::socket_base::shutdown_send, ignored);
}

/// `Stream` is a connected byte stream whose executor is a strand.
///
///     (securing ─►) idle ─bytes─► reading ─request─► answering ─done─► idle … ─► draining ─► ended
///
/// While a request is answered one read is kept waiting, which notices that the client goes. It is started only when
/// the buffer is empty, so that it never competes with the parser.
template <class Stream>
class http_session final : public http_connection, public std::enable_shared_from_this<http_session<Stream>> {
 public:
  http_session(Stream stream, bool peer_is_unix, const peer_address& peer,
               std::shared_ptr<http_session_context> context, std::shared_ptr<connection_place> place)
      : stream_(std::move(stream)),
        deadline_(stream_.get_executor()),
        buffer_(context->options.header_bytes_max + read_ahead_bytes),
        context_(std::move(context)),
        place_(std::move(place)),
        peer_is_unix_(peer_is_unix),
        peer_(peer),
        unfinished_(context_->options.unfinished, always_bytes),
        unread_(context_->options.unread, always_bytes) {}

  void start() {
    place_->held_by(self(), [weak = this->weak_from_this()] {
      if (auto s = weak.lock()) s->abandon();
    });
    run([](http_session& s) { s.secure(); });
  }

  // --- from any thread
  // -----------------------------------------------------------------------------------------------------------------

  void answer(std::uint64_t turn, http_response response) override {
    run([turn, response = std::move(response)](http_session& s) mutable {
      if (s.expects(turn)) s.send(std::move(response));
    });
  }
  void begin_stream(std::uint64_t turn, http_response head, std::shared_ptr<http_stream_state> state) override {
    run([turn, head = std::move(head), state = std::move(state)](http_session& s) {
      if (!s.expects(turn)) return state->end();
      s.send_stream_head(head, state);
    });
  }
  void write_chunk(std::uint64_t turn, std::string chunk) override {
    run([turn, chunk = std::move(chunk)](http_session& s) {
      if (s.streaming(turn)) s.queue_chunk(chunk);
    });
  }
  void end_stream(std::uint64_t turn) override {
    run([turn](http_session& s) {
      if (s.streaming(turn)) s.queue_last_chunk();
    });
  }
  void abandon() override {
    run([](http_session& s) { s.finish(); });
  }

 private:
  enum class phase { securing, idle, reading, answering, draining, ended };
  static constexpr std::size_t read_ahead_bytes = 64u << 10;
  static constexpr std::size_t write_bytes = 256u << 10;
  static constexpr std::size_t drain_bytes_max = 1u << 20;
  static constexpr std::uint32_t drain_ms = 1000;
  static constexpr std::uint64_t always_bytes = 256u << 10;

  auto self() { return this->shared_from_this(); }

  template <class Do>
  void run(Do what) {
    net::post(stream_.get_executor(), [self = self(), what = std::move(what)]() mutable {
      if (self->phase_ != phase::ended) what(*self);
    });
  }

  bool expects(std::uint64_t turn) const { return turn == turn_ && phase_ == phase::answering && !answered_; }
  bool streaming(std::uint64_t turn) const { return turn == turn_ && stream_state_ && !last_chunk_queued_; }

  // --- securing
  // ------------------------------------------------------------------------------------------------------------------------

  void secure() {
    if (!context_->options.tls || peer_is_unix_) return await_request();
    arm(context_->options.handshake_ms);
    await_first_byte();
  }

  void await_first_byte() {
    stream_.next_layer().async_wait(net::socket_base::wait_read, [self = self()](beast::error_code ec) {
      if (self->phase_ == phase::ended) return;
      if (ec) return self->finish();
      self->look_for_tls();
    });
  }

  /// Who speaks plain HTTP can still read why it is not served.
  void look_for_tls() {
    constexpr unsigned char tls_handshake_record = 22;
    unsigned char first = 0;
    const auto got = ::recv(stream_.next_layer().native_handle(), &first, 1, MSG_PEEK | MSG_DONTWAIT);
    if (got < 0 && errno == EAGAIN) return await_first_byte();
    if (got <= 0) return finish();
    if (first != tls_handshake_record) {
      tell_handshake_failed("it does not speak TLS, and this port speaks nothing else");
      return answer_last(http_text(400, "This port speaks TLS only: its address begins with https://"));
    }
    auto* connection = context_->options.tls->open();
    if (!connection) return finish();
    stream_.begin_tls(connection);
    stream_.async_handshake(true, [self = self()](beast::error_code ec) {
      if (self->phase_ == phase::ended) return;
      if (!ec) return self->await_request();
      self->tell_handshake_failed(tls_failure(self->stream_.tls(), ec.message()));
      self->finish();
    });
  }

  void tell_handshake_failed(const std::string& why) { tell(refusal::tls, why); }
  void tell(refusal cause, const std::string& why) { context_->options.refused->add(cause, peer_, why); }

  // --- reading
  // -------------------------------------------------------------------------------------------------------------------------

  void await_request() {
    phase_ = phase::idle;
    if (turn_ > 0) place_->waits();
    if (buffer_.size() > 0) return parse();
    arm(turn_ == 0 ? context_->options.first_request_ms : context_->options.idle_ms);
    read_more();
  }

  void read_more() {
    if (reading_ || input_ended_ || buffer_.size() > 0) return;
    reading_ = true;
    stream_.async_read_some(buffer_.prepare(4096), [self = self()](beast::error_code ec, std::size_t bytes) {
      self->reading_ = false;
      if (self->phase_ == phase::ended) return;
      self->buffer_.commit(bytes);
      self->on_bytes(ec);
    });
  }

  void on_bytes(beast::error_code ec) {
    if (phase_ == phase::draining) return drain(ec);
    if (!ec) {
      if (phase_ == phase::idle) parse();
      return;
    }
    input_ended_ = true;
    // A client may say that it sends no more and still wait for its answer; of a stream it would never see the end.
    if (phase_ == phase::idle || ec != net::error::eof || stream_state_) finish();
  }

  void parse() {
    phase_ = phase::reading;
    parser_.emplace();
    parser_->header_limit(static_cast<std::uint32_t>(context_->options.header_bytes_max));
    parser_->body_limit(context_->options.body_bytes_max);
    arm(context_->options.head_ms);
    http::async_read_header(stream_, buffer_, *parser_,
                            [self = self()](beast::error_code ec, std::size_t) { self->on_header(ec); });
  }

  void on_header(beast::error_code ec) {
    if (phase_ == phase::ended) return;
    if (ec || timed_out_) return on_bad_input(ec);
    if (parser_->is_done()) return on_request();
    arm(context_->options.request_ms);
    const bool asks = beast::iequals(parser_->get()[http::field::expect], "100-continue");
    if (!asks) return read_body();
    static constexpr std::string_view go_on = "HTTP/1.1 100 Continue\r\n\r\n";
    net::async_write(stream_, net::buffer(go_on.data(), go_on.size()),
                     [self = self()](beast::error_code failed, std::size_t) {
                       if (self->phase_ == phase::ended) return;
                       if (failed || self->timed_out_) return self->on_bad_input(failed);
                       self->read_body();
                     });
  }

  void read_body() {
    parser_->eager(true);
    http::async_read_some(stream_, buffer_, *parser_,
                          [self = self()](beast::error_code ec, std::size_t) { self->on_part_of_body(ec); });
  }

  void on_part_of_body(beast::error_code ec) {
    if (phase_ == phase::ended) return;
    if (ec || timed_out_) return on_bad_input(ec);
    if (parser_->is_done()) return on_request();
    if (unfinished_.hold(parser_->get().body().size())) return read_body();
    refuse(refusal::over_budget, "too many bodies are being sent at once; try again",
           http_text(503, "Too much is being sent at once; try again."));
  }

  void on_request() {
    (void)unfinished_.hold(0);
    place_->is_served();
    disarm();
    context_->counters.requests.fetch_add(1);
    phase_ = phase::answering;
    answered_ = false;
    ++turn_;
    auto message = parser_->release();
    parser_.reset();
    keep_alive_ = message.keep_alive();
    chunks_understood_ = message.version() >= 11;
    head_only_ = message.method() == http::verb::head;
    auto request = read(message);
    if (!request) return refuse(refusal::malformed, "its target is none", http_text(400, request.error().message));
    if (context_->acceptor && request->path == "/link") return upgrade(std::move(message));
    context_->routes->dispatch(
        *request, responder(make_exchange(this->weak_from_this(), turn_, context_->options.stream_queue_bytes_max)));
    read_more();
  }

  result<http_request> read(upgrade_request& message) const {
    const auto text = [](beast::string_view view) { return std::string(view.data(), view.size()); };
    http_request request;
    request.method = text(message.method_string());
    request.target = text(message.target());
    auto target = parse_http_target(request.target);
    if (!target) return target.error();
    request.path = std::move(target->path);
    request.query = std::move(target->query);
    for (const auto& field : message) request.headers.emplace_back(text(field.name_string()), text(field.value()));
    request.body = std::move(message.body());
    request.peer_is_unix = peer_is_unix_;
    return request;
  }

  void on_bad_input(beast::error_code ec) {
    if (timed_out_) {
      context_->counters.timeouts.fetch_add(1);
      return refuse(refusal::timeout, "its request did not come to its end in time", http_text(408));
    }
    if (ec == http::error::partial_message) {
      tell(refusal::malformed, "the connection ended in the middle of a request");
      return finish();
    }
    if (ec.category() != http::make_error_code(http::error::end_of_stream).category() ||
        ec == http::error::end_of_stream) {
      return finish();
    }
    if (ec == http::error::header_limit || ec == http::error::buffer_overflow) {
      const auto limit = std::to_string(context_->options.header_bytes_max) + " bytes";
      return refuse(refusal::too_large, "the head of its request is larger than " + limit,
                    http_text(431, "The request's header is larger than " + limit + "."));
    }
    if (ec == http::error::body_limit) {
      const auto limit = std::to_string(context_->options.body_bytes_max) + " bytes";
      return refuse(refusal::too_large, "the body of its request is larger than " + limit,
                    http_text(413, "The request's body is larger than " + limit + "."));
    }
    refuse(refusal::malformed, "its request is none: " + ec.message(),
           http_text(400, "400 Bad Request. " + ec.message() + "."));
  }

  void refuse(refusal cause, const std::string& why, http_response response) {
    tell(cause, why);
    answer_last(std::move(response));
  }

  /// Answers what is wrong with the input and ends the connection.
  void answer_last(http_response response) {
    context_->counters.bad_requests.fetch_add(1);
    place_->is_served();
    parser_.reset();
    (void)unfinished_.hold(0);
    phase_ = phase::answering;
    keep_alive_ = false;
    send(std::move(response));
  }

  // --- a link
  // --------------------------------------------------------------------------------------------------------------------------

  void upgrade(upgrade_request message) {
    if (!beast::websocket::is_upgrade(message)) {
      auto response = http_text(426, "This path takes links: an upgrade to a WebSocket.");
      response.headers.emplace_back("Upgrade", "websocket");
      return refuse(refusal::malformed, "a request for a link that is no upgrade", std::move(response));
    }
    // Browsers send Origin with every WebSocket. No page in one has any business here, and its user's address must not
    // be its pass.
    if (message.count(http::field::origin) != 0)
      return refuse(refusal::forbidden, "a browser that asks for a link",
                    http_text(403, "Links are not for browsers."));
    if (stream_.tls() && context_->options.tls->verifies_peers() && !has_peer_certificate(stream_.tls()))
      return refuse(refusal::forbidden, "it asks for a link and shows no certificate",
                    http_text(403,
                              "A link to this port needs a certificate that the cluster's authority has signed: "
                              "give --tls-cert and --tls-key, or set TROUPE_TLS_CERT and TROUPE_TLS_KEY."));
    if (buffer_.size() > 0)
      return refuse(refusal::malformed, "more than the request for a link, before its answer",
                    http_text(400, "Nothing may follow the request for a link before its answer."));
    beast::error_code failed;
    auto moved = stream_.moved_to(net::make_strand(context_->link_io->context()), failed);
    if (failed) return finish();
    phase_ = phase::ended;
    deadline_.cancel();
    auto place = std::move(place_);
    place->waits();
    auto attempt = accept_link(std::move(moved), peer_, std::move(message), *context_->acceptor, place);
    place->held_by(attempt, [attempt] { attempt->cancel("shutting down"); });
  }

  // --- answering
  // -----------------------------------------------------------------------------------------------------------------------

  http_framing framing() const {
    http_framing how;
    how.keep_alive = keep_alive_ && !input_ended_;
    how.now = std::time(nullptr);
    return how;
  }

  void send(http_response response) {
    answered_ = true;
    auto how = framing();
    const bool bodiless = response.status == 204 || response.status == 304 || response.status < 200;
    if (!bodiless) how.content_length = response.source ? response.source_bytes : response.body.size();
    outgoing_ = render_http_head(response, how);
    began_answer_ = std::chrono::steady_clock::now();
    taken_bytes_ = 0;
    if (!head_only_ && !bodiless) {
      if (!unread_.hold(response.body.size()) && response.status != 503) {
        (void)unread_.hold(0);
        tell(refusal::over_budget, "answers that nobody reads are as much as they may be");
        return send(http_text(503, "Too many answers wait to be read; try again."));
      }
      outgoing_ += response.body;
      source_ = std::move(response.source);
      source_rest_ = response.source_bytes;
    }
    head_only_ = false;
    write_on();
  }

  void write_on() {
    if (outgoing_at_ == outgoing_.size()) {
      outgoing_.clear();
      outgoing_at_ = 0;
      return on_written();
    }
    arm_answer();
    const auto rest = std::min(outgoing_.size() - outgoing_at_, write_bytes);
    stream_.async_write_some(net::buffer(outgoing_.data() + outgoing_at_, rest),
                             [self = self()](beast::error_code ec, std::size_t bytes) {
                               if (self->phase_ == phase::ended) return;
                               if (ec) return self->finish();
                               self->outgoing_at_ += bytes;
                               self->taken_bytes_ += bytes;
                               self->write_on();
                             });
  }

  void on_written() {
    disarm();
    if (stream_state_) return on_chunks_written();
    if (source_) return next_piece();
    on_answered();
  }

  void next_piece() {
    // Whoever reads what the source gives may take its time: nothing of ours waits for that but this connection.
    source_([weak = this->weak_from_this(), turn = turn_](std::optional<std::string> piece) {
      const auto s = weak.lock();
      if (!s) return;
      s->run([turn, piece = std::move(piece)](http_session& me) mutable {
        if (turn == me.turn_ && me.source_) me.on_piece(std::move(piece));
      });
    });
  }

  void on_piece(std::optional<std::string> piece) {
    if (piece && piece->size() <= source_rest_) {
      source_rest_ -= piece->size();
      outgoing_ = std::move(*piece);
      if (!outgoing_.empty()) return write_on();
    }
    source_ = nullptr;
    // Less came than was announced: only the end of the connection can tell the client.
    if (source_rest_ > 0) return finish();
    on_answered();
  }

  void on_answered() {
    (void)unread_.hold(0);
    if (keep_alive_ && !input_ended_) return await_request();
    begin_drain();
  }

  // --- streaming
  // -----------------------------------------------------------------------------------------------------------------------

  void send_stream_head(const http_response& head, std::shared_ptr<http_stream_state> state) {
    if (input_ended_ || head_only_) {
      state->end();
      return input_ended_ ? finish() : send(head);
    }
    answered_ = true;
    stream_state_ = std::move(state);
    last_chunk_queued_ = false;
    keep_alive_ = keep_alive_ && chunks_understood_;
    auto how = framing();
    how.chunked = chunks_understood_;
    outgoing_ = render_http_head(head, how);
    chunk_bytes_in_flight_ = 0;
    write_on();
    writing_chunks_ = true;
  }

  void queue_chunk(const std::string& chunk) {
    if (chunks_understood_) {
      char size[20];
      std::snprintf(size, sizeof size, "%zx\r\n", chunk.size());
      chunks_ += size;
      chunks_ += chunk;
      chunks_ += "\r\n";
    } else {
      chunks_ += chunk;
    }
    chunk_bytes_queued_ += chunk.size();
    write_chunks();
  }

  void queue_last_chunk() {
    last_chunk_queued_ = true;
    if (chunks_understood_) chunks_ += "0\r\n\r\n";
    write_chunks();
  }

  void write_chunks() {
    if (writing_chunks_) return;
    if (chunks_.empty()) {
      if (last_chunk_queued_) end_of_stream();
      return;
    }
    writing_chunks_ = true;
    outgoing_ = std::exchange(chunks_, {});
    chunk_bytes_in_flight_ = std::exchange(chunk_bytes_queued_, 0);
    write_on();
  }

  void on_chunks_written() {
    writing_chunks_ = false;
    stream_state_->written(std::exchange(chunk_bytes_in_flight_, 0));
    write_chunks();
  }

  void end_of_stream() {
    auto state = std::move(stream_state_);
    stream_state_ = nullptr;
    state->end();
    on_answered();
  }

  // --- time and the end
  // ----------------------------------------------------------------------------------------------------------------

  void arm(std::uint32_t ms) { arm_until(std::chrono::steady_clock::now() + std::chrono::milliseconds(ms)); }
  void arm_until(std::chrono::steady_clock::time_point when) {
    deadline_.expires_at(when);
    deadline_.async_wait([self = self()](beast::error_code ec) {
      // A handler that was already on its way when the deadline moved finds it in the future.
      if (!ec && self->deadline_.expiry() <= std::chrono::steady_clock::now()) self->on_deadline();
    });
  }
  /// At a pace of one byte each half minute an answer would be held for ever.
  void arm_answer() {
    const auto& o = context_->options;
    const auto now = std::chrono::steady_clock::now();
    auto by = now + std::chrono::milliseconds(o.write_ms);
    if (!stream_state_) {
      const std::uint64_t pace = std::max<std::uint64_t>(1, o.answer_bytes_per_s_min);
      const auto whole = std::chrono::milliseconds(o.write_ms + taken_bytes_ * 1000 / pace);
      by = std::min(by, began_answer_ + whole);
    }
    arm_until(by);
  }
  void disarm() { deadline_.expires_at(net::steady_timer::time_point::max()); }

  void on_deadline() {
    if (phase_ == phase::securing)
      tell_handshake_failed("no complete TLS handshake within " + std::to_string(context_->options.handshake_ms) +
                            " ms");
    if (phase_ == phase::idle && turn_ == 0)
      tell(refusal::timeout, "no request within " + std::to_string(context_->options.first_request_ms) + " ms");
    if (phase_ == phase::answering) tell(refusal::slow_reader, "it takes its answer too slowly, or not at all");
    if (phase_ == phase::reading && !timed_out_) {
      timed_out_ = true;
      // What is cancelled may have come to its end already and begun the next read: then it ends without an answer.
      arm(drain_ms);
      beast::error_code ignored;
      beast::get_lowest_layer(stream_).cancel(ignored);
      return;
    }
    finish();
  }

  /// Reads for a moment what the client still sends, so that its kernel does not throw our last answer away.
  void begin_drain() {
    if (input_ended_) return finish();
    phase_ = phase::draining;
    arm(drain_ms);
    buffer_.consume(buffer_.size());
    if (!stream_.tls()) return drain_socket();
    // A read that waits may take what the end of TLS would: it is heard of, and nothing is read after it.
    stream_.async_end_tls([self = self()](beast::error_code) {
      if (self->phase_ != phase::ended) self->drain_socket();
    });
  }

  void drain_socket() {
    shutdown_sending(stream_.next_layer());
    draining_socket_ = true;
    drain_more();
  }

  void drain_more() {
    if (reading_) return;
    reading_ = true;
    stream_.next_layer().async_read_some(buffer_.prepare(4096),
                                         [self = self()](beast::error_code ec, std::size_t bytes) {
                                           self->reading_ = false;
                                           if (self->phase_ == phase::ended) return;
                                           self->buffer_.commit(bytes);
                                           self->drain(ec);
                                         });
  }

  void drain(beast::error_code ec) {
    drained_ += buffer_.size();
    buffer_.consume(buffer_.size());
    if (!draining_socket_) return;
    if (ec || drained_ > drain_bytes_max) return finish();
    drain_more();
  }

  void finish() {
    if (phase_ == phase::ended) return;
    phase_ = phase::ended;
    deadline_.cancel();
    beast::error_code ignored;
    beast::get_lowest_layer(stream_).close(ignored);
    if (auto state = std::exchange(stream_state_, nullptr)) state->end();
    source_ = nullptr;
    place_.reset();
    (void)unfinished_.hold(0);
    (void)unread_.hold(0);
  }

  Stream stream_;
  net::steady_timer deadline_;
  beast::flat_buffer buffer_;
  std::optional<http::request_parser<http::string_body>> parser_;
  std::shared_ptr<http_session_context> context_;
  std::shared_ptr<connection_place> place_;
  const bool peer_is_unix_;
  const peer_address peer_;
  budget_share unfinished_, unread_;  ///< of the request's body, of the answer

  phase phase_ = phase::securing;
  bool reading_ = false;
  bool input_ended_ = false;
  bool timed_out_ = false;
  bool draining_socket_ = false;
  std::size_t drained_ = 0;

  // The request at hand.
  std::uint64_t turn_ = 0;
  bool answered_ = false;
  bool keep_alive_ = true;
  bool chunks_understood_ = true;
  bool head_only_ = false;
  http_source source_;
  std::uint64_t source_rest_ = 0;

  std::string outgoing_;
  std::size_t outgoing_at_ = 0;
  std::chrono::steady_clock::time_point began_answer_;
  std::uint64_t taken_bytes_ = 0;  ///< of the answer

  // A streaming answer.
  std::shared_ptr<http_stream_state> stream_state_;
  std::string chunks_;  ///< framed, waiting for the write under way
  std::size_t chunk_bytes_queued_ = 0, chunk_bytes_in_flight_ = 0;
  bool writing_chunks_ = false;
  bool last_chunk_queued_ = false;
};

}  // namespace troupe
