#include "actors/runtime/net/link.hpp"
#include "actors/runtime/net/link_credit.hpp"

#include <deque>
#include <mutex>
#include <optional>
#include <utility>

namespace troupe {

namespace {

/// What is to happen at one end: up, envelopes as far as credit goes, down. Whichever thread adds something carries it
/// out, unless another is at it, who then does that too.
class inbox : public std::enable_shared_from_this<inbox> {
 public:
  inbox(link_events events, link_options options)
      : events_(std::move(events)), options_(std::move(options)), credit_(options_.credit_bytes) {}

  void open(std::shared_ptr<link> end) {
    std::lock_guard<std::mutex> lock(mutex_);
    end_ = std::move(end);
    up_is_due_ = true;
  }

  enum class verdict { queued, full, too_large, closed };
  verdict put(Envelope envelope) {
    const auto bytes = static_cast<std::uint64_t>(envelope.ByteSizeLong());
    std::lock_guard<std::mutex> lock(mutex_);
    if (close_reason_) return verdict::closed;
    if (bytes > options_.frame_bytes) return verdict::too_large;
    if (!waiting_.empty() && waiting_bytes_ + bytes > options_.send_queue_bytes) return verdict::full;
    waiting_bytes_ += bytes;
    waiting_.emplace_back(std::move(envelope), bytes);
    return verdict::queued;
  }

  /// False: closed before.
  bool close(const std::string& reason, bool drop_waiting) {
    std::lock_guard<std::mutex> lock(mutex_);
    if (close_reason_) return false;
    close_reason_ = reason;
    if (drop_waiting) drop();
    return true;
  }

  void run() {
    std::unique_lock<std::mutex> lock(mutex_);
    if (running_ || !end_) return;
    running_ = true;
    while (step(lock)) {
    }
    running_ = false;
  }

 private:
  struct token {
    token(std::weak_ptr<inbox> from, std::uint64_t bytes) : from(std::move(from)), bytes(bytes) {}
    ~token() {
      if (auto at = from.lock()) at->give_back(bytes);
    }
    token(const token&) = delete;
    token& operator=(const token&) = delete;
    std::weak_ptr<inbox> from;
    std::uint64_t bytes;
  };

  void give_back(std::uint64_t bytes) {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      // Tokens are made for what was spent, so this cannot fail.
      (void)credit_.give(bytes);
    }
    run();
  }

  /// Does the next thing with the lock released; false when there is none.
  bool step(std::unique_lock<std::mutex>& lock) {
    if (!end_) return false;
    const auto end = end_;
    if (std::exchange(up_is_due_, false)) {
      lock.unlock();
      events_.up(end);
    } else if (!waiting_.empty() && credit_.allows(waiting_.front().second)) {
      auto [envelope, bytes] = std::move(waiting_.front());
      waiting_.pop_front();
      waiting_bytes_ -= bytes;
      credit_.spend(bytes);
      lock.unlock();
      options_.counters->envelopes_received.fetch_add(1);
      options_.counters->bytes_received.fetch_add(bytes);
      events_.envelope(end, std::move(envelope), std::make_shared<token>(weak_from_this(), bytes));
    } else if (close_reason_) {
      drop();
      end_ = nullptr;
      const auto reason = *close_reason_;
      lock.unlock();
      options_.counters->closed.fetch_add(1);
      events_.down(end, reason);
    } else {
      return false;
    }
    lock.lock();
    return true;
  }

  void drop() {
    options_.counters->dropped_unsent.fetch_add(waiting_.size());
    waiting_.clear();
    waiting_bytes_ = 0;
  }

  const link_events events_;
  const link_options options_;
  std::mutex mutex_;
  outgoing_credit credit_;
  std::shared_ptr<link> end_;  ///< from open to down
  std::deque<std::pair<Envelope, std::uint64_t>> waiting_;
  std::uint64_t waiting_bytes_ = 0;
  std::optional<std::string> close_reason_;
  bool up_is_due_ = false;
  bool running_ = false;
};

class in_process_link final : public link {
 public:
  in_process_link(link_identity peer, std::shared_ptr<inbox> own, std::shared_ptr<inbox> far,
                  std::shared_ptr<link_counters> counters)
      : peer_(std::move(peer)), own_(std::move(own)), far_(std::move(far)), counters_(std::move(counters)) {}

  const link_identity& peer() const override { return peer_; }
  void abandon(const std::string& reason) override {
    counters_->closed_slow_reader.fetch_add(1);
    end(reason, true);
  }

  using link::send;
  bool send(Envelope envelope) override {
    switch (far_->put(std::move(envelope))) {
      case inbox::verdict::queued:
        counters_->envelopes_sent.fetch_add(1);
        far_->run();
        return true;
      case inbox::verdict::too_large:
        counters_->dropped_oversize.fetch_add(1);
        return false;
      case inbox::verdict::closed:
        counters_->dropped_unsent.fetch_add(1);
        return false;
      case inbox::verdict::full:
        counters_->dropped_unsent.fetch_add(1);
        counters_->closed_slow_reader.fetch_add(1);
        end("slow reader", true);
        return false;
    }
    return false;
  }

  void close(const std::string& reason) override { end(reason, false); }

 private:
  void end(const std::string& reason, bool drop_waiting) {
    // Both first, so that neither end can send to one that is told already.
    const bool first = own_->close(reason, false);
    if (!far_->close("closed by the other end: " + reason, drop_waiting) && !first) return;
    far_->run();
    own_->run();
  }

  const link_identity peer_;
  const std::shared_ptr<inbox> own_, far_;
  const std::shared_ptr<link_counters> counters_;
};

}  // namespace

void connect_in_process(const link_identity& a, link_events on_a, const link_identity& b, link_events on_b,
                        const link_options& options) {
  auto inbox_a = std::make_shared<inbox>(std::move(on_a), options);
  auto inbox_b = std::make_shared<inbox>(std::move(on_b), options);
  inbox_a->open(std::make_shared<in_process_link>(b, inbox_a, inbox_b, options.counters));
  inbox_b->open(std::make_shared<in_process_link>(a, inbox_b, inbox_a, options.counters));
  options.counters->opened.fetch_add(2);
  inbox_a->run();
  inbox_b->run();
}

}  // namespace troupe
