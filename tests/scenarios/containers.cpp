#include "tests/scenarios/containers.hpp"

#include <algorithm>
#include <csignal>
#include <iterator>
#include <set>

namespace troupe::testing {

namespace {

std::string variable(const internal::LaunchContainer& plan, const std::string& name) {
  for (const auto& v : plan.environment().variables())
    if (v.name() == name) return v.value();
  return {};
}

containers::event unknown(const Address& asker, const v1::ContainerID& id) {
  auto exited = std::make_shared<internal::ContainerExited>();
  *exited->mutable_container_id() = id;
  return {asker, exited, {}};
}

}  // namespace

bool containers::is_custom_executor(const internal::LaunchContainer& plan) {
  return variable(plan, "TROUPE_TASK_ID").empty();
}

std::string containers::label_of(const internal::LaunchContainer& plan) {
  return variable(plan, is_custom_executor(plan) ? "TROUPE_EXECUTOR_ID" : "TROUPE_TASK_ID");
}

std::vector<containers::event> containers::launch(const Address& asker, const internal::LaunchContainer& plan) {
  const auto& id = plan.container_id().value();
  auto running = all_.find(id);
  auto ended = ends_.find(id);
  if (running == all_.end() && ended == ends_.end()) {
    if (plan.only_if_known()) return {unknown(asker, plan.container_id())};
    all_[id] = {label_of(plan), asker};
    ++starts_[id];
    ++starts_by_label_[label_of(plan)];
  } else if (running != all_.end()) {
    running->second.asker = asker;
  }
  auto launched = std::make_shared<internal::ContainerLaunched>();
  *launched->mutable_container_id() = plan.container_id();
  launched->set_pid(4242);
  launched->set_start_time(1);
  if (ended == ends_.end()) return {{asker, launched, {}}};
  return {{asker, launched, {}}, {asker, std::make_shared<internal::ContainerExited>(ended->second), {}}};
}

std::vector<containers::event> containers::signal(const Address& asker, const internal::SignalContainer& asked,
                                                  const is_stubborn& stubborn) {
  auto it = all_.find(asked.container_id().value());
  if (it == all_.end()) return {answer_of_ended(asker, asked.container_id())};
  if (!it->second.asker) it->second.asker = asker;
  if (asked.signal() == SIGTERM && !stubborn(it->second.label)) return ended(std::string(it->first), SIGTERM);
  return {};
}

std::vector<containers::event> containers::destroy(const Address& asker, const internal::DestroyContainer& asked) {
  auto it = all_.find(asked.container_id().value());
  if (it == all_.end()) return {answer_of_ended(asker, asked.container_id())};
  if (!it->second.asker) it->second.asker = asker;
  return ended(std::string(it->first), SIGKILL);
}

void containers::release(const internal::ReleaseContainer& told) {
  ends_.erase(told.container_id().value());
}

std::vector<containers::event> containers::keep(const internal::KeepContainers& told) {
  std::set<std::string> wanted;
  for (const auto& id : told.container_ids()) wanted.insert(id.value());
  std::vector<event> events;
  std::vector<std::string> unwanted;
  for (const auto& [id, entry] : all_)
    if (wanted.count(id) == 0) unwanted.push_back(id);
  for (const auto& id : unwanted)
    for (auto& happened : ended(id, SIGKILL)) events.push_back(std::move(happened));
  for (auto it = ends_.begin(); it != ends_.end();) it = wanted.count(it->first) == 0 ? ends_.erase(it) : std::next(it);
  return events;
}

containers::event containers::answer_of_ended(const Address& asker, const v1::ContainerID& id) const {
  auto it = ends_.find(id.value());
  if (it == ends_.end()) return unknown(asker, id);
  return {asker, std::make_shared<internal::ContainerExited>(it->second), {}};
}

std::vector<containers::event> containers::end(const std::string& label, int status) {
  for (const auto& [id, entry] : all_)
    if (entry.label == label) return ended(std::string(id), status);
  return {};
}

std::vector<containers::event> containers::ended(const std::string& id, std::optional<int> status) {
  auto it = all_.find(id);
  auto exited = std::make_shared<internal::ContainerExited>();
  exited->mutable_container_id()->set_value(id);
  if (status) exited->set_status(*status);
  event happened{it->second.asker.value_or(Address()), exited, it->second.label};
  ends_[id] = *exited;
  all_.erase(it);
  return {happened};
}

bool containers::lose(const std::string& label) {
  auto it = std::find_if(all_.begin(), all_.end(), [&](const auto& entry) { return entry.second.label == label; });
  if (it == all_.end()) return false;
  all_.erase(it);
  return true;
}

bool containers::runs(const std::string& label) const {
  return std::any_of(all_.begin(), all_.end(), [&](const auto& entry) { return entry.second.label == label; });
}

std::vector<std::string> containers::labels() const {
  std::vector<std::string> found;
  for (const auto& [id, entry] : all_) found.push_back(entry.label);
  return found;
}

int containers::starts_of(const std::string& label) const {
  const auto found = starts_by_label_.find(label);
  return found == starts_by_label_.end() ? 0 : found->second;
}

int containers::most_starts() const {
  int most = 0;
  for (const auto& [id, count] : starts_) most = std::max(most, count);
  return most;
}

void containers::forget_all() {
  all_.clear();
  ends_.clear();
}

void containers::forget_askers() {
  for (auto& [id, entry] : all_) entry.asker.reset();
}

}  // namespace troupe::testing
