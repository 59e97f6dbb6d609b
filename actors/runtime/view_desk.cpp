#include "actors/runtime/view_desk.hpp"

#include <caf/actor_system.hpp>
#include <caf/event_based_actor.hpp>

#include <chrono>

namespace troupe {

void view_desk::serve(viewable actor) {
  std::lock_guard<std::mutex> lock(mutex_);
  actor_ = std::move(actor);
}

void view_desk::close() {
  serve(viewable());
}

void view_desk::ask(const std::string& what, std::function<void(const view&)> answer) {
  viewable actor;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    actor = actor_;
  }
  if (!actor) {
    answer(nullptr);
    return;
  }
  // One small actor a question: it lives until the answer, or the lack of one.
  system_.spawn([actor, what, answer](caf::event_based_actor* self) {
    self->request(actor, std::chrono::seconds(10), view_request{what})
        .then([answer](const view& found) { answer(found); }, [answer](const caf::error&) { answer(nullptr); });
  });
}

}  // namespace troupe
