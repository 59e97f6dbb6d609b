#pragma once

#include "actors/runtime/net/http_message.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

/// Between handlers, which answer from any thread at any time, and the one connection that carries the answer.
namespace troupe {

/// What a handler and a connection share about one streaming answer.
class http_stream_state {
 public:
  explicit http_stream_state(std::size_t queue_bytes_max) : queue_bytes_max_(queue_bytes_max) {}

  enum class verdict { queued, overflow, closed };
  verdict add(std::size_t bytes);
  void written(std::size_t bytes);
  /// The client is gone or the stream is over: calls what waits for that, once.
  void end();
  void on_end(std::function<void()> ended);

 private:
  const std::size_t queue_bytes_max_;
  std::mutex mutex_;
  std::size_t queued_ = 0;
  bool ended_ = false;
  std::vector<std::function<void()>> waiting_;
};

/// A connection as exchanges see it. Every call may come from any thread and only passes on; `turn` numbers the
/// requests of the connection, and calls for another than the present one do nothing.
class http_connection {
 public:
  virtual ~http_connection() = default;
  virtual void answer(std::uint64_t turn, http_response response) = 0;
  virtual void begin_stream(std::uint64_t turn, http_response head, std::shared_ptr<http_stream_state> state) = 0;
  virtual void write_chunk(std::uint64_t turn, std::string chunk) = 0;
  virtual void end_stream(std::uint64_t turn) = 0;
  virtual void abandon() = 0;
};

/// The exchange of one request: lets one answer through, and answers 500 when it is dropped without.
std::shared_ptr<responder::exchange> make_exchange(std::weak_ptr<http_connection> connection, std::uint64_t turn,
                                                   std::size_t stream_queue_bytes_max);

}  // namespace troupe
