#pragma once

#include "actors/runtime/clock.hpp"

#include <caf/actor.hpp>
#include <caf/actor_system.hpp>
#include <caf/typed_actor.hpp>

#include <deque>
#include <functional>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// How to start one actor, and again after each failure.
struct child_spec {
  std::string name;                              ///< for logs
  std::function<caf::strong_actor_ptr()> start;  ///< spawns it; called in the supervisor's thread
  bool transient = false;                        ///< a normal end is its end; others are restarted whatever ended them
};

struct supervisor_options {
  std::size_t restarts_max = 5;  ///< within the window, all children together; one more gives up
  std::chrono::seconds window{60};
  std::function<bool()> hopeless;  ///< true: whoever fails is left, the process is about to exit; may be null
  std::function<void(const std::string& child)> on_restart;    ///< before a child is started again
  std::function<void(const std::string& message)> on_give_up;  ///< the process should exit with this message
};

/// Asks a supervisor to start one more child.
struct supervise {
  std::shared_ptr<child_spec> child;
};

/// Starts actors and starts them again when they fail, as Erlang's supervisors do (one for one, with a cap on
/// intensity).
using supervisor_actor = caf::typed_actor<caf::reacts_to<supervise>>;

/// Spawns a supervisor with its first children, in order.
supervisor_actor spawn_supervisor(caf::actor_system& system, supervisor_options options,
                                  std::vector<child_spec> children);

/// May one more restart happen at `now`? Remembers it. Pure, so that the cap can be tried without actors.
class restart_intensity {
 public:
  restart_intensity(std::size_t most, std::chrono::nanoseconds window) : most_(most), window_(window) {}
  bool allow(monotonic_time now) {
    while (!recent_.empty() && now - recent_.front() >= window_) recent_.pop_front();
    if (recent_.size() >= most_) return false;
    recent_.push_back(now);
    return true;
  }

 private:
  std::size_t most_;
  std::chrono::nanoseconds window_;
  std::deque<monotonic_time> recent_;
};

}  // namespace troupe

namespace caf {
template <>
struct allowed_unsafe_message_type<troupe::supervise> : std::true_type {};
}  // namespace caf
