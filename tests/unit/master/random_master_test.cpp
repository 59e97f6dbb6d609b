#include "tests/unit/master/master_driver.hpp"
#include "tests/unit/seeds.hpp"

#include <catch2/catch.hpp>

#include <set>
#include <sstream>

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

/// Agents, frameworks, an allocator and operators that say whatever the seed tells them, in any order, late and twice.
/// The driver checks every step: invariants, and that load(save(master)) decides the same.
class random_cluster {
 public:
  explicit random_cluster(std::uint64_t seed) : dice_(seed), m_(options()) {}

  std::string run(int steps) {
    for (int i = 0; i < steps; ++i) {
      act();
      for (const auto& letter : m_.last().letters) {
        history_ << to_string(letter.to) << ' ' << letter.body->ShortDebugString() << '\n';
        note(letter);
      }
      for (const auto& line : m_.last().log) history_ << line << '\n';
    }
    return history_.str();
  }

 private:
  static master_options options() {
    master_options options;
    options.offer_timeout = 40s;
    options.completed_tasks_max = 3;
    options.unreachable_tasks_max = 2;
    options.completed_frameworks_max = 2;
    return options;
  }

  std::string pick(const std::vector<std::string>& names) { return names[dice_.below(names.size())]; }
  std::string some_task() { return "t" + std::to_string(dice_.below(6)); }
  std::string some_uuid() { return "u" + std::to_string(dice_.below(4)); }
  agent_id some_agent() { return agents_.empty() ? agent_id("none") : agents_[dice_.below(agents_.size())]; }
  framework_id some_framework() {
    return frameworks_.empty() ? framework_id("none") : frameworks_[dice_.below(frameworks_.size())];
  }
  std::string some_resources() { return pick({"cpus:1", "cpus:0.5;mem:64", "cpus:2;mem:128", "mem:64;ports:[5-6]"}); }

  /// Remembers ids and offers, to use them again when they are long over.
  void note(const letter& said) {
    if (said.verb == verb_number<internal::AgentRegistered>::value)
      agents_.emplace_back(static_cast<const internal::AgentRegistered&>(*said.body).agent_id());
    if (said.verb == verb_number<scheduler::Event::Subscribed>::value)
      frameworks_.emplace_back(static_cast<const scheduler::Event::Subscribed&>(*said.body).framework_id());
    if (said.verb == verb_number<scheduler::Event::Offers>::value)
      for (const auto& open : static_cast<const scheduler::Event::Offers&>(*said.body).offers())
        offers_.push_back(open);
  }

  void act() {
    const auto agent = pick({"a", "b", "c"});
    const auto scheduler_name = pick({"f", "g"});
    switch (dice_.below(22)) {
      case 0:
        return register_agent(agent);
      case 1:
        return reregister(agent);
      case 2:
        return subscribe(scheduler_name);
      case 3:
        return m_.lose_link(dice_.below(2) == 0 ? agent_at(agent) : framework_at(scheduler_name));
      case 4:
        return m_.pass(std::chrono::seconds(dice_.below(100)));
      case 5:
        return m_.pass(std::chrono::seconds(dice_.below(10)));
      case 6:
        return pong(agent);
      case 7:
      case 8:
      case 9:
        return m_.hear(allocator(), offered(some_framework(), some_agent(), some_resources()));
      case 10:
      case 11:
      case 12:
        return accept(scheduler_name);
      case 13:
        return decline(scheduler_name);
      case 14:
      case 15:
      case 16:
        return report(agent);
      case 17:
        return m_.acknowledge(scheduler_name, some_agent(), some_task(), some_uuid());
      case 18:
        return kill(scheduler_name);
      case 19:
        return rare(agent, scheduler_name);
      case 20:
        return exit_executor(agent);
      default:
        return m_.hear(framework_at(scheduler_name), scheduler::Call::Reconcile());
    }
  }

  void rare(const std::string& agent, const std::string& scheduler_name) {
    switch (dice_.below(6)) {
      case 0:
        return m_.restart();
      case 1:
        return m_.hear(framework_at(scheduler_name), internal::TeardownFramework());
      case 2:
        return m_.hear(allocator(), internal::AllocatorStarted());
      case 3:
        return m_.pass(11min);
      case 4: {
        internal::UnregisterAgent leave;
        *leave.mutable_agent_id() = some_agent().proto();
        return m_.hear(agent_at(agent), leave);
      }
      default:
        return m_.restart_after(20min);
    }
  }

  void register_agent(const std::string& name) {
    internal::RegisterAgent call;
    *call.mutable_info() = agent_info(name, "cpus:4;mem:512;ports:[1-10]");
    m_.hear(agent_at(name), call);
  }

  void reregister(const std::string& name) {
    auto call = reregistration(some_agent(), name,
                               dice_.below(4) == 0 ? "cpus:3;mem:512;ports:[1-10]" : "cpus:4;mem:512;ports:[1-10]");
    for (std::uint64_t i = dice_.below(3); i > 0; --i) {
      const auto f = some_framework();
      *call.add_frameworks() = framework_info("f", 100);
      *call.mutable_frameworks(call.frameworks_size() - 1)->mutable_id() = f.proto();
      const auto state = dice_.below(2) == 0 ? v1::TASK_RUNNING : v1::TASK_FINISHED;
      *call.add_tasks() = listed(f, some_task(), state, some_resources());
      if (dice_.below(2) == 0) {
        *call.add_executors() = executor_task("t", agent_id("x"), "cpus:1", "e", "cpus:0.1").executor();
        *call.mutable_executors(call.executors_size() - 1)->mutable_framework_id() = f.proto();
      }
    }
    m_.hear(agent_at(name), call);
  }

  void subscribe(const std::string& name) {
    scheduler::Call::Subscribe call;
    *call.mutable_framework_info() = framework_info(name, dice_.below(3) == 0 ? 0 : 100, dice_.below(2) == 0);
    if (dice_.below(2) == 0) *call.mutable_framework_info()->mutable_id() = some_framework().proto();
    m_.hear(framework_at(name), call);
  }

  void pong(const std::string& name) {
    internal::Pong call;
    *call.mutable_agent_id() = some_agent().proto();
    m_.hear(agent_at(name), call);
  }

  void accept(const std::string& name) {
    std::vector<v1::Offer> chosen;
    for (std::uint64_t i = dice_.below(3); i > 0 && !offers_.empty(); --i)
      chosen.push_back(offers_[offers_.size() - 1 - dice_.below(std::min<std::size_t>(offers_.size(), 3))]);
    const auto on = chosen.empty() ? some_agent() : agent_id(chosen.front().agent_id());
    auto task = command_task(some_task(), on, some_resources());
    if (dice_.below(2) == 0) task = executor_task(some_task(), on, "cpus:0.5", "e", "cpus:0.1");
    m_.hear(framework_at(name), accepting(chosen, {launching({task})}));
  }

  void decline(const std::string& name) {
    scheduler::Call::Decline call;
    if (!offers_.empty()) *call.add_offer_ids() = offers_[dice_.below(offers_.size())].id();
    m_.hear(framework_at(name), call);
  }

  void report(const std::string& name) {
    const v1::TaskState states[] = {v1::TASK_STARTING, v1::TASK_RUNNING, v1::TASK_FINISHED, v1::TASK_DROPPED};
    m_.report(name, some_agent(), some_framework(), some_task(), states[dice_.below(4)], some_uuid());
  }

  void kill(const std::string& name) {
    if (dice_.below(2) == 0) {
      internal::KillTaskByOperator call;
      call.mutable_task_id()->set_value(some_task());
      return m_.hear(address(internal::OPERATOR, "o"), call);
    }
    scheduler::Call::Kill call;
    call.mutable_task_id()->set_value(some_task());
    m_.hear(framework_at(name), call);
  }

  void exit_executor(const std::string& name) {
    internal::ExecutorExited event;
    *event.mutable_agent_id() = some_agent().proto();
    *event.mutable_framework_id() = some_framework().proto();
    event.mutable_executor_id()->set_value("e");
    m_.hear(agent_at(name), event);
  }

  random_stream dice_;
  master_driver m_;
  std::vector<agent_id> agents_;
  std::vector<framework_id> frameworks_;
  std::vector<v1::Offer> offers_;
  std::ostringstream history_;
};

}  // namespace

TEST_CASE("whatever is said in whatever order, the master keeps its invariants and can be saved and loaded",
          "[master]") {
  std::set<std::string> seen;
  for (std::uint64_t seed = 1; seed <= test::seeds(60); ++seed) {
    INFO("seed " << seed);
    const auto history = random_cluster(seed).run(250);
    for (const auto* event :
         {"task.launched", "task.refused", "task.returned", "task.gone", "task.completed", "agent.unreachable",
          "agent.disconnected", "framework.failed_over", "framework.removed", "executor.ended", "kill.repeated",
          "offer.rescinded", "offer.not_made", "former=unreachable", "former=recovered"})
      if (history.find(event) != std::string::npos) seen.insert(event);
  }
  CHECK(seen.size() == 15);  // the dice reach all of these
}

TEST_CASE("the same events lead to the same decisions, to the letter", "[master]") {
  for (std::uint64_t seed = 100; seed < 104; ++seed)
    CHECK(random_cluster(seed).run(200) == random_cluster(seed).run(200));
}
