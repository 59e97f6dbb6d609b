#include "tools/sim/connection.hpp"

#include "actors/agent/agent.hpp"
#include "actors/master/master.hpp"
#include "frameworks/sdk/scheduler_core.hpp"
#include "protocol/resources.hpp"
#include "storage/keys.hpp"
#include "troupe/internal/runtime.pb.h"

#include <utility>

/// Processes come, go, and come again.
namespace troupe::sim {

host& cluster::add_host(const std::string& name, bool runs_containers) {
  auto& slot = hosts_[name];
  slot = std::make_unique<host>();
  auto& h = *slot;
  h.name = name;
  if (!runs_containers) return h;
  container_host::reports to;
  to.say = [this, &h](const Address& asker, std::shared_ptr<const google::protobuf::Message> body) {
    auto* agent = agent_of(h);
    if (!agent || !agent->alive) return;
    const auto life = agent->life;
    time_.after(delays_.around(std::chrono::microseconds(50)), [this, agent, life, asker, body] {
      if (agent->alive && agent->life == life) notify(*agent, asker, body);
    });
  };
  to.wall = [this, &h] { return h.wall(time_.now()); };
  to.started = [this, &h](const std::string& id, const internal::LaunchContainer& plan) {
    const auto label = container_label::of(plan);
    remark(h.name + ": the container of " + label.text() + " runs");
    for (auto* o : observers_) o->on_container_started(h, id, label);
    if (label.is_custom_executor()) start_custom_executor(h, id, plan);
  };
  to.ended = [this, &h](const std::string& id, const container_label& label, const container_end& how) {
    remark(h.name + ": the container of " + label.text() + (how.asked ? " is gone, as asked" : " is gone"));
    for (auto* o : observers_) o->on_container_ended(h, id, label, how);
    if (!label.is_custom_executor()) return;
    const auto found = processes_.find(executor_process(id));
    if (found == processes_.end()) return;
    found->second->restart_after = duration(-1);
    if (found->second->alive) end(*found->second, "its container is gone");
  };
  h.containers = std::make_unique<container_host>(time_, luck_.part("containers of " + name), std::move(to));
  return h;
}

process& cluster::add_process(const std::string& name, Role role, host& home) {
  auto& slot = processes_[name];
  if (slot) forget_address(*slot);
  slot = std::make_unique<process>();
  slot->name = name;
  slot->role = role;
  slot->home = &home;
  slot->identity = name;
  slot->store = std::make_unique<disk>(time_, luck_.part("disk of " + name));
  if (role == internal::MASTER) masters_.push_back(slot.get());
  return *slot;
}

process& cluster::add_lone_master(const master_options& options) {
  auto& p = add_process("master", internal::MASTER, add_host("master"));
  set_address(p, leader());
  p.identity = "cluster";
  const machine_checks checks{options_.doubt_every, options_.check_every};
  p.boot = [this, options, checks](process& self) {
    add_actor(self, leader(), machine_of<master>(options, checks), "master");
    add_actor(self, allocator(), machine_of<allocator_core>(allocator_options(), checks), "");
  };
  return p;
}

process& cluster::add_agent(const std::string& name, const std::string& resources) {
  auto& p = add_process(name, internal::AGENT, add_host(name, true));
  set_address(p, address(internal::AGENT, name));
  p.server = finds_leader();
  agent_options options;
  options.info.set_hostname(name + ".example");
  options.info.set_port(5051);
  p.resources = resources;
  options.work_dir = "/var/lib/troupe";
  options.executor_endpoint = "unix:/run/troupe/agent.sock";
  options.address = name + ".example:5051";
  if (!options_.keeps_completed) {
    options.completed_frameworks_max = 1;
    options.completed_executors_max = options.completed_tasks_max = 0;
  }
  const machine_checks checks{options_.doubt_every, options_.check_every};
  p.boot = [this, options, checks](process& self) {
    auto booted = options;
    booted.boot_id = self.home->boot_id();
    const auto parsed = troupe::resources::parse(self.resources);
    if (!parsed) throw std::invalid_argument("resources: " + parsed.error().message);
    *booted.info.mutable_resources() = parsed->proto();
    add_actor(self, self.at, machine_of<agent>(booted, checks), "agent");
  };
  return p;
}

process& cluster::add_framework(const std::string& name, scheduler_maker make) {
  auto& p = add_process(name, internal::FRAMEWORK, add_host(name));
  set_address(p, address(internal::FRAMEWORK, name));
  p.server = finds_leader();
  p.boot = [this, make = std::move(make)](process& self) {
    add_actor(self, self.at,
              machine_around<sdk::scheduler_core>(make(), sdk::scheduler_core_options(), {0, options_.check_every}),
              "framework");
  };
  return p;
}

void cluster::start(process& p) {
  if (p.alive || !p.home->is_up) return;
  const auto key = keys::identity(p.role == internal::MASTER ? "master" : p.name);
  internal::Identity self;
  const auto& records = p.store->records();
  if (const auto known = records.find(key); known != records.end() && !decode_record(known->second, self))
    throw broken("I12", p.name + " cannot read who it was");
  if (self.id().empty()) self.set_id(p.identity);
  self.set_incarnation(self.incarnation() + 1);
  p.store->open_anew();
  if (!p.store->commit_now({put(key, self)})) {
    // A full disk: its service manager tries again.
    if (p.restart_after.count() >= 0) time_.after(p.restart_after, [this, &p] { start(p); });
    return;
  }
  ++p.life;
  p.alive = true;
  p.paused = false;
  p.identity = self.id();
  p.incarnation = self.incarnation();
  p.dial_failures = 0;
  remark(p.name + " starts, incarnation " + std::to_string(p.incarnation));
  if (p.coordination) p.coordination->start();
  p.boot(p);
  for (auto* o : observers_) o->on_process_started(p);
  internal::Recovered recovered;
  recovered.set_id(p.identity);
  recovered.set_incarnation(p.incarnation);
  const auto said = std::make_shared<const internal::Recovered>(recovered);
  // The main core first: what the others say to it must find it recovered.
  notify(p, p.at, said);
  for (const auto& [at, a] : p.actors)
    if (!same(a->at, p.at)) notify(p, a->at, said);
  dial(p, duration(0));
}

void cluster::end(process& p, const std::string& why) {
  if (!p.alive) return;
  remark(p.name + " ends: " + why);
  p.alive = false;
  p.paused = false;
  for (auto& [key, a] : p.actors) a->gone = true;
  p.main = nullptr;
  p.actors.clear();
  p.registry.reset();
  p.store->crash();
  forget_unsure(p);
  for (auto* o : observers_) o->on_process_ended(p, why);
  if (p.home->containers && p.role == internal::AGENT) p.home->containers->forget_askers();
  if (const auto c = p.up) end_of(c, true, "closed", true);
  hang_up(p, "closed");
  if (p.restart_after.count() >= 0)
    time_.after(p.restart_after, [this, &p, life = p.life] {
      if (!p.alive && p.life == life) start(p);
    });
}

void cluster::pause(process& p) {
  if (!p.alive || p.paused) return;
  remark(p.name + " stands still");
  p.paused = true;
  // Its peers hear nothing from it.
  std::vector<std::shared_ptr<connection>> links;
  if (p.up) links.push_back(p.up);
  for (const auto& [name, c] : p.down) links.push_back(c);
  for (const auto& c : links)
    time_.after(network.silence, [this, c, &p, life = p.life] {
      if (p.alive && p.life == life && p.paused) end_of(c, c->near.of != &p, "silence", true);
    });
}

void cluster::resume(process& p) {
  if (!p.alive || !p.paused) return;
  remark(p.name + " goes on");
  p.paused = false;
  for (auto& [key, a] : p.actors) plan_step(*a);
}

void cluster::reboot(host& h, duration down_for) {
  if (!h.is_up) return;
  remark(h.name + " goes down");
  h.is_up = false;
  if (h.containers) h.containers->forget_all();
  for (auto& [name, p] : processes_)
    if (p->home == &h && p->alive) end(*p, "its machine goes down");
  time_.after(down_for, [this, &h] {
    h.is_up = true;
    ++h.boots;
    for (auto& [name, p] : processes_)
      if (p->home == &h && p->container.empty() && !p->is_over()) start(*p);
  });
}

void cluster::inherit(process& heir, const process& from) {
  std::vector<edit> all;
  for (const auto& [key, record] : from.store->records())
    if (keys::under(key, "framework")) all.push_back({key, record});
  heir.store->commit_now(all);
}

}  // namespace troupe::sim
