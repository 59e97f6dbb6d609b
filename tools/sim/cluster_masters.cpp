#include "tools/sim/connection.hpp"
#include "tools/sim/coordination.hpp"

#include "actors/elector/elector.hpp"
#include "actors/master/master.hpp"
#include "storage/keys.hpp"
#include "troupe/internal/runtime.pb.h"

#include <utility>

/// Several masters: each process has an elector, and a master while it leads. Whoever looks for the leader hears of a
/// new one after a while, and not while it is cut off from the coordination service.
namespace troupe::sim {

namespace {

constexpr std::chrono::milliseconds news_take{200};
constexpr std::chrono::seconds news_are_asked_for_again{5};
const char* const cluster_name = "cluster";

}  // namespace

void cluster::add_masters(unsigned count, const master_options& options) {
  coordination_ = std::make_unique<coordination_service>(*this, add_host("coordination"));
  for (unsigned n = 1; n <= count; ++n) {
    const auto name = "master-" + std::to_string(n);
    auto& p = add_process(name, internal::MASTER, add_host(name));
    p.at = leader();
    p.coordination = std::make_unique<coordination_client>(*this, *coordination_, p);
    p.listens = [&p] { return p.actors.count(leader()) != 0; };
    elector_options elects;
    internal::Candidate candidate;
    candidate.set_name(name);
    *candidate.mutable_address() = address(internal::MASTER, name);
    candidate.set_endpoint(name + ".example:5050");
    elects.candidate = candidate;
    const machine_checks checks{options_.doubt_every, options_.check_every};
    p.master = options;
    p.boot = [this, elects, checks](process& self) {
      add_actor(self, address(internal::ELECTOR, "local"), machine_of<elector>(elects, checks), "");
    };
  }
}

void cluster::start_leading(process& p, const internal::StartedLeading& lead) {
  if (lead.epoch() <= newest_epoch_)
    throw broken("I10", p.name + " leads with epoch " + std::to_string(lead.epoch()) + " after epoch " +
                            std::to_string(newest_epoch_));
  newest_epoch_ = lead.epoch();
  std::shared_ptr<registry_store> store =
      p.coordination->open_registry("/troupe", {lead.epoch_path(), lead.epoch_version()});
  auto found = store ? store->scan("master") : result<scan_result>(error{errc::unavailable, "no registry"});
  if (!found) return end(p, "it cannot read the registry");
  if (!found->damaged.empty()) throw broken("I13", "the registry is damaged: " + found->damaged.front().what);
  remark(p.name + " leads, epoch " + std::to_string(lead.epoch()));
  p.registry = store;
  const machine_checks checks{options_.doubt_every, options_.check_every};
  auto core = machine_of<master>(*p.master, checks);
  for (const auto& record : found->records) core->remember(record.key, record.record);
  auto& made = add_actor(p, leader(), std::move(core), "");
  made.incarnation = lead.epoch();
  made.commit = [&p, store](std::vector<edit> edits, disk::done then) {
    p.coordination->commit(*store, std::move(edits), [store, then = std::move(then)](bool durable) { then(durable); });
  };
  add_actor(p, allocator(), machine_of<allocator_core>(allocator_options(), checks), "").incarnation = lead.epoch();
  internal::Recovered recovered;
  recovered.set_id(cluster_name);
  recovered.set_incarnation(lead.epoch());
  const auto said = std::make_shared<const internal::Recovered>(recovered);
  notify(p, leader(), said);
  notify(p, allocator(), said);
  spread_news_of(p);
}

void cluster::stop_leading(process& p, const std::string& why) {
  if (p.actors.count(leader()) == 0) return;
  remark(p.name + " leads no more: " + why);
  remove_actor(p, leader());
  remove_actor(p, allocator());
  p.registry.reset();
  hang_up(p, "it leads no more");
}

void cluster::spread_news_of(process& leading) {
  for (auto& [name, p] : processes_)
    if (p->role == internal::AGENT || p->role == internal::FRAMEWORK) learn_leader(*p, leading);
}

void cluster::learn_leader(process& p, process& leading) {
  time_.after(delays_.around(news_take), [this, &p, &leading, epoch = newest_epoch_] {
    if (epoch != newest_epoch_) return;  // there are newer news
    if (is_blocked(coordination_->home(), *p.home) || is_blocked(*p.home, coordination_->home()) ||
        time_.now() < p.uninformed_until) {
      time_.after(news_are_asked_for_again, [this, &p, &leading, epoch] {
        if (epoch == newest_epoch_) learn_leader(p, leading);
      });
      return;
    }
    p.believed_leader = &leading;
    if (p.up && p.up->far.of != &leading) end_of(p.up, true, "another master leads", true);
  });
}

void cluster::mislead(process& p, process& former, duration lasts) {
  const auto believe = [this, &p](process* whom) {
    if (!whom || p.believed_leader == whom) return;
    p.believed_leader = whom;
    if (p.up && p.up->far.of != whom) end_of(p.up, true, "another master leads", true);
  };
  remark(p.name + " hears late news: that " + former.name + " leads");
  believe(&former);
  time_.after(lasts, [this, believe] { believe(leading_master()); });
}

std::function<process*(process&)> cluster::finds_leader() {
  return [this](process& p) {
    if (!coordination_) return leading_master();
    if (!p.believed_leader && newest_epoch_ != 0 && !is_blocked(coordination_->home(), *p.home))
      p.believed_leader = leading_master();
    return p.believed_leader;
  };
}

}  // namespace troupe::sim
