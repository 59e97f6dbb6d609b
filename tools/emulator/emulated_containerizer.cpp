#include "tools/emulator/emulated_containerizer.hpp"

#include "actors/runtime/moments.hpp"
#include "actors/runtime/shell.hpp"
#include "protocol/interfaces.hpp"

#include <algorithm>
#include <csignal>
#include <stdexcept>

namespace troupe {

namespace {

/// Enough for what may be on its way when an executor is started again; an agent shall be small.
constexpr std::size_t ended_kept = 8;

}  // namespace

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
  if (known != running_.end()) return say_launched(s, s.head.from(), id, known->second);
  if (const auto* over = find_ended(id)) {
    say_launched(s, s.head.from(), id, over->last);
    return say_exited(s, s.head.from(), id, over->status);
  }
  if (request.only_if_known()) return say_exited(s, s.head.from(), id, std::nullopt);
  if (idle_since_.empty()) {
    figures_->launched();
  } else {
    figures_->launched(s.now.now - idle_since_.front());
    idle_since_.pop_front();
  }
  const auto length = lengths_.next();
  container added{s.head.from(), s.now.now + length, ++last_pid_, s.now.wall_now};
  say_launched(s, added.owner, id, added);
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

void emulated_containerizer::handle(step& s, const internal::KeepContainers& request) {
  std::set<std::string> wanted;
  for (const auto& id : request.container_ids()) wanted.insert(id.value());
  for (auto it = running_.begin(); it != running_.end();) {
    const auto each = it++;
    if (wanted.count(each->first) == 0) end(s, each, SIGKILL);
  }
}

void emulated_containerizer::say_launched(step& s, const Address& to, const std::string& id, const container& c) const {
  internal::ContainerLaunched launched;
  launched.mutable_container_id()->set_value(id);
  launched.set_pid(c.pid);
  launched.set_start_time(1);
  *launched.mutable_launched_at() = time_info(c.launched_at);
  s.say(to, std::move(launched));
}

void emulated_containerizer::say_exited(step& s, const Address& to, const std::string& id,
                                        std::optional<int> status) const {
  internal::ContainerExited exited;
  exited.mutable_container_id()->set_value(id);
  if (status) exited.set_status(*status);
  s.say(to, std::move(exited));
}

const emulated_containerizer::ended_container* emulated_containerizer::find_ended(const std::string& id) const {
  const auto it =
      std::find_if(ended_.begin(), ended_.end(), [&](const ended_container& each) { return each.id == id; });
  return it == ended_.end() ? nullptr : &*it;
}

void emulated_containerizer::end(step& s, table::iterator it, int status) {
  say_exited(s, it->second.owner, it->first, status);
  ends_.erase({it->second.ends, it->first});
  ended_.push_back({it->first, std::move(it->second), status});
  if (ended_.size() > ended_kept) ended_.pop_front();
  running_.erase(it);
  idle_since_.push_back(s.now.now);
  figures_->ended();
}

void emulated_containerizer::stop(step& s, const std::string& id, int status) {
  const auto it = running_.find(id);
  if (it != running_.end()) return end(s, it, status);
  const auto* over = find_ended(id);
  say_exited(s, s.head.from(), id, over ? std::optional<int>(over->status) : std::nullopt);
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
