#include "tools/emulator/emulated_agents.hpp"

#include "actors/agent/agent_actor.hpp"
#include "actors/executor/executor_supervisor.hpp"
#include "storage/keys.hpp"

#include <spdlog/spdlog.h>

#include <chrono>
#include <utility>

namespace troupe {

emulated_agents::emulated_agents(emulation& home, emulated_agents_options options)
    : home_(home), options_(std::move(options)), admitted_(options_.count) {}

emulated_agents::~emulated_agents() {
  for (auto& peer : peers_) peer->hang_up();
  home_.end_actors();
}

void emulated_agents::wait_until(const std::function<bool()>& holds, std::chrono::nanoseconds most) {
  std::unique_lock<std::mutex> lock(mutex_);
  changed_.wait_for(lock, most, holds);
}

result<void> emulated_agents::start(const std::function<bool()>& goes_on) {
  constexpr auto look_up = std::chrono::milliseconds(100);
  while (registered_ < options_.count && goes_on()) {
    while (peers_.size() < options_.count && peers_.size() - registered_ < options_.at_once)
      if (auto started = start_one(peers_.size()); !started) return started.error();
    const auto seen = registered_.load();
    wait_until([this, seen] { return registered_ > seen; }, look_up);
  }
  return {};
}

result<void> emulated_agents::start_one(std::size_t index) {
  const auto number = std::to_string(index);
  auto& peer = *peers_.emplace_back(std::make_unique<emulated_peer>(home_, "agent-" + number));
  auto self = peer.identify(internal::AGENT, keys::identity("agent"));
  if (!self) return self.error();
  peer.hear([this, index](const internal::ProgramEvent& event) { on_event(index, event); });
  const auto host = peer.host();
  start_emulated_containerizer(host, options_.length, options_.seed + index, figures_);
  serve_executors(host, *self);
  auto agent = options_.agent;
  agent.info.set_hostname(agent.info.hostname() + "-" + number);
  start_agent(host, *self, agent, nullptr, [&peer](const Address&) { peer.announce_master(); });
  peer.call_master(index);
  return {};
}

void emulated_agents::on_event(std::size_t index, const internal::ProgramEvent& event) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (event.name() == "admitted" && !admitted_[index]) {
    admitted_[index] = true;
    ++registered_;
  } else if (event.name() == "dismissed") {
    spdlog::error("emulator.agent_dismissed agent={} reason=\"{}\"", index, event.data());
    ++dismissed_;
  } else if (event.name() == "left") {
    ++left_;
  }
  changed_.notify_all();
}

void emulated_agents::leave(std::chrono::nanoseconds patience) {
  for (auto& peer : peers_) peer->tell("leave");
  wait_until([this] { return left_ + dismissed_ >= peers_.size(); }, patience);
}

}  // namespace troupe
