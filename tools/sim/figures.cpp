#include "tools/sim/figures.hpp"

#include "protocol/task_state.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <utility>

namespace troupe::sim {

namespace {

namespace call = v1::scheduler;

std::string named(const std::string& framework, const std::string& task) {
  return framework + "/" + task;
}

template <class Message>
const Message* as(std::uint32_t verb, const google::protobuf::Message& body) {
  return verb == verb_number<Message>::value ? static_cast<const Message*>(&body) : nullptr;
}

template <class Resources>
std::pair<std::int64_t, std::int64_t> cpus_and_mem(const Resources& all) {
  std::int64_t cpus = 0, mem = 0;
  for (const auto& each : all) {
    const auto milli = std::llround(each.scalar().value() * 1000);
    if (each.name() == "cpus") cpus += milli;
    if (each.name() == "mem") mem += milli;
  }
  return {cpus, mem};
}

}  // namespace

void figures::add_agent(std::int64_t cpus_milli, std::int64_t mem_milli) {
  total_.cpus += cpus_milli;
  total_.mem += mem_milli;
}

figures::task* figures::find(const std::string& framework, const std::string& id) {
  const auto found = tasks_.find(named(framework, id));
  return found == tasks_.end() ? nullptr : &found->second;
}

void figures::forget_if_over(const std::string& framework, const std::string& id) {
  const auto found = tasks_.find(named(framework, id));
  if (found != tasks_.end() && found->second.ended && !found->second.runs) tasks_.erase(found);
}

// --- what frameworks hear and say ------------------------------------------------------------------------------------

void figures::on_step(const actor& a, const mail& heard, const context&, const outbox&) {
  if (a.at.role() != internal::FRAMEWORK) return;
  const auto known = by_process_.find(a.home->name);
  if (known == by_process_.end()) return;
  auto& f = known->second;
  const auto verb = heard.head.verb();
  if (const auto* update = as<call::Event::Update>(verb, *heard.body)) return on_told(f, update->status());
  if (const auto* offers = as<call::Event::Offers>(verb, *heard.body)) {
    f.all.offers += static_cast<std::uint64_t>(offers->offers_size());
  } else if (const auto* subscribed = as<call::Event::Subscribed>(verb, *heard.body)) {
    f.id = subscribed->framework_id().value();
    by_id_[f.id] = &f;
    ++f.subscription;
    f.subscribed_since = world_.time().now();
    if (!f.asked_since) f.asked_since = world_.time().now();
  } else if (const auto* error = as<call::Event::Error>(verb, *heard.body)) {
    f.all.refused = error->message();
  } else if (as<internal::PeerDisconnected>(verb, *heard.body)) {
    f.subscribed_since.reset();
  }
}

void figures::on_said(const actor& a, const letter& said) {
  if (a.at.role() != internal::FRAMEWORK) return;
  const auto known = by_process_.find(a.home->name);
  if (known == by_process_.end()) return;
  auto& f = known->second;
  if (const auto* accept = as<call::Call::Accept>(said.verb, *said.body)) {
    for (const auto& operation : accept->operations()) {
      for (const auto& info : operation.launch().task_infos()) on_launch(f, info);
      for (const auto& info : operation.launch_group().task_group().tasks()) on_launch(f, info);
    }
  } else if (as<call::Call::Revive>(said.verb, *said.body)) {
    if (!f.asked_since) f.asked_since = world_.time().now();
  } else if (as<call::Call::Suppress>(said.verb, *said.body)) {
    f.asked_since.reset();
  } else if (const auto* question = as<call::Call::Reconcile>(said.verb, *said.body)) {
    if (world_.is_followed() && question->tasks_size() != 0)
      world_.remark(f.all.name + " asks after " + std::to_string(question->tasks_size()) + " tasks");
    for (const auto& asked : question->tasks())
      if (auto* t = find(f.id, asked.task_id().value())) t->asked_in = f.subscription;
  }
}

void figures::on_launch(framework& f, const v1::TaskInfo& info) {
  const auto now = world_.time().now();
  const auto& id = info.task_id().value();
  ++f.all.placed;
  if (world_.is_followed()) world_.remark(f.all.name + " launches " + id + " on agent " + info.agent_id().value());
  if (!f.used_ids.insert(std::hash<std::string>()(id)).second)
    throw broken("F2", f.all.name + " launches " + id + ", an id that it has used before");
  if (f.asked_since) f.all.waits.push_back(now - *std::exchange(f.asked_since, std::nullopt));
  auto& t = tasks_[named(f.id, id)];
  t = task();
  t.of = &f;
  t.launched = now;
  t.launched_in = f.subscription;
  std::tie(t.needs.cpus, t.needs.mem) = cpus_and_mem(info.resources());
  t.is_custom = info.has_executor();
  if (!t.is_custom) return;
  auto& executor = executors_[named(f.id, info.executor().executor_id().value())];
  std::tie(executor.cpus, executor.mem) = cpus_and_mem(info.executor().resources());
}

void figures::on_told(framework& f, const v1::TaskStatus& status) {
  const auto& id = status.task_id().value();
  if (world_.is_followed())
    world_.remark(f.all.name + " hears that " + id + " is " + std::string(short_name(status.state())) +
                  (status.message().empty() ? "" : ": " + status.message()));
  auto* t = find(f.id, id);
  if (!t || t->ended) return;
  const bool news = t->heard != status.state();
  t->heard = status.state();
  const auto take = [&](bool runs) {
    if (t->is_custom && t->runs != runs) use(f, t->needs, runs ? 1 : -1);
    if (t->is_custom) t->runs = runs;
  };
  if (status.state() == v1::TASK_RUNNING && news) {
    f.all.starts.push_back(world_.time().now() - t->launched);
    take(true);
  }
  if (!is_terminal(status.state())) return;
  take(false);
  t->ended = true;
  switch (status.state()) {
    case v1::TASK_FINISHED:
      ++f.all.finished;
      break;
    case v1::TASK_KILLED:
      ++f.all.killed;
      break;
    case v1::TASK_FAILED:
    case v1::TASK_ERROR:
      ++f.all.failed;
      break;
    default:
      ++f.all.lost;
      break;
  }
  forget_if_over(f.id, id);
}

// --- processes and containers ----------------------------------------------------------------------------------------

void figures::on_process_started(const process& p) {
  const auto known = by_process_.find(p.name);
  if (known != by_process_.end() && p.incarnation > 1) ++known->second.all.restarts;
}

void figures::on_process_ended(const process& p, const std::string& why) {
  const auto known = by_process_.find(p.name);
  if (known == by_process_.end()) return;
  auto& f = known->second;
  f.subscribed_since.reset();
  f.asked_since.reset();
  const std::string exits = "exit ";
  if (why.compare(0, exits.size(), exits) != 0) return;
  f.all.exit_code = std::atoi(why.c_str() + exits.size());
  if (*f.all.exit_code != 0 && f.all.refused.empty())
    throw broken("F3", p.name + " has ended itself, exit code " + std::to_string(*f.all.exit_code));
}

void figures::use(framework& f, const amounts& more, int sign) {
  const auto now = world_.time().now();
  const auto cpus = sign * more.cpus, mem = sign * more.mem;
  cpus_.add(static_cast<double>(cpus), now);
  mem_.add(static_cast<double>(mem), now);
  f.used.cpus += cpus;
  f.used.mem += mem;
  f.share.settle(now);
  f.share.value =
      std::max(static_cast<double>(f.used.cpus) / static_cast<double>(std::max<std::int64_t>(total_.cpus, 1)),
               static_cast<double>(f.used.mem) / static_cast<double>(std::max<std::int64_t>(total_.mem, 1)));
}

void figures::on_container_started(const host&, const std::string&, const container_label& label) {
  const auto owner = by_id_.find(label.framework);
  if (owner == by_id_.end()) return;
  if (label.is_custom_executor()) return use(*owner->second, executors_[named(label.framework, label.executor)], 1);
  ++running_;
  running_max_ = std::max(running_max_, running_);
  auto* t = find(label.framework, label.task);
  if (!t) return;
  t->runs = true;
  use(*owner->second, t->needs, 1);
}

void figures::on_container_ended(const host&, const std::string&, const container_label& label, const container_end&) {
  const auto owner = by_id_.find(label.framework);
  if (owner == by_id_.end()) return;
  if (label.is_custom_executor()) return use(*owner->second, executors_[named(label.framework, label.executor)], -1);
  --running_;
  auto* t = find(label.framework, label.task);
  if (!t || !t->runs) return;
  t->runs = false;
  use(*owner->second, t->needs, -1);
  forget_if_over(label.framework, label.task);
}

// --- what came of it -------------------------------------------------------------------------------------------------

std::vector<complaint> figures::fates() const {
  std::map<std::string, complaint> found;  // sorted: the table is not
  for (const auto& [key, t] : tasks_) {
    if (t.is_custom) continue;
    const auto& f = *t.of;
    const auto& name = f.all.name;
    const auto id = key.substr(f.id.size() + 1);
    if (f.all.exit_code || !f.all.refused.empty() || !f.subscribed_since) continue;
    if (t.runs && t.ended) found[key] = {"I1", id + " of " + name + " runs, and " + name + " was told of its end", key};
    if (t.runs || t.ended || t.heard == v1::TASK_UNKNOWN || t.heard == v1::TASK_UNREACHABLE) continue;
    const std::string believes = t.heard == v1::TASK_RUNNING ? " takes it to run" : " waits for news of it";
    // What happens between two subscriptions is for whoever comes back to ask about.
    if (t.asked_in == f.subscription || t.launched_in == f.subscription)
      found[key] = {"I1", id + " of " + name + " does not exist, " + name + believes + ", and is not told so", key};
    else
      found[key] = {"F1",
                    id + " of " + name + " does not exist, " + name + believes +
                        ", and has not asked after it since it subscribed again",
                    key};
  }
  std::vector<complaint> all;
  for (auto& [key, each] : found) all.push_back(std::move(each));
  return all;
}

std::vector<framework_figures> figures::frameworks() {
  std::vector<framework_figures> all;
  const double span = std::chrono::duration<double>(world_.time().now()).count();
  for (auto& [name, f] : by_process_) {
    f.share.settle(world_.time().now());
    f.all.dominant_share = span > 0 ? f.share.sum / span : 0;
    all.push_back(f.all);
  }
  return all;
}

double figures::cpus_used() {
  cpus_.settle(world_.time().now());
  const double all = static_cast<double>(total_.cpus) * std::chrono::duration<double>(world_.time().now()).count();
  return all > 0 ? cpus_.sum / all : 0;
}

double figures::mem_used() {
  mem_.settle(world_.time().now());
  const double all = static_cast<double>(total_.mem) * std::chrono::duration<double>(world_.time().now()).count();
  return all > 0 ? mem_.sum / all : 0;
}

}  // namespace troupe::sim
