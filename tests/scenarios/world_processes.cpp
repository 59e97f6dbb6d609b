#include "actors/agent/agent.hpp"
#include "actors/executor/executor.hpp"
#include "actors/master/master.hpp"
#include "frameworks/sdk/executor_core.hpp"
#include "frameworks/sdk/scheduler_core.hpp"
#include "protocol/resources.hpp"
#include "storage/keys.hpp"
#include "tests/scenarios/scripted.hpp"
#include "tests/scenarios/world.hpp"

#include <utility>

/// Processes come and go, and the services within one: containerizer, supervisor, links.
namespace troupe::testing {

using sim::machine_around;
using sim::machine_checks;
using sim::machine_of;

/// Raises the incarnation too, durably.
bool world::open_store(const std::string& name, process& p) {
  if (const auto opener = openers_.find(name); opener != openers_.end()) p.store = opener->second();
  if (!p.store) return false;
  internal::Identity self;
  for (const auto& found : records(p, keys::identity(name)).records)
    if (!decode_record(found.record, self)) throw world_error(name + " cannot read who it was");
  if (self.incarnation() < p.incarnation) throw world_error(name + " has forgotten that it had started");
  self.set_id(p.identity);
  self.set_incarnation(self.incarnation() + 1);
  if (!commit(name, {put(keys::identity(name), self)})) return false;
  p.incarnation = self.incarnation();
  return true;
}

bool world::commit(const std::string& name, const std::vector<edit>& edits) {
  const auto done = find(name).store->commit({std::make_shared<const std::vector<edit>>(edits)});
  if (!done) remark(name + " cannot commit: " + done.error().message);
  return bool(done);
}

scan_result world::records(const process& home, std::string_view prefix) const {
  auto found = home.store->scan(prefix);
  if (!found) throw world_error("a store cannot be read: " + found.error().message);
  if (!found->damaged.empty()) throw world_error("a store is damaged: " + found->damaged[0].what);
  return std::move(*found);
}

void world::add_actor(process& home, const Address& at, std::unique_ptr<machine> core, const std::string& prefix) {
  if (!prefix.empty())
    for (const auto& found : records(home, prefix).records) core->remember(found.key, found.record);
  home.actors[at].core = std::move(core);
}

void world::add_master(const master_options& options) {
  auto& p = processes_["master"];
  p.at = leader();
  p.identity = "cluster-1";
  p.boot = [this, options](process& self) {
    add_actor(self, leader(), machine_of<master>(options, machine_checks{doubts_ ? 1u : 0u, 1}), "master");
    add_actor(self, allocator(), machine_of<allocator_core>(allocator_options(), machine_checks{doubts_ ? 1u : 0u, 1}),
              "");
  };
}

void world::add_agent(const std::string& name, const std::string& resources) {
  auto& p = processes_[name];
  p.at = address(internal::AGENT, name);
  p.server = "master";
  p.identity = name;
  p.boot_id = "boot-1";
  agent_options options;
  options.info.set_hostname(name + ".example");
  options.info.set_port(5051);
  options.work_dir = "/var/lib/troupe";
  options.executor_endpoint = "unix:/run/troupe/agent.sock";
  options.address = name + ".example:5051";
  p.boot = [this, options](process& self) {
    auto booted = options;
    booted.boot_id = self.boot_id;
    *booted.info.mutable_resources() = self.resources;
    add_actor(self, self.at, machine_of<agent>(booted, machine_checks{doubts_ ? 1u : 0u, 1}), "agent");
  };
  set_resources(name, resources);
}

void world::set_resources(const std::string& agent, const std::string& resources) {
  const auto parsed = troupe::resources::parse(resources);
  if (!parsed) throw std::invalid_argument("resources: " + parsed.error().message);
  find(agent).resources = parsed->proto();
}

void world::add_framework(const std::string& name, v1::FrameworkInfo info, const std::string& as) {
  auto& p = processes_[name];
  p.at = address(internal::FRAMEWORK, name);
  p.server = "master";
  p.identity = name;
  if (!as.empty()) {
    std::vector<edit> copied;
    for (auto& found : records(find(as), "").records) copied.push_back({found.key, found.record});
    (void)p.store->commit({std::make_shared<const std::vector<edit>>(std::move(copied))});
  }
  auto logic = std::make_shared<scripted_scheduler>(std::move(info));
  p.boot = [this, logic](process& self) {
    add_actor(self, self.at, machine_around<sdk::scheduler_core>(logic, sdk::scheduler_core_options()), "framework");
  };
}

void world::add_framework(const std::string& name, std::function<std::unique_ptr<machine>()> make) {
  auto& p = processes_[name];
  p.at = address(internal::FRAMEWORK, name);
  p.server = "master";
  p.identity = name;
  p.boot = [this, make = std::move(make)](process& self) { add_actor(self, self.at, make(), "framework"); };
}

void world::add_operator(const std::string& name) {
  auto& p = processes_[name];
  p.at = address(internal::OPERATOR, name);
  p.server = "master";
  p.boot = [](process&) {};
}

void world::start(const std::string& name) {
  auto& p = find(name);
  if (p.alive) throw std::invalid_argument(name + " is running already");
  if (!open_store(name, p)) {
    remark(name + " cannot start: its store fails");
    if (openers_.count(name) != 0) p.store = nullptr;
    return;
  }
  p.alive = true;
  remark(name + " starts, incarnation " + std::to_string(p.incarnation));
  p.boot(p);
  internal::Recovered recovered;
  recovered.set_id(p.identity);
  recovered.set_incarnation(p.incarnation);
  // The main core first: what the others say to it must find it recovered.
  notify(name, recovered);
  for (const auto& [at, self] : p.actors)
    if (!same(at, p.at))
      near(name, address(internal::RUNTIME, "local"), at, std::make_shared<internal::Recovered>(recovered));
  connect(name);
  for (const auto& client : clients_of(name)) connect(client);
}

void world::crash(const std::string& name) {
  auto& p = find(name);
  if (!p.alive) throw std::invalid_argument(name + " is not running");
  remark(name + " ends");
  p.alive = false;
  p.actors.clear();
  if (openers_.count(name) != 0) p.store = nullptr;
  p.held.forget_askers();
  for (auto& said : queue_)
    if (last_words_ && said.far && said.far->from == name) said.far->last_word = true;
  disconnect(name, "closed");
  for (const auto& client : clients_of(name)) disconnect(client, "closed");
}

void world::reboot(const std::string& agent) {
  auto& p = find(agent);
  if (p.alive) crash(agent);
  for (const auto& label : p.held.labels())
    for (auto& happened : p.held.end(label, 9)) on_container_event(agent, std::move(happened));
  p.held.forget_all();
  p.boot_id += "+1";
  start(agent);
}

void world::wipe(const std::string& name) {
  auto& p = find(name);
  if (p.alive) throw std::invalid_argument(name + " must not be running when its store is emptied");
  p.store = std::make_shared<memory_store>();
  p.incarnation = 0;
  p.identity += "+1";
}

void world::lose(const std::string& agent, const std::string& label) {
  if (!find(agent).held.lose(label)) throw std::invalid_argument(agent + " runs no " + label);
}

std::vector<std::string> world::clients_of(const std::string& name) const {
  std::vector<std::string> clients;
  for (const auto& [other, p] : processes_)
    if (p.server == name) clients.push_back(other);
  return clients;
}

// --- links -----------------------------------------------------------------------------------------------------------

void world::connect(const std::string& name) {
  auto& p = find(name);
  if (p.server.empty() || p.link != 0 || cut_.count(name) != 0 || !p.alive || !has(p.server) || !alive(p.server))
    return;
  p.link = ++links_made_;
  remark(name + " and " + p.server + " are linked");
  internal::PeerConnected here;
  *here.mutable_peer() = find(p.server).at;
  notify(name, here);
  *here.mutable_peer() = p.at;
  notify(p.server, here);
}

void world::disconnect(const std::string& name, const std::string& reason) {
  auto& p = find(name);
  if (p.link == 0) return;
  net_.forget(p.link);
  p.link = 0;
  remark(name + " and " + p.server + " are no longer linked");
  internal::PeerDisconnected gone;
  gone.set_reason(reason);
  *gone.mutable_peer() = find(p.server).at;
  notify(name, gone);
  *gone.mutable_peer() = p.at;
  notify(p.server, gone);
}

void world::cut(const std::string& name) {
  cut_.insert(name);
  if (has(name)) disconnect(name, "cut");
}

void world::heal(const std::string& name) {
  if (cut_.erase(name) == 0) throw std::invalid_argument("the link of " + name + " is not cut");
  if (has(name)) connect(name);
}

// --- services within a process ---------------------------------------------------------------------------------------

bool world::serve_locally(const std::string& where, const Envelope& head, const google::protobuf::Message& body) {
  const auto role = head.to().role();
  if (role != internal::RUNTIME && role != internal::CONTAINERIZER && role != internal::SUPERVISOR) return false;
  auto& home = find(where);
  remark(where + ": " + std::string(role_name(head.from().role())) + " -> " + std::string(role_name(role)) + "  " +
         std::string(body.GetDescriptor()->name()));
  std::vector<containers::event> events;
  if (const auto* told = dynamic_cast<const internal::ProgramEvent*>(&body)) on_runtime_told(where, *told);
  if (const auto* spawn = dynamic_cast<const internal::SpawnExecutor*>(&body)) spawn_executor(where, *spawn);
  if (const auto* retire = dynamic_cast<const internal::RetireExecutor*>(&body)) home.actors.erase(retire->executor());
  if (const auto* plan = dynamic_cast<const internal::LaunchContainer*>(&body)) {
    events = home.held.launch(head.from(), *plan);
    if (home.held.most_starts() > 1) throw std::logic_error(where + " ran a command twice");
    const auto label = containers::label_of(*plan);
    const bool starts = home.held.runs(label) && !(has(label) && alive(label));
    if (containers::is_custom_executor(*plan) && starts) start_custom_executor(where, *plan);
  }
  if (const auto* asked = dynamic_cast<const internal::SignalContainer*>(&body))
    events = home.held.signal(head.from(), *asked, [this](const std::string& l) { return stubborn_.count(l) != 0; });
  if (const auto* asked = dynamic_cast<const internal::DestroyContainer*>(&body))
    events = home.held.destroy(head.from(), *asked);
  if (const auto* told = dynamic_cast<const internal::ReleaseContainer*>(&body)) home.held.release(*told);
  if (const auto* told = dynamic_cast<const internal::KeepContainers*>(&body)) events = home.held.keep(*told);
  for (auto& happened : events) on_container_event(where, std::move(happened));
  return true;
}

void world::on_runtime_told(const std::string& where, const internal::ProgramEvent& event) {
  if (event.name() == "left" || event.name() == "misconfigured") return crash(where);
  if (event.name() != "exit") return;
  const auto& p = find(where);
  if (p.at.role() == internal::EXECUTOR)
    end_container(where, std::stoi(event.data()) << 8);
  else
    crash(where);
}

void world::on_container_event(const std::string& agent, containers::event happened) {
  const auto executor = processes_.find(happened.ended);
  if (!happened.ended.empty()) remark(agent + ": the container of " + happened.ended + " is gone");
  if (executor != processes_.end() && executor->second.server == agent && executor->second.alive) crash(happened.ended);
  if (!find(agent).alive || happened.to.role() == internal::NOBODY) return;
  near(agent, address(internal::CONTAINERIZER, "local"), happened.to, happened.body);
}

void world::end_container(const std::string& label, int status) {
  for (auto& [name, p] : processes_) {
    auto events = p.held.end(label, status);
    if (events.empty()) continue;
    for (auto& happened : events) on_container_event(name, std::move(happened));
    return;
  }
  throw std::invalid_argument("no container runs " + label);
}

void world::spawn_executor(const std::string& agent, const internal::SpawnExecutor& spawn) {
  auto& home = find(agent);
  if (home.actors.count(spawn.executor()) != 0) return;
  executor_options options;
  options.agent = home.at;
  options.spawn = spawn;
  add_actor(home, spawn.executor(), machine_of<executor>(options, machine_checks{doubts_ ? 1u : 0u, 1}), "");
  near(agent, address(internal::RUNTIME, "local"), spawn.executor(), std::make_shared<internal::Recovered>());
}

void world::start_custom_executor(const std::string& agent, const internal::LaunchContainer& plan) {
  const auto name = containers::label_of(plan);
  if (has(name) && alive(name)) throw std::invalid_argument("two executors are named " + name);
  sdk::executor_core_options options;
  options.executor_id.set_value(name);
  for (const auto& v : plan.environment().variables())
    if (v.name() == "TROUPE_FRAMEWORK_ID") options.framework_id.set_value(v.value());
  auto& p = processes_[name];
  p.at = address(internal::EXECUTOR, plan.container_id().value());
  p.server = agent;
  p.identity = name;
  auto logic = std::make_shared<scripted_executor>();
  p.boot = [this, logic, options](process& self) {
    add_actor(self, self.at, machine_around<sdk::executor_core>(logic, options), "");
  };
  start(name);
}

// --- what can be seen ------------------------------------------------------------------------------------------------

std::shared_ptr<const google::protobuf::Message> world::look(const std::string& name) const {
  const auto& p = find(name == "allocator" ? "master" : name);
  if (!p.alive) throw std::invalid_argument(name + " is not running");
  return p.actors.at(name == "allocator" ? allocator() : p.at).core->look();
}

bool world::runs(const std::string& agent, const std::string& label) const {
  return find(agent).held.runs(label);
}

}  // namespace troupe::testing
