#include "isolators/container_post.hpp"

#include "actors/runtime/clock.hpp"

#include <spdlog/spdlog.h>

namespace troupe {

container_post::reader container_post::reader_of(const Envelope& head, std::uint64_t event) {
  return {head.from(), head.trace() != 0 ? head.trace() : event, event};
}

void container_post::expect(const v1::ContainerID& id, const Envelope& head, std::uint64_t event) {
  std::lock_guard<std::mutex> lock(mutex_);
  readers_[name_of(id)] = reader_of(head, event);
}

void container_post::expect_if_nobody(const v1::ContainerID& id, const Envelope& head, std::uint64_t event) {
  std::lock_guard<std::mutex> lock(mutex_);
  readers_.emplace(name_of(id), reader_of(head, event));
}

void container_post::deliver(const container_event& event) {
  reader to;
  {
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = readers_.find(name_of(container_of(event)));
    if (it == readers_.end()) return;  // told already, to another request of the same moment
    to = it->second;
    if (!std::holds_alternative<internal::ContainerLaunched>(event)) readers_.erase(it);
  }
  auto head = std::make_shared<Envelope>();
  *head->mutable_from() = own_;
  *head->mutable_to() = to.at;
  head->set_sequence(++sequence_);
  head->set_trace(to.trace);
  head->set_cause(to.cause);
  head->set_sent_at_ns(to_ns(wall_now()));
  std::visit(
      [&](const auto& what) {
        using message = std::decay_t<decltype(what)>;
        head->set_verb(verb_number<message>::value);
        if (!rt_.names.deliver(head, std::make_shared<const message>(what))) {
          spdlog::warn("container.event_undelivered container={} event={} to={}", what.container_id().value(),
                       what.GetTypeName(), to_string(to.at));
        }
      },
      event);
}

}  // namespace troupe
