#include "tools/emulator/emulated_frameworks.hpp"

#include "actors/runtime/shell.hpp"
#include "frameworks/sdk/scheduler_core.hpp"
#include "storage/keys.hpp"

#include <spdlog/spdlog.h>

#include <utility>

namespace troupe {

emulated_frameworks::emulated_frameworks(emulation& home, emulated_frameworks_options options)
    : home_(home), options_(std::move(options)) {}

emulated_frameworks::~emulated_frameworks() {
  for (auto& peer : peers_) peer->hang_up();
  home_.end_actors();
}

/// Its part of what all of them shall do, evenly spread.
load_wish emulated_frameworks::wish_of(std::size_t index) const {
  auto wish = options_.each;
  const auto count = options_.count;
  wish.name += "-" + std::to_string(index);
  wish.in_all = options_.in_all / count + (index < options_.in_all % count ? 1 : 0);
  wish.per_second = options_.per_second / static_cast<double>(count);
  if (wish.per_second > 0) wish.first_after_s = static_cast<double>(index) / options_.per_second;
  return wish;
}

result<void> emulated_frameworks::start() {
  for (std::size_t i = 0; i < options_.count; ++i)
    if (auto started = start_one(i); !started) return started;
  return {};
}

result<void> emulated_frameworks::start_one(std::size_t index) {
  auto& peer = *peers_.emplace_back(std::make_unique<emulated_peer>(home_, "framework-" + std::to_string(index)));
  const auto identity = keys::identity("framework");
  auto self = peer.identify(internal::FRAMEWORK, identity);
  if (!self) return self.error();
  auto logic = std::make_shared<load_scheduler>(wish_of(index), figures_);
  peer.hear([this, logic](const internal::ProgramEvent& event) {
    if (event.name() != "exit") return;
    std::lock_guard<std::mutex> lock(mutex_);
    if (event.data() != "0") {
      ++refused_;
      spdlog::error("emulator.framework_refused reason=\"{}\"", logic->refusal());
    }
    ++ended_;
    changed_.notify_all();
  });
  shell_setup<sdk::scheduler_core> setup;
  setup.at = *self;
  setup.identity = identity;
  setup.prefixes = {"framework"};
  setup.make = [logic] { return sdk::scheduler_core(logic, {}); };
  setup.on_ready = [&peer](const Address&) { peer.announce_master(); };
  const auto host = peer.host();
  host.supervise(shell_child<sdk::scheduler_core, framework_actor>(host.system, host.rt,
                                                                   "scheduler-" + std::to_string(index), setup));
  peer.call_master(index);
  return {};
}

void emulated_frameworks::finish(std::chrono::nanoseconds patience) {
  for (auto& peer : peers_) peer->tell("finish");
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, patience, [this] { return ended_ >= peers_.size(); });
}

}  // namespace troupe
