#pragma once

#include "protocol/interfaces.hpp"

#include <functional>
#include <mutex>
#include <string>

namespace troupe {

/// Anything that answers requests for a view.
using viewable = caf::typed_actor<shell_view>;

/// Where people who are no actors (HTTP handlers) ask for an actor's view. Thread-safe.
class view_desk {
 public:
  explicit view_desk(caf::actor_system& system) : system_(system) {}

  /// Whom to ask from now on; an actor that was started again takes its predecessor's place.
  void serve(viewable actor);

  /// Calls `answer` once, in some actor thread: with the view, or null if there is nobody or it did not answer within
  /// 10 s.
  void ask(const std::string& what, std::function<void(const view&)> answer);

  /// Forgets the actor, so that the system can end.
  void close();

 private:
  caf::actor_system& system_;
  std::mutex mutex_;
  viewable actor_;
};

}  // namespace troupe
