#include "tools/emulator/emulated_containerizer.hpp"

#include "actors/runtime/shell.hpp"
#include "protocol/interfaces.hpp"

#include <csignal>
#include <stdexcept>

namespace troupe {

void container_figures::launched(std::chrono::nanoseconds idle) {
  std::lock_guard<std::mutex> lock(mutex_);
  ++counts_.launched;
  counts_.idle.add(idle);
}

void container_figures::launched() {
  std::lock_guard<std::mutex> lock(mutex_);
  ++counts_.launched;
}

void container_figures::ended() {
  std::lock_guard<std::mutex> lock(mutex_);
  ++counts_.ended;
}

container_figures::counts container_figures::read() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return counts_;
}

outbox emulated_containerizer::on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
  outbox out;
  step s{head, now, out};
  dispatch(*this, s, body);
  if (!ends_.empty()) out.wake_at = ends_.begin()->first;
  return out;
}

void emulated_containerizer::handle(step&, const internal::Recovered&) {}

void emulated_containerizer::handle(step& s, const internal::TimerFired&) {
  while (!ends_.empty() && ends_.begin()->first <= s.now.now) end(s, running_.find(ends_.begin()->second), 0);
}

void emulated_containerizer::handle(step& s, const internal::LaunchContainer& request) {
  const auto& id = request.container_id().value();
  const auto known = running_.find(id);
  if (known != running_.end()) return say_launched(s, s.head.from(), id, known->second.pid);
  if (idle_since_.empty()) {
    figures_->launched();
  } else {
    figures_->launched(s.now.now - idle_since_.front());
    idle_since_.pop_front();
  }
  const auto length = lengths_.next();
  container added{s.head.from(), s.now.now + length, ++last_pid_};
  say_launched(s, added.owner, id, added.pid);
  ends_.emplace(added.ends, id);
  const auto at = running_.emplace(id, std::move(added)).first;
  if (length.count() == 0) end(s, at, 0);
}

void emulated_containerizer::handle(step& s, const internal::SignalContainer& request) {
  const auto& id = request.container_id().value();
  if (request.signal() == 0 && running_.count(id) != 0) return;
  stop(s, id, request.signal());
}

void emulated_containerizer::handle(step& s, const internal::DestroyContainer& request) {
  stop(s, request.container_id().value(), SIGKILL);
}

void emulated_containerizer::say_launched(step& s, const Address& to, const std::string& id, int pid) {
  internal::ContainerLaunched launched;
  launched.mutable_container_id()->set_value(id);
  launched.set_pid(pid);
  launched.set_start_time(1);
  s.say(to, std::move(launched));
}

void emulated_containerizer::end(step& s, table::iterator it, int status) {
  internal::ContainerExited exited;
  exited.mutable_container_id()->set_value(it->first);
  exited.set_status(status);
  s.say(it->second.owner, std::move(exited));
  ends_.erase({it->second.ends, it->first});
  running_.erase(it);
  idle_since_.push_back(s.now.now);
  figures_->ended();
}

void emulated_containerizer::stop(step& s, const std::string& id, int status) {
  const auto it = running_.find(id);
  if (it != running_.end()) return end(s, it, status);
  internal::ContainerExited unknown;
  unknown.mutable_container_id()->set_value(id);
  s.say(s.head.from(), std::move(unknown));
}

std::shared_ptr<const google::protobuf::Message> emulated_containerizer::look(const std::string&) const {
  auto seen = std::make_shared<internal::ProgramEvent>();
  seen->set_name("containers");
  seen->set_data(std::to_string(running_.size()));
  return seen;
}

void emulated_containerizer::check_invariants() const {
  if (ends_.size() != running_.size()) throw std::logic_error("a container has no end, or an end no container");
  for (const auto& [when, id] : ends_)
    if (running_.count(id) == 0) throw std::logic_error("container " + id + " ends but does not run");
}

void start_emulated_containerizer(const actor_host& host, task_length length, std::uint64_t seed,
                                  std::shared_ptr<container_figures> figures) {
  shell_setup<emulated_containerizer> setup;
  setup.at = address(internal::CONTAINERIZER, "local");
  setup.make = [length, seed, figures = std::move(figures)] { return emulated_containerizer(length, seed, figures); };
  using interface = hears<emulated_containerizer::hears, shell_timer, shell_view>;
  host.supervise(
      shell_child<emulated_containerizer, interface>(host.system, host.rt, to_string(setup.at), std::move(setup)));
}

}  // namespace troupe
