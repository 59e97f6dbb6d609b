#include "tests/unit/agent/agent_fixture.hpp"
#include "tests/unit/seeds.hpp"

#include <algorithm>

using namespace troupe;
using namespace troupe::testing;

namespace {

/// A world of one master and many executors that does anything at any time, late, twice or never.
class chaos {
 public:
  explicit chaos(std::uint64_t seed) : random_(seed) {}

  void step() {
    switch (random_.below(16)) {
      case 0:
        f.registered(1 + random_.below(2));
        break;
      case 1:
        f.ping(random_.below(8) != 0);
        break;
      case 2:
        f.run(task(), framework());
        break;
      case 3:
        f.run(task(), framework());
        break;
      case 4:
        f.kill(name("t-"), framework());
        break;
      case 5:
        subscribe();
        break;
      case 6:
        subscribe();
        break;
      case 7:
        update();
        break;
      case 8:
        update();
        break;
      case 9:
        acknowledge();
        break;
      case 10:
        acknowledge();
        break;
      case 11:
        f.exited(container(), static_cast<int>(random_.below(2)) << 8);
        break;
      case 12:
        link();
        break;
      case 13:
        rare();
        break;
      case 14:
        f.pass(std::chrono::milliseconds(random_.below(20000)));
        break;
      case 15:
        f.launched(container());
        break;
    }
    for (const auto& sent : all_said<internal::StatusUpdated>(f.last())) sent_.push_back(sent);
    for (const auto& spawn : all_said<internal::SpawnExecutor>(f.last()))
      containers_.push_back(spawn.container_id().value());
    for (const auto& plan : all_said<internal::LaunchContainer>(f.last()))
      containers_.push_back(plan.container_id().value());
  }

  /// Ends everything: the master acknowledges whatever it hears, and the containerizer kills whatever it is asked to.
  void calm_down() {
    for (const auto* id : {"f-1", "f-2"}) f.shutdown_framework(id);
    f.registered(2);
    for (int round = 0; round < 60; ++round) {
      for (const auto& letter : f.pass(11s))
        if (letter.verb == verb_number<internal::DestroyContainer>::value)
          f.exited(static_cast<const internal::DestroyContainer&>(*letter.body).container_id().value(), {});
      f.ping();
      for (const auto& c : containers_) f.exited(c, 0);
    }
  }

  agent_fixture f;

 private:
  std::string name(const std::string& prefix) { return prefix + std::to_string(1 + random_.below(4)); }
  std::string framework() { return "f-" + std::to_string(1 + random_.below(2)); }
  std::string container() { return containers_.empty() ? "none" : containers_[random_.below(containers_.size())]; }
  v1::TaskInfo task() {
    auto id = name("t-");
    return random_.below(2) ? command_task(id) : custom_task(id, "e-" + std::to_string(1 + random_.below(2)));
  }
  v1::TaskStatus status() {
    static const v1::TaskState states[] = {v1::TASK_STARTING, v1::TASK_RUNNING, v1::TASK_KILLING, v1::TASK_FINISHED,
                                           v1::TASK_KILLED};
    if (!updates_.empty() && random_.below(4) == 0) return updates_[random_.below(updates_.size())];
    updates_.push_back(f.status(states[random_.below(5)], name("t-")));
    return updates_.back();
  }
  void update() { f.update(container(), status()); }
  void subscribe() {
    executor_api::Call::Subscribe call;
    if (random_.below(3) == 0) *call.add_unacknowledged_updates()->mutable_status() = status();
    if (random_.below(3) == 0) *call.add_unacknowledged_tasks() = task();
    f.subscribe(container(), call);
  }
  void acknowledge() {
    if (sent_.empty()) return;
    const auto& sent = sent_[sent_.size() - 1 - random_.below(std::min<std::size_t>(sent_.size(), 4))];
    f.acknowledge(sent.status(), sent.framework_id().value());
  }
  void link() {
    auto peer = random_.below(2) ? leader() : address(internal::EXECUTOR, container());
    if (random_.below(2))
      f.connected(peer);
    else
      f.disconnected(peer);
  }
  void rare() {
    switch (random_.below(6)) {
      case 0:
        f.recover();
        break;
      case 1:
        if (random_.below(4) == 0) f.shutdown_framework(framework());
        break;
      case 2:
        f.shutdown_executor("e-1");
        break;
      case 3: {
        internal::ContainerLaunchFailed failed;
        failed.mutable_container_id()->set_value(container());
        f.hear(containerizer_address, failed);
        break;
      }
      case 4: {
        internal::ReconcileTasks reconcile;
        auto* entry = reconcile.add_tasks();
        entry->mutable_framework_id()->set_value(framework());
        entry->mutable_task_id()->set_value(name("t-"));
        f.hear(leader(), reconcile);
        break;
      }
      case 5: {
        internal::FrameworkUpdated updated;
        *updated.mutable_framework() = framework_info(framework());
        updated.mutable_framework()->set_hostname(name("h-"));
        f.hear(leader(), updated);
        break;
      }
    }
  }

  random_stream random_;
  std::vector<std::string> containers_;
  std::vector<internal::StatusUpdated> sent_;
  std::vector<v1::TaskStatus> updates_;
};

}  // namespace

TEST_CASE("whatever happens, in whatever order, the agent keeps its invariants and its copies behave alike") {
  for (std::uint64_t seed = 1; seed <= test::seeds(40); ++seed) {
    CAPTURE(seed);
    chaos world(seed);
    for (int i = 0; i < 250; ++i) world.step();
  }
}

TEST_CASE("once all frameworks are gone nothing is left, whatever happened before") {
  for (std::uint64_t seed = 100; seed < 100 + test::seeds(20); ++seed) {
    CAPTURE(seed);
    chaos world(seed);
    for (int i = 0; i < 200; ++i) world.step();
    world.calm_down();
    std::vector<std::string> left = world.f.keys_under("agent/");
    left.erase(std::remove(left.begin(), left.end(), "agent/self"), left.end());
    CHECK(left.empty());
    CHECK(world.f.view().frameworks().empty());
  }
}

TEST_CASE("an agent that leaves leaves nothing behind, whatever happened before") {
  for (std::uint64_t seed = 200; seed < 200 + test::seeds(20); ++seed) {
    CAPTURE(seed);
    chaos world(seed);
    for (int i = 0; i < 200; ++i) world.step();
    internal::ProgramEvent leave;
    leave.set_name("leave");
    world.f.hear(address(internal::RUNTIME, "local"), leave);
    world.calm_down();
    CHECK(world.f.core().finished());
    CHECK(world.f.keys_under("agent").empty());
  }
}

TEST_CASE("two agents that live through the same do the same") {
  chaos a(7);
  chaos b(7);
  for (int i = 0; i < 250; ++i) {
    a.step();
    b.step();
    REQUIRE(same_outbox(a.f.last(), b.f.last()));
  }
}
