#include "tests/scenarios/containers.hpp"

#include <algorithm>
#include <csignal>

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
  all_[plan.container_id().value()] = {label_of(plan), asker};
  auto launched = std::make_shared<internal::ContainerLaunched>();
  *launched->mutable_container_id() = plan.container_id();
  launched->set_pid(4242);
  launched->set_start_time(1);
  return {{asker, launched, {}}};
}

std::vector<containers::event> containers::signal(const Address& asker, const internal::SignalContainer& asked,
                                                  const is_stubborn& stubborn) {
  auto it = all_.find(asked.container_id().value());
  if (it == all_.end()) return {unknown(asker, asked.container_id())};
  if (!it->second.asker) it->second.asker = asker;
  if (asked.signal() == SIGTERM && !stubborn(it->second.label)) return ended(it->first, SIGTERM);
  return {};
}

std::vector<containers::event> containers::destroy(const Address& asker, const internal::DestroyContainer& asked) {
  auto it = all_.find(asked.container_id().value());
  if (it == all_.end()) return {unknown(asker, asked.container_id())};
  if (!it->second.asker) it->second.asker = asker;
  return ended(it->first, SIGKILL);
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
  all_.erase(it);
  return {happened};
}

bool containers::runs(const std::string& label) const {
  return std::any_of(all_.begin(), all_.end(), [&](const auto& entry) { return entry.second.label == label; });
}

std::vector<std::string> containers::labels() const {
  std::vector<std::string> found;
  for (const auto& [id, entry] : all_) found.push_back(entry.label);
  return found;
}

void containers::forget_askers() {
  for (auto& [id, entry] : all_) entry.asker.reset();
}

}  // namespace troupe::testing
