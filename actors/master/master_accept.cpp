#include "actors/master/decision.hpp"
#include "actors/master/made_status.hpp"
#include "actors/master/master.hpp"
#include "actors/master/offer_form.hpp"
#include "protocol/mutant.hpp"
#include "protocol/quoting.hpp"
#include "protocol/task_state.hpp"

#include <utility>

namespace troupe {

/// Offers that are being used: the operations shrink the pool one after the other.
struct master::accepted {
  framework& by;
  registered_agent& agent;
  std::string role;
  resources pool;
  resources used;
};

namespace {

/// The tasks that an operation would have launched.
std::vector<v1::TaskInfo> tasks_of(const v1::Offer::Operation& operation) {
  const auto& launch = operation.launch().task_infos();
  const auto& group = operation.launch_group().task_group().tasks();
  std::vector<v1::TaskInfo> tasks(launch.begin(), launch.end());
  tasks.insert(tasks.end(), group.begin(), group.end());
  return tasks;
}

v1::Task task_of(const v1::TaskInfo& info, const framework& by) {
  v1::Task task;
  task.set_name(info.name());
  *task.mutable_task_id() = info.task_id();
  *task.mutable_framework_id() = by.id.proto();
  if (info.has_executor()) *task.mutable_executor_id() = info.executor().executor_id();
  *task.mutable_agent_id() = info.agent_id();
  task.set_state(v1::TASK_STAGING);
  *task.mutable_resources() = info.resources();
  if (info.has_labels()) *task.mutable_labels() = info.labels();
  if (info.has_discovery()) *task.mutable_discovery() = info.discovery();
  if (info.has_container()) *task.mutable_container() = info.container();
  if (info.has_health_check()) *task.mutable_health_check() = info.health_check();
  if (info.has_kill_policy()) *task.mutable_kill_policy() = info.kill_policy();
  *task.mutable_limits() = info.limits();
  const auto& command = info.has_executor() ? info.executor().command() : info.command();
  task.set_user(command.has_user() ? command.user() : by.info.user());
  return task;
}

/// Does a task of that name run, or may it run where nobody can see?
bool is_live(const framework& owner, const task_id& id) {
  const auto known = owner.tasks.find(id);
  if (known != owner.tasks.end()) return !is_terminal(known->second.task.state());
  return owner.unreachable.find(id) != nullptr;
}

/// It has ended, and its framework has not acknowledged that.
bool is_unacknowledged(const framework& owner, const task_id& id) {
  const auto known = owner.tasks.find(id);
  return known != owner.tasks.end() && is_terminal(known->second.task.state());
}

result<launch_claim> claim_of(const v1::TaskInfo& task, const v1::Offer::Operation& operation,
                              const launch_site& site) {
  if (operation.has_id()) return invalid("operations.id must not be set on LAUNCH: tasks report for themselves");
  return validate_task(task, site);
}

const char* name_of(v1::Offer::Operation::Type type) {
  return v1::Offer::Operation::Type_Name(type).c_str();
}

}  // namespace

std::optional<std::string> master::objection_to(const scheduler::Call::Accept& call, const framework& by) const {
  if (call.offer_ids().empty()) return "offer_ids must name at least one offer";
  std::set<offer_id> seen;
  const offer* first = nullptr;
  for (const auto& asked : call.offer_ids()) {
    const offer_id id = asked;
    if (!seen.insert(id).second) return "offer_ids names offer " + quoted(id.value()) + " more than once";
    const auto* open = offers_.find(id);
    if (!open || open->framework != by.id) return "offer " + quoted(id.value()) + " is no longer valid";
    if (!first) first = open;
    if (open->role != first->role) return "offer_ids names offers of more than one role";
    if (open->agent != first->agent) return "offer_ids names offers of more than one agent";
  }
  return std::nullopt;
}

void master::handle(step& s, const scheduler::Call::Accept& call) {
  auto* by = speaking_framework(s, "Accept");
  if (!by) return;
  if (const auto why = objection_to(call, *by)) return reject_accept(s, *by, call, *why);

  const auto first = *offers_.find(offer_id(call.offer_ids(0)));
  accepted deal{*by, *agents_.find(first.agent), first.role, {}, {}};
  for (const auto& id : call.offer_ids()) deal.pool += take_offer(offer_id(id))->what;
  for (const auto& operation : call.operations()) apply(s, deal, operation);
  s.log(decision("offer.accepted")
            .with("offer", first.id)
            .with("offers", static_cast<std::uint64_t>(call.offer_ids_size()))
            .with("framework", by->id)
            .with("agent", deal.agent.id)
            .with("used", deal.used.text()));
  const auto filters = filters_of(call.filters());
  settle(s, first, deal.used, deal.pool, &filters);
}

v1::TaskStatus::Reason master::reason_of_rejection(const v1::TaskInfo& task,
                                                   const scheduler::Call::Accept& call) const {
  bool vanished = false;
  for (const auto& id : call.offer_ids()) vanished = vanished || !offers_.find(offer_id(id));
  const agent_id id = task.agent_id();
  const auto* agent = agents_.find(id);
  if (vanished && agent && !agent->connected) return v1::TaskStatus::REASON_AGENT_DISCONNECTED;
  if (vanished && (agents_.unreachable().count(id) != 0 || agents_.gone().count(id) != 0))
    return v1::TaskStatus::REASON_AGENT_REMOVED;
  return v1::TaskStatus::REASON_INVALID_OFFERS;
}

void master::reject_accept(step& s, framework& by, const scheduler::Call::Accept& call, const std::string& why) {
  s.log(decision("accept.rejected").with("framework", by.id).with("reason", why));
  for (const auto& operation : call.operations()) {
    const auto tasks = tasks_of(operation);
    for (const auto& task : tasks) {
      // A repeated acceptance must not say of the task that the first one launched that it does not run.
      if (is_live(by, task_id(task.task_id())) && !mutated(mutant::live_task_called_dropped)) continue;
      // Nor of one that has ended: how it did is on its way, or is said again.
      if (is_unacknowledged(by, task_id(task.task_id()))) continue;
      if (const auto* done = by.completed.find(task_id(task.task_id()))) {
        tell(s, by, last_known(*done, v1::TaskStatus::REASON_RECONCILIATION, s.now.wall_now));
        continue;
      }
      tell(s, by,
           made_status(task.task_id(), &task.agent_id(), {v1::TASK_DROPPED, reason_of_rejection(task, call), why},
                       s.now.wall_now));
    }
    if (operation.type() != v1::Offer::Operation::LAUNCH && operation.type() != v1::Offer::Operation::LAUNCH_GROUP)
      refuse_operation(s, by, operation, why);
  }
  for (const auto& asked : call.offer_ids()) {
    const auto* open = offers_.find(offer_id(asked));
    if (!open || open->framework != by.id || mutated(mutant::rejected_offers_kept)) continue;
    const auto taken = take_offer(offer_id(asked));
    settle(s, *taken, {}, taken->what, nullptr);
  }
}

void master::apply(step& s, accepted& deal, const v1::Offer::Operation& operation) {
  const auto refuse = [&](const v1::TaskInfo& task, v1::TaskStatus::Reason reason, const std::string& why) {
    s.log(decision("task.refused")
              .with("framework", deal.by.id)
              .with("task", task_id(task.task_id()))
              .with("reason", why));
    tell(s, deal.by, made_status(task.task_id(), &task.agent_id(), {v1::TASK_ERROR, reason, why}, s.now.wall_now));
  };
  switch (operation.type()) {
    case v1::Offer::Operation::LAUNCH:
      for (const auto& asked : operation.launch().task_infos()) {
        auto task = with_defaults(asked, deal.by.id, deal.role);
        const auto claim = claim_of(task, operation, {deal.by, deal.agent, deal.pool});
        if (claim)
          launch(s, deal, std::move(task), *claim);
        else
          refuse(task, v1::TaskStatus::REASON_TASK_INVALID, claim.error().message);
      }
      return;
    case v1::Offer::Operation::LAUNCH_GROUP:
      for (const auto& task : operation.launch_group().task_group().tasks())
        refuse(task, v1::TaskStatus::REASON_TASK_GROUP_INVALID, "task groups are not supported");
      return;
    case v1::Offer::Operation::UNKNOWN:
    case v1::Offer::Operation::RESERVE:
    case v1::Offer::Operation::UNRESERVE:
    case v1::Offer::Operation::CREATE:
    case v1::Offer::Operation::DESTROY:
    case v1::Offer::Operation::GROW_VOLUME:
    case v1::Offer::Operation::SHRINK_VOLUME:
    case v1::Offer::Operation::CREATE_DISK:
    case v1::Offer::Operation::DESTROY_DISK:
      return refuse_operation(s, deal.by, operation,
                              "operations of type " + std::string(name_of(operation.type())) + " are not supported");
  }
}

void master::launch(step& s, accepted& deal, v1::TaskInfo task, const launch_claim& claim) {
  const auto taken = mutated(mutant::executor_for_free) ? claim.task : claim.task + claim.executor;
  deal.pool -= taken;
  deal.used += taken;
  if (task.has_executor()) {
    const executor_key key{deal.by.id, task.executor().executor_id()};
    const auto [executor, fresh] = deal.agent.executors.emplace(key, executor_entry{task.executor(), claim.executor});
    if (fresh) charge(deal.agent, claim.executor);
    executor->second.unlisted = false;
  }
  auto added = task_of(task, deal.by);
  auto charged = resources::from(added.resources()).value();
  add_task(deal.by, deal.agent, std::move(added), std::move(charged));
  s.log(decision("task.launched")
            .with("framework", deal.by.id)
            .with("task", task_id(task.task_id()))
            .with("agent", deal.agent.id)
            .with("resources", claim.task.text()));
  internal::RunTask run;
  *run.mutable_framework() = deal.by.info;
  *run.mutable_task() = std::move(task);
  s.say(deal.agent.at, std::move(run));
}

void master::refuse_operation(step& s, const framework& by, const v1::Offer::Operation& operation,
                              const std::string& why) {
  s.log(decision("operation.refused")
            .with("framework", by.id)
            .with("type", name_of(operation.type()))
            .with("operation", operation_id(operation.id()))
            .with("reason", why));
  if (!operation.has_id()) return;
  scheduler::Event::UpdateOperationStatus event;
  *event.mutable_status()->mutable_operation_id() = operation.id();
  event.mutable_status()->set_state(v1::OPERATION_ERROR);
  event.mutable_status()->set_message(why);
  s.say(*by.at, std::move(event));
}

}  // namespace troupe
