#include "isolators/sandbox_collector_actor.hpp"

#include <spdlog/spdlog.h>
#include <caf/actor_cast.hpp>
#include <caf/event_based_actor.hpp>

#include <algorithm>
#include <memory>

namespace troupe {
namespace {

void round(sandbox_collector& collector, const collection_options& options) {
  auto used = disk_used_permille(options.agents_folder);
  if (!used) return;  // no sandbox has been made yet
  for (const auto& path : collector.collect(std::chrono::system_clock::now(), *used))
    spdlog::info("sandbox.collected path={} disk_used_permille={}", path, *used);
}

caf::behavior collecting(caf::event_based_actor* self, const collection_options& options) {
  constexpr std::chrono::nanoseconds pause_min = std::chrono::milliseconds(100);
  auto collector = std::make_shared<sandbox_collector>(options);
  auto pause = std::max(options.interval, pause_min);
  self->delayed_send(self, pause, caf::tick_atom::value);
  return {[self, collector, options, pause](caf::tick_atom) {
    round(*collector, options);
    self->delayed_send(self, pause, caf::tick_atom::value);
  }};
}

}  // namespace

void start_sandbox_collector(process& host, const collection_options& options) {
  child_spec child;
  child.name = "sandbox_collector";
  child.start = [&system = host.system(), options] {
    return caf::actor_cast<caf::strong_actor_ptr>(system.spawn<caf::detached>(collecting, options));
  };
  host.supervise(std::move(child));
}

}  // namespace troupe
