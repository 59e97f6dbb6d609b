#include "actors/runtime/net/http_exchange.hpp"

#include <atomic>

namespace troupe {

namespace {

class stream_writer final : public http_stream {
 public:
  stream_writer(std::weak_ptr<http_connection> connection, std::uint64_t turn, std::shared_ptr<http_stream_state> state)
      : connection_(std::move(connection)), turn_(turn), state_(std::move(state)) {}
  ~stream_writer() override { close(); }

  bool write(std::string chunk) override {
    // An empty chunk would mean the end.
    if (chunk.empty()) return true;
    auto connection = connection_.lock();
    if (!connection) return false;
    switch (state_->add(chunk.size())) {
      case http_stream_state::verdict::queued:
        connection->write_chunk(turn_, std::move(chunk));
        return true;
      case http_stream_state::verdict::overflow:
        connection->abandon();
        return false;
      case http_stream_state::verdict::closed:
        return false;
    }
    return false;
  }

  void close() override {
    if (auto connection = connection_.lock()) connection->end_stream(turn_);
  }

  void on_closed(std::function<void()> closed) override { state_->on_end(std::move(closed)); }

 private:
  std::weak_ptr<http_connection> connection_;
  std::uint64_t turn_;
  std::shared_ptr<http_stream_state> state_;
};

class connection_exchange final : public responder::exchange {
 public:
  connection_exchange(std::weak_ptr<http_connection> connection, std::uint64_t turn, std::size_t stream_queue_bytes_max)
      : connection_(std::move(connection)), turn_(turn), stream_queue_bytes_max_(stream_queue_bytes_max) {}
  ~connection_exchange() override { answer(http_text(500, "The request was dropped without an answer.")); }

  void answer(http_response response) override {
    if (answered_.exchange(true)) return;
    if (auto connection = connection_.lock()) connection->answer(turn_, std::move(response));
  }

  std::shared_ptr<http_stream> open(http_response head) override {
    auto state = std::make_shared<http_stream_state>(stream_queue_bytes_max_);
    auto writer = std::make_shared<stream_writer>(connection_, turn_, state);
    auto connection = answered_.exchange(true) ? nullptr : connection_.lock();
    if (connection) {
      connection->begin_stream(turn_, std::move(head), std::move(state));
    } else {
      state->end();
    }
    return writer;
  }

 private:
  std::weak_ptr<http_connection> connection_;
  std::uint64_t turn_;
  std::size_t stream_queue_bytes_max_;
  std::atomic<bool> answered_{false};
};

}  // namespace

http_stream_state::verdict http_stream_state::add(std::size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (ended_) return verdict::closed;
  queued_ += bytes;
  return queued_ > queue_bytes_max_ ? verdict::overflow : verdict::queued;
}

void http_stream_state::written(std::size_t bytes) {
  std::lock_guard<std::mutex> lock(mutex_);
  queued_ -= bytes;
}

void http_stream_state::end() {
  std::vector<std::function<void()>> waiting;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (ended_) return;
    ended_ = true;
    waiting.swap(waiting_);
  }
  for (auto& call : waiting) call();
}

void http_stream_state::on_end(std::function<void()> ended) {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    if (!ended_) {
      waiting_.push_back(std::move(ended));
      return;
    }
  }
  ended();
}

std::shared_ptr<responder::exchange> make_exchange(std::weak_ptr<http_connection> connection, std::uint64_t turn,
                                                   std::size_t stream_queue_bytes_max) {
  return std::make_shared<connection_exchange>(std::move(connection), turn, stream_queue_bytes_max);
}

}  // namespace troupe
