#include "frameworks/sdk/scheduler.hpp"

#include "frameworks/sdk/typed_message.hpp"
#include "storage/keys.hpp"

namespace troupe::sdk {

namespace call = v1::scheduler;

void calls::launch(const v1::Offer& offer, std::vector<v1::TaskInfo> tasks, const v1::Filters& filters) {
  v1::Offer::Operation operation;
  operation.set_type(v1::Offer::Operation::LAUNCH);
  for (auto& task : tasks) {
    *task.mutable_agent_id() = offer.agent_id();
    *operation.mutable_launch()->add_task_infos() = std::move(task);
  }
  accept({offer.id()}, {operation}, filters);
}

void calls::accept(const std::vector<offer_id>& offers, const std::vector<v1::Offer::Operation>& operations,
                   const v1::Filters& filters) {
  call::Call::Accept accept;
  for (const auto& offer : offers) *accept.add_offer_ids() = offer.proto();
  for (const auto& operation : operations) *accept.add_operations() = operation;
  *accept.mutable_filters() = filters;
  step_.say(leader(), std::move(accept));
}

void calls::decline(const v1::Offer& offer, std::chrono::milliseconds refuse) {
  this->decline(std::vector<offer_id>{offer.id()}, refuse);
}

void calls::decline(const std::vector<offer_id>& offers, std::chrono::milliseconds refuse) {
  if (offers.empty()) return;
  call::Call::Decline decline;
  for (const auto& offer : offers) *decline.add_offer_ids() = offer.proto();
  decline.mutable_filters()->set_refuse_seconds(static_cast<double>(refuse.count()) / 1000);
  step_.say(leader(), std::move(decline));
}

void calls::revive(const std::vector<std::string>& roles) {
  call::Call::Revive revive;
  for (const auto& role : roles) revive.add_roles(role);
  step_.say(leader(), std::move(revive));
}

void calls::suppress(const std::vector<std::string>& roles) {
  call::Call::Suppress suppress;
  for (const auto& role : roles) suppress.add_roles(role);
  step_.say(leader(), std::move(suppress));
}

void calls::kill(const task_id& task, std::optional<agent_id> agent, std::optional<std::chrono::milliseconds> grace) {
  call::Call::Kill kill;
  *kill.mutable_task_id() = task.proto();
  if (agent) *kill.mutable_agent_id() = agent->proto();
  if (grace)
    kill.mutable_kill_policy()->mutable_grace_period()->set_nanoseconds(
        std::chrono::duration_cast<std::chrono::nanoseconds>(*grace).count());
  step_.say(leader(), std::move(kill));
}

void calls::reconcile(const std::vector<v1::TaskStatus>& tasks) {
  call::Call::Reconcile reconcile;
  for (const auto& status : tasks) {
    auto* task = reconcile.add_tasks();
    *task->mutable_task_id() = status.task_id();
    if (status.has_agent_id()) *task->mutable_agent_id() = status.agent_id();
  }
  step_.say(leader(), std::move(reconcile));
}

void calls::send(const agent_id& agent, const executor_id& executor, const google::protobuf::Message& message) {
  call::Call::Message out;
  *out.mutable_agent_id() = agent.proto();
  *out.mutable_executor_id() = executor.proto();
  out.set_data(pack(message));
  step_.say(leader(), std::move(out));
}

void calls::shutdown(const agent_id& agent, const executor_id& executor) {
  call::Call::Shutdown out;
  *out.mutable_agent_id() = agent.proto();
  *out.mutable_executor_id() = executor.proto();
  step_.say(leader(), std::move(out));
}

void calls::teardown(int exit_code) {
  internal::TeardownFramework teardown;
  *teardown.mutable_framework_id() = framework_.proto();
  step_.say(leader(), std::move(teardown));
  exit_code_ = exit_code;
}

void calls::put(const std::string& key, const google::protobuf::Message& record) {
  step_.put(keys::path({"framework", "app", key}), record);
}

void calls::erase(const std::string& key) {
  step_.erase(keys::path({"framework", "app", key}));
}

void calls::wake_at(monotonic_time at) {
  if (!wake_ || at < *wake_) wake_ = at;
}

}  // namespace troupe::sdk
