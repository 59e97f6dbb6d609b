#include "tools/sim/connection.hpp"

#include "actors/executor/executor.hpp"
#include "frameworks/sdk/executor_core.hpp"
#include "tools/sim/coordination.hpp"
#include "troupe/internal/runtime.pb.h"

#include <cstdlib>
#include <utility>

/// What a process asks of those beside its cores: containerizer, supervisor, runtime.
namespace troupe::sim {

namespace {

constexpr std::chrono::milliseconds executors_redial_max{500};
constexpr std::chrono::milliseconds service_delay{1};

}  // namespace

process* cluster::agent_of(const host& h) {
  const auto found = processes_.find(h.name);
  return found == processes_.end() ? nullptr : found->second.get();
}

/// False: it is not for a service.
bool cluster::serve(actor& from, const Address& to, const std::shared_ptr<const google::protobuf::Message>& body) {
  if (to.role() != internal::RUNTIME && to.role() != internal::CONTAINERIZER && to.role() != internal::SUPERVISOR &&
      to.role() != internal::COORDINATOR)
    return false;
  auto& p = *from.home;
  if (to.role() == internal::COORDINATOR) {
    if (p.coordination) p.coordination->ask(body);
    return true;
  }
  if (const auto* lead = dynamic_cast<const internal::StartedLeading*>(body.get())) {
    time_.after(duration(0), [this, &p, lead = *lead, life = p.life] {
      if (p.alive && p.life == life) start_leading(p, lead);
    });
    return true;
  }
  if (const auto* stopped = dynamic_cast<const internal::StoppedLeading*>(body.get())) {
    time_.after(duration(0), [this, &p, why = stopped->reason(), life = p.life] {
      if (p.alive && p.life == life) stop_leading(p, internal::StoppedLeading::Reason_Name(why));
    });
    return true;
  }
  if (const auto* told = dynamic_cast<const internal::ProgramEvent*>(body.get())) {
    on_runtime_told(p, *told);
    return true;
  }
  // In order, and not within the step that asked.
  time_.after(service_delay, [this, &p, body, asker = from.at, life = p.life] {
    if (!p.alive || p.life != life) return;
    if (const auto* spawn = dynamic_cast<const internal::SpawnExecutor*>(body.get())) spawn_executor(p, *spawn);
    if (const auto* retire = dynamic_cast<const internal::RetireExecutor*>(body.get()))
      remove_actor(p, retire->executor());
    auto* containers = p.home->containers.get();
    if (!containers) return;
    if (const auto* plan = dynamic_cast<const internal::LaunchContainer*>(body.get())) containers->launch(asker, *plan);
    if (const auto* asked = dynamic_cast<const internal::SignalContainer*>(body.get()))
      containers->signal(asker, *asked);
    if (const auto* asked = dynamic_cast<const internal::DestroyContainer*>(body.get()))
      containers->destroy(asker, *asked);
    if (const auto* told = dynamic_cast<const internal::ReleaseContainer*>(body.get())) containers->release(*told);
    if (const auto* told = dynamic_cast<const internal::KeepContainers*>(body.get())) containers->keep(*told);
  });
  return true;
}

void cluster::on_runtime_told(process& p, const internal::ProgramEvent& event) {
  if (event.name() != "exit" && event.name() != "left" && event.name() != "misconfigured") return;
  p.restart_after = duration(-1);
  time_.after(duration(0), [this, &p, life = p.life, name = event.name(), data = event.data()] {
    if (!p.alive || p.life != life) return;
    if (p.container.empty()) return end(p, name + " " + data);
    p.home->containers->end(p.container, (std::atoi(data.c_str()) & 0xff) << 8);
  });
}

void cluster::spawn_executor(process& agent, const internal::SpawnExecutor& spawn) {
  if (agent.actors.count(spawn.executor()) != 0) return;
  executor_options options;
  options.agent = agent.at;
  options.spawn = spawn;
  add_actor(agent, spawn.executor(),
            machine_of<executor>(options, machine_checks{options_.doubt_every, options_.check_every}), "");
  notify(agent, spawn.executor(), std::make_shared<internal::Recovered>());
}

void cluster::add_executor_kind(const std::string& executor,
                                std::function<std::shared_ptr<sdk::executor>(process&)> make) {
  executor_kinds_[executor] = std::move(make);
}

void cluster::start_custom_executor(host& h, const std::string& id, const internal::LaunchContainer& plan) {
  const auto label = container_label::of(plan);
  auto kind = executor_kinds_.find(label.executor);
  if (kind == executor_kinds_.end()) kind = executor_kinds_.find("");
  if (kind == executor_kinds_.end())
    throw std::invalid_argument("there are no executors of the kind " + label.executor);
  auto& p = add_process(executor_process(id), internal::EXECUTOR, h);
  set_address(p, address(internal::EXECUTOR, id));
  p.container = id;
  p.redial_max = executors_redial_max;
  p.server = [this, &h](process&) { return agent_of(h); };
  sdk::executor_core_options options;
  options.framework_id.set_value(label.framework);
  options.executor_id.set_value(label.executor);
  p.boot = [this, options, make = kind->second](process& self) {
    add_actor(self, self.at, machine_around<sdk::executor_core>(make(self), options, {0, options_.check_every}),
              "executor");
  };
  start(p);
}

}  // namespace troupe::sim
