#include "tests/crash/remembering_scheduler.hpp"

#include "protocol/task_state.hpp"
#include "storage/records.hpp"

#include <stdexcept>
#include <utility>

namespace troupe::test {

namespace {

constexpr std::chrono::seconds asks_every{20};

template <class Message>
Message read(std::string_view record) {
  Message message;
  if (auto parsed = decode_record(record, message); !parsed) throw std::logic_error(parsed.error().message);
  return message;
}

}  // namespace

v1::FrameworkInfo remembering_scheduler::describe() const {
  v1::FrameworkInfo info;
  info.set_user("somebody");
  info.set_name("remembers");
  info.set_failover_timeout(std::chrono::duration<double>(std::chrono::hours(24)).count());
  return info;
}

bool remembering_scheduler::has_open_wishes() const {
  return wishes_.size() > told_.size();
}

void remembering_scheduler::on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) {
  for (const auto& offer : offers) {
    if (!has_open_wishes()) {
      call.decline(offer);
      continue;
    }
    std::vector<v1::TaskInfo> launched;
    for (const auto& [name, wish] : wishes_) {
      if (told_.count(name) != 0) continue;
      auto& status = told_[name];
      status.mutable_task_id()->set_value(name);
      *status.mutable_agent_id() = offer.agent_id();
      status.set_state(v1::TASK_STAGING);
      call.put("told." + name, status);
      launched.push_back(wish);
      if (wish.has_executor()) *launched.back().mutable_executor()->mutable_framework_id() = call.framework().proto();
    }
    call.launch(offer, std::move(launched));
  }
}

void remembering_scheduler::on_status(sdk::calls& call, const v1::TaskStatus& status) {
  const auto& name = status.task_id().value();
  if (told_.count(name) == 0) throw std::logic_error("told of a task that was never launched: " + name);
  told_[name] = status;
  call.put("told." + name, status);
}

void remembering_scheduler::on_subscribed(sdk::calls& call) {
  if (has_open_wishes()) call.revive();
  ask_after_all(call);
}

void remembering_scheduler::on_timer(sdk::calls& call) {
  ask_after_all(call);
}

void remembering_scheduler::ask_after_all(sdk::calls& call) {
  std::vector<v1::TaskStatus> open;
  for (const auto& [name, status] : told_) {
    if (is_terminal(status.state())) continue;
    open.push_back(status);
    if (kills_.count(name) != 0) call.kill(task_id(name), agent_id(status.agent_id()));
  }
  if (!open.empty()) call.reconcile(open);
  call.wake_at(call.now().now + asks_every);
}

void remembering_scheduler::on_program_event(sdk::calls& call, const std::string& name, const std::string& data) {
  if (name == "want") {
    v1::TaskInfo wish;
    if (!wish.ParseFromString(data)) throw std::logic_error("a wish cannot be read");
    if (!wishes_.emplace(wish.name(), wish).second) return;
    call.put("wish." + wish.name(), wish);
    call.revive();
  } else if (name == "kill") {
    v1::TaskID id;
    id.set_value(data);
    kills_.insert(data);
    call.put("kill." + data, id);
    const auto known = told_.find(data);
    if (known != told_.end()) call.kill(task_id(id), agent_id(known->second.agent_id()));
  } else if (name == "tear down") {
    call.teardown(0);
  } else {
    throw std::logic_error("a framework that remembers cannot " + name);
  }
}

void remembering_scheduler::remember(const std::string& key, std::string_view record) {
  const auto name = key.substr(key.find('.') + 1);
  if (key.rfind("wish.", 0) == 0) wishes_[name] = read<v1::TaskInfo>(record);
  if (key.rfind("told.", 0) == 0) told_[name] = read<v1::TaskStatus>(record);
  if (key.rfind("kill.", 0) == 0) kills_.insert(name);
}

}  // namespace troupe::test
