#include "tools/sim/checks.hpp"

#include "tools/sim/heard.hpp"

namespace troupe::sim {

namespace {

constexpr std::size_t mailbox_max = 20000;

}  // namespace

const std::vector<std::string>& checks::names() {
  static const std::vector<std::string> all = {"I1", "I2",  "I3",  "I4",  "I5",  "I6",  "I7", "I8",
                                               "I9", "I10", "I12", "I14", "I15", "I16", "I17"};
  return all;
}

std::map<std::string, std::uint64_t> checks::looked_at() const {
  std::map<std::string, std::uint64_t> all;
  for (const auto& [name, times] : looks_) all[name] += times;
  for (const auto& [process, books] : allocators_)
    for (const auto& [name, times] : books.looks()) all[name] += times;
  return all;
}

void checks::on_step(const actor& a, const mail& heard, const context& now, const outbox& out) {
  switch (a.at.role()) {
    case internal::FRAMEWORK:
      return on_framework_step(a, heard, out);
    case internal::MASTER:
      return on_master_step(a, heard, out);
    case internal::AGENT:
      return on_agent_step(a, heard, out);
    case internal::ALLOCATOR:
      return allocators_[a.home->name].on_step(heard, now, out);
    case internal::EXECUTOR:
      if (!a.home->container.empty()) on_executor_step(a, heard, out);
      return;
    default:
      return;
  }
}

bool checks::is_over(const std::string& framework) const {
  const auto found = frameworks_.find(framework);
  return found == frameworks_.end() || found->second.is_over;
}

void checks::on_process_ended(const process& p, const std::string&) {
  look_at_mailboxes();
  if (p.role == internal::FRAMEWORK) {
    offers_held_.erase(p.name);
    questions_.erase(p.name);
  }
  if (p.role != internal::EXECUTOR) return;
  // What it had not yet written down it has never reported.
  for (auto it = reports_.begin(); it != reports_.end();) {
    const bool is_lost = it->second.key.compare(0, p.name.size() + 1, p.name + "/") == 0 &&
                         recorded_.count(it->first) == 0 &&
                         p.store->records().count(it->second.key.substr(p.name.size() + 1)) == 0;
    if (!is_lost) {
      ++it;
      continue;
    }
    auto& reported = tasks_[it->second.task].reported;
    reported.erase(std::remove(reported.begin(), reported.end(), it->first), reported.end());
    it = reports_.erase(it);
  }
}

void checks::look_at_mailboxes() {
  look("I17");
  if (world_.longest_mailbox() > mailbox_max)
    throw broken("I17", "a mailbox had " + std::to_string(world_.longest_mailbox()) + " letters");
}

}  // namespace troupe::sim
