#include "tests/unit/allocator/allocator_world.hpp"
#include "tests/unit/seeds.hpp"

#include <algorithm>
#include <functional>
#include <map>

namespace troupe {
namespace {

using std::chrono::milliseconds;
using capability = v1::FrameworkInfo::Capability;

/// A master of sorts that does anything at any time, and knows what it was given.
class random_master {
 public:
  explicit random_master(std::uint64_t seed) : world_({}, seed), random_(seed * 2 + 1) {}

  void act() {
    static const std::vector<void (random_master::*)()> acts{&random_master::add_agent,
                                                             &random_master::add_framework,
                                                             &random_master::settle,
                                                             &random_master::settle,
                                                             &random_master::settle,
                                                             &random_master::settle,
                                                             &random_master::release,
                                                             &random_master::release,
                                                             &random_master::charge,
                                                             &random_master::toggle_agent,
                                                             &random_master::toggle_framework,
                                                             &random_master::suppress,
                                                             &random_master::revive,
                                                             &random_master::weigh,
                                                             &random_master::remove_agent,
                                                             &random_master::remove_framework,
                                                             &random_master::talk_nonsense,
                                                             &random_master::wait,
                                                             &random_master::wait};
    (this->*acts[random_.below(acts.size())])();
    require_conservation();
  }

  /// Gives everything back; what is free then is all there is.
  void give_everything_back() {
    for (const std::string& id : frameworks_) {
      for (offered& o : world_.suppress(id)) offers_.push_back(std::move(o));
    }
    while (!offers_.empty()) settle_with(offers_.size() - 1, false);
    while (!tasks_.empty()) release_task(tasks_.size() - 1);
    for (const auto& [id, total] : agents_) {
      REQUIRE(world_.free_on(id) == bare(total));
      REQUIRE(world_.used_on(id).empty());
      REQUIRE(world_.offered_on(id).empty());
    }
  }

  const std::string& transcript() const { return world_.transcript; }
  int offers_seen() const { return offers_seen_; }

 private:
  struct task {
    std::string framework;
    std::string agent;
    resources used;
  };

  std::string any(const char* prefix, std::uint64_t of) { return prefix + std::to_string(random_.below(of)); }
  std::string any_role() {
    static const char* const roles[]{"*", "eng", "eng/web", "ops"};
    return roles[random_.below(4)];
  }
  void take(std::vector<offered> given) {
    for (offered& o : given) {
      ++offers_seen_;
      REQUIRE(agents_.count(o.agent) == 1);
      REQUIRE(std::count(frameworks_.begin(), frameworks_.end(), o.framework) == 1);
      offers_.push_back(std::move(o));
    }
  }

  void add_agent() {
    const std::string id = any("agent-", 5);
    const char* const totals[]{"cpus:4;mem:1024;ports:[1-100]", "cpus:8;mem:512;cpus(eng):2;gpus:1",
                               "cpus:2;mem:64;disk:100;mem(eng/web):100;cpus(ops):1"};
    // The total of an agent that is there does not change, so that everything can be given back exactly.
    const auto known = agents_.find(id);
    const std::string total = known == agents_.end() ? totals[random_.below(3)] : known->second;
    agents_[id] = total;
    take(world_.add_agent(id, total));
  }
  void remove_agent() {
    if (random_.below(4) != 0) return;
    const std::string id = any("agent-", 5);
    agents_.erase(id);
    forget([&](const auto& x) { return x.agent == id; });
    take(world_.remove_agent(id));
  }
  void toggle_agent() {
    const bool active = random_.below(3) != 0;
    take(world_.set_agent_active(any("agent-", 5), active));
  }
  void add_framework() {
    const std::string id = any("framework-", 5);
    std::vector<capability::Type> able;
    for (const auto c : {capability::GPU_RESOURCES, capability::REVOCABLE_RESOURCES, capability::SHARED_RESOURCES}) {
      if (random_.below(2) == 0) able.push_back(c);
    }
    std::set<std::string> roles{any_role(), any_role()};
    frameworks_.insert(id);
    take(world_.add_framework(id, {roles.begin(), roles.end()}, able));
  }
  void remove_framework() {
    if (random_.below(4) != 0) return;
    const std::string id = any("framework-", 5);
    frameworks_.erase(id);
    forget([&](const auto& x) { return x.framework == id; });
    take(world_.remove_framework(id));
  }
  void toggle_framework() {
    const bool active = random_.below(3) != 0;
    take(world_.set_framework_active(any("framework-", 5), active));
  }
  void suppress() { take(world_.suppress(any("framework-", 5), {any_role()})); }
  void revive() { take(world_.revive(any("framework-", 5))); }
  void weigh() { take(world_.set_weight(any_role(), static_cast<double>(random_.below(5)) / 2)); }
  void wait() { take(world_.pass(milliseconds(random_.below(4000)))); }
  void settle() {
    if (!offers_.empty()) settle_with(random_.below(offers_.size()), random_.below(2) == 0);
  }
  void release() {
    if (!tasks_.empty()) release_task(random_.below(tasks_.size()));
  }

  void settle_with(std::size_t index, bool accept) {
    const offered offer = offers_[index];
    offers_.erase(offers_.begin() + static_cast<std::ptrdiff_t>(index));
    const auto part = offer.content.find_scalars({{"cpus", 500}, {"mem", 16000}});
    resources used;
    if (accept) used = part && random_.below(2) == 0 ? *part : offer.content;
    if (!used.empty()) tasks_.push_back({offer.framework, offer.agent, used});
    v1::Filters filters;
    const double seconds[]{0, 0.5, 5, 1000, -1};
    filters.set_refuse_seconds(seconds[random_.below(5)]);
    take(world_.settle(offer, used, offer.content - used, random_.below(3) == 0 ? nullptr : &filters));
  }
  void release_task(std::size_t index) {
    const task ended = tasks_[index];
    tasks_.erase(tasks_.begin() + static_cast<std::ptrdiff_t>(index));
    take(world_.release(ended.framework, ended.agent, ended.used));
  }
  void charge() {
    if (agents_.empty() || random_.below(3) != 0) return;
    auto agent = agents_.begin();
    std::advance(agent, random_.below(agents_.size()));
    // Of a framework that may not have returned itself yet; it is one of those that can be removed.
    const task learnt{any("framework-", 5), agent->first, tagged("cpus:1;mem:100", any_role())};
    tasks_.push_back(learnt);
    take(world_.charge(learnt.framework, learnt.agent, learnt.used));
  }
  void talk_nonsense() {
    const std::string id = any("agent-", 7);
    take(world_.settle({"framework-9", "eng", id, {}}, tagged("cpus:1", "eng"), tagged("mem:5", "eng")));
    take(world_.release(any("framework-", 7), id, tagged("disk:7", "nobody")));
    take(world_.tell(internal::PeerConnected()));
  }

  template <class Which>
  void forget(Which which) {
    offers_.erase(std::remove_if(offers_.begin(), offers_.end(), which), offers_.end());
    tasks_.erase(std::remove_if(tasks_.begin(), tasks_.end(), which), tasks_.end());
  }

  /// What the allocator says is offered and used is what this master was given and has not given back.
  void require_conservation() {
    std::map<std::string, resources> offered_on;
    std::map<std::string, resources> used_on;
    for (const offered& o : offers_) offered_on[o.agent] += o.content.unallocated();
    for (const task& t : tasks_) used_on[t.agent] += t.used.unallocated();
    for (const auto& [id, total] : agents_) {
      REQUIRE(world_.offered_on(id) == offered_on[id]);
      REQUIRE(world_.used_on(id) == used_on[id]);
    }
  }

  allocator_world world_;
  random_stream random_;
  std::map<std::string, std::string> agents_;
  std::set<std::string> frameworks_;
  std::vector<offered> offers_;
  std::vector<task> tasks_;
  int offers_seen_ = 0;
};

struct outcome {
  std::string transcript;
  int offers_seen;
};

outcome run(std::uint64_t seed, int acts) {
  INFO("seed " << seed);
  random_master master(seed);
  for (int i = 0; i < acts; ++i) master.act();
  master.give_everything_back();
  return {master.transcript(), master.offers_seen()};
}

}  // namespace

TEST_CASE("whatever happens, resources are neither lost nor made, and a loaded allocator goes on as the saved one") {
  const auto seeds = static_cast<int>(test::seeds(20));
  constexpr int acts = 300;
  int offers_seen = 0;
  for (int seed = 1; seed <= seeds; ++seed) offers_seen += run(static_cast<std::uint64_t>(seed), acts).offers_seen;
  REQUIRE(offers_seen > seeds * acts / 20);  // else nothing was tested
}

TEST_CASE("the same events and contexts give the same outboxes, byte for byte") {
  CHECK(run(4711, 300).transcript == run(4711, 300).transcript);
  CHECK(run(4711, 300).transcript != run(4712, 300).transcript);
}

TEST_CASE("agents are visited in an order that follows the seed of the step") {
  // Two roles take turns, so who gets which agent shows the order.
  const auto agents_of_eng = [](std::uint64_t seed) {
    allocator_world world({}, seed);
    world.add_framework("f", {"eng", "ops"}, {}, {"eng", "ops"});
    for (int i = 0; i < 8; ++i) world.add_agent("agent-" + std::to_string(i), "cpus:1");
    std::string agents;
    for (const offered& o : world.revive("f")) agents += o.role == "eng" ? o.agent + " " : "";
    return agents;
  };
  std::set<std::string> orders;
  for (std::uint64_t seed = 1; seed <= 10; ++seed) orders.insert(agents_of_eng(seed));
  CHECK(orders.size() > 1);
  CHECK(agents_of_eng(1) == agents_of_eng(1));
}

}  // namespace troupe
