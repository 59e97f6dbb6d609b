// How many bytes the master's and the allocator's cores hold for an agent and for a task, and how long they think about
// a launch. Both cores are real and talk to each other; agents and frameworks are played here, with nothing between.
#include "actors/allocator/allocator_core.hpp"
#include "actors/master/master.hpp"
#include "protocol/resources.hpp"
#include "tests/bench/figures.hpp"

#include <malloc.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <vector>

namespace {

/// What is allocated and not freed, as large as the allocator makes it.
std::size_t held_bytes = 0;

void* counted(std::size_t size) {
  void* made = std::malloc(size == 0 ? 1 : size);
  if (!made) throw std::bad_alloc();
  held_bytes += ::malloc_usable_size(made);
  return made;
}

void discounted(void* gone) {
  if (gone) held_bytes -= ::malloc_usable_size(gone);
  std::free(gone);
}

}  // namespace

// There is one thread.
void* operator new(std::size_t size) {
  return counted(size);
}
void operator delete(void* gone) noexcept {
  discounted(gone);
}
void operator delete(void* gone, std::size_t) noexcept {
  discounted(gone);
}

namespace troupe::bench {
namespace {

constexpr std::size_t tasks_each = 2;

class world {
 public:
  world() : master_(std::make_unique<master>()), allocator_(std::make_unique<allocator_core>()) {
    now_.now = monotonic_time(std::chrono::hours(1));
    now_.wall_now = wall_time(std::chrono::hours(24 * 365 * 50));
    now_.incarnation = 1;
    internal::Recovered recovered;
    recovered.set_id("cluster");
    recovered.set_incarnation(1);
    hear(leader(), runtime(), recovered);
    hear(allocator(), runtime(), recovered);
  }

  void add_agents(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      internal::RegisterAgent call;
      call.mutable_info()->set_hostname("emulated-" + std::to_string(i));
      call.mutable_info()->set_port(5051);
      resources::parse("cpus:2;mem:2048").value().add_to(call.mutable_info()->mutable_resources());
      call.set_version("1");
      hear(leader(), address(internal::AGENT, std::to_string(i)), call);
    }
  }

  /// Each fills whatever it is offered, with two tasks on an agent.
  void add_frameworks(std::size_t count) {
    for (std::size_t i = 0; i < count; ++i) {
      scheduler::Call::Subscribe call;
      auto& info = *call.mutable_framework_info();
      info.set_name("emulated-" + std::to_string(i));
      info.set_user("root");
      info.add_roles("*");
      info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
      info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
      hear(leader(), address(internal::FRAMEWORK, std::to_string(i)), call);
    }
  }

  /// So many tasks end, the longest-running first, and what they had is launched on again.
  void churn(std::size_t count) {
    for (std::size_t i = 0; i < count && !running_.empty(); ++i) {
      const auto ended = std::move(running_.front());
      running_.pop_front();
      hear(leader(), ended.agent, update_of(ended, v1::TASK_FINISHED));
    }
  }

  std::size_t launched() const { return launched_; }
  double master_seconds() const { return master_seconds_; }
  double allocator_seconds() const { return allocator_seconds_; }

  /// How much less is held when a core goes. At the end.
  std::size_t drop_master() { return dropped(master_); }
  std::size_t drop_allocator() { return dropped(allocator_); }

 private:
  struct said {
    Address from;
    letter what;
  };
  struct running_task {
    Address agent;
    v1::AgentID agent_id;
    v1::FrameworkID framework_id;
    v1::TaskID id;
  };

  static Address runtime() { return address(internal::RUNTIME, "local"); }

  template <class Core>
  static std::size_t dropped(std::unique_ptr<Core>& core) {
    const auto before = held_bytes;
    core = nullptr;
    return before - held_bytes;
  }

  /// One event and all that follows from it.
  template <class Message>
  void hear(const Address& to, const Address& from, const Message& message) {
    waiting_.push_back({from, {to, verb_number<Message>::value, std::make_shared<const Message>(message)}});
    while (!waiting_.empty()) {
      const auto next = std::move(waiting_.front());
      waiting_.pop_front();
      deliver(next);
    }
    waiting_.shrink_to_fit();
  }

  void deliver(const said& next) {
    Envelope head;
    *head.mutable_from() = next.from;
    *head.mutable_to() = next.what.to;
    head.set_verb(next.what.verb);
    now_.now += std::chrono::microseconds(1);
    now_.wall_now += std::chrono::microseconds(1);
    switch (next.what.to.role()) {
      case internal::MASTER:
        return step_on(*master_, head, *next.what.body, master_seconds_);
      case internal::ALLOCATOR:
        return step_on(*allocator_, head, *next.what.body, allocator_seconds_);
      case internal::AGENT:
        return play_agent(next);
      case internal::FRAMEWORK:
        return play_framework(next);
      default:
        return;
    }
  }

  template <class Core>
  void step_on(Core& core, const Envelope& head, const google::protobuf::Message& body, double& seconds) {
    ++now_.random_seed;
    const auto begin = std::chrono::steady_clock::now();
    auto out = core.on(head, body, now_);
    seconds += std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
    for (auto& letter : out.letters) waiting_.push_back({head.to(), std::move(letter)});
  }

  template <class Message>
  void answer(const said& to, const Message& message) {
    waiting_.push_back({to.what.to, {leader(), verb_number<Message>::value, std::make_shared<const Message>(message)}});
  }

  void play_agent(const said& heard) {
    const auto* run = dynamic_cast<const internal::RunTask*>(heard.what.body.get());
    if (!run) return;
    ++launched_;
    running_.push_back({heard.what.to, run->task().agent_id(), run->framework().id(), run->task().task_id()});
    answer(heard, update_of(running_.back(), v1::TASK_RUNNING));
  }

  internal::StatusUpdated update_of(const running_task& task, v1::TaskState state) {
    internal::StatusUpdated updated;
    *updated.mutable_agent_id() = task.agent_id;
    *updated.mutable_framework_id() = task.framework_id;
    auto& status = *updated.mutable_status();
    *status.mutable_task_id() = task.id;
    *status.mutable_agent_id() = task.agent_id;
    status.set_state(state);
    status.set_source(v1::TaskStatus::SOURCE_EXECUTOR);
    status.set_timestamp(1.5e9);
    auto uuid = std::to_string(++updates_);
    uuid.resize(16, '.');
    status.set_uuid(uuid);
    status.mutable_container_status()->mutable_container_id()->set_value("2ba50bc7-3aca-41c9-86b4-56ab7bb489be");
    updated.set_latest_state(state);
    return updated;
  }

  void play_framework(const said& heard) {
    if (const auto* offers = dynamic_cast<const scheduler::Event::Offers*>(heard.what.body.get())) {
      for (const auto& offer : offers->offers()) answer(heard, accept(offer));
    } else if (const auto* update = dynamic_cast<const scheduler::Event::Update*>(heard.what.body.get())) {
      scheduler::Call::Acknowledge call;
      *call.mutable_agent_id() = update->status().agent_id();
      *call.mutable_task_id() = update->status().task_id();
      call.set_uuid(update->status().uuid());
      answer(heard, call);
    }
  }

  scheduler::Call::Accept accept(const v1::Offer& offer) {
    scheduler::Call::Accept call;
    *call.add_offer_ids() = offer.id();
    auto& operation = *call.add_operations();
    operation.set_type(v1::Offer::Operation::LAUNCH);
    auto left = resources::from(offer.resources()).value().unallocated();
    for (std::optional<resources> share; (share = left.find_scalars(needs_.amounts()));) {
      left -= *share;
      auto& task = *operation.mutable_launch()->add_task_infos();
      task.set_name("emulated");
      task.mutable_task_id()->set_value("emulated-17.1." + std::to_string(++named_));
      *task.mutable_agent_id() = offer.agent_id();
      task.mutable_command()->set_value("true");
      needs_.add_to(task.mutable_resources());
    }
    return call;
  }

  const resources needs_ = resources::parse("cpus:1;mem:1024").value();
  std::unique_ptr<master> master_;
  std::unique_ptr<allocator_core> allocator_;
  context now_;
  std::deque<said> waiting_;
  std::deque<running_task> running_;
  std::size_t launched_ = 0, named_ = 0, updates_ = 0;
  double master_seconds_ = 0, allocator_seconds_ = 0;
};

struct held {
  std::size_t master = 0, allocator = 0;
};

held held_at_the_end(world& all) {
  held bytes;
  bytes.allocator = all.drop_allocator();
  bytes.master = all.drop_master();
  return bytes;
}

void measure(std::size_t agents, std::size_t frameworks) {
  held idle, busy;
  {
    world all;
    all.add_agents(agents);
    idle = held_at_the_end(all);
  }
  std::size_t launched = 0;
  {
    world all;
    all.add_frameworks(frameworks);
    all.add_agents(agents);
    launched = all.launched();
    busy = held_at_the_end(all);
  }
  if (launched != agents * tasks_each) {
    std::fprintf(stderr, "core_state_bench: %zu tasks were launched, not %zu\n", launched, agents * tasks_each);
    std::exit(1);
  }
  const auto each_agent = [&](std::size_t bytes) { return static_cast<double>(bytes) / static_cast<double>(agents); };
  const auto each_task = [&](std::size_t with, std::size_t without) {
    return (static_cast<double>(with) - static_cast<double>(without)) / static_cast<double>(launched);
  };
  figure("scale.core_agent")
      .with("agents", agents)
      .with("bytes", each_agent(idle.master + idle.allocator), 0)
      .with("master_bytes", each_agent(idle.master), 0)
      .with("allocator_bytes", each_agent(idle.allocator), 0);
  figure("scale.core_task")
      .with("tasks", launched)
      .with("bytes", each_task(busy.master + busy.allocator, idle.master + idle.allocator), 0)
      .with("master_bytes", each_task(busy.master, idle.master), 0)
      .with("allocator_bytes", each_task(busy.allocator, idle.allocator), 0);
  world all;
  all.add_frameworks(frameworks);
  all.add_agents(agents);
  const auto master_before = all.master_seconds(), allocator_before = all.allocator_seconds();
  const auto first = all.launched();
  all.churn(launched);
  const auto again = all.launched() - first;
  const auto each_launch = [&](double before, double after) {
    return 1e6 * (after - before) / static_cast<double>(std::max<std::size_t>(again, 1));
  };
  const auto master_us = each_launch(master_before, all.master_seconds());
  const auto allocator_us = each_launch(allocator_before, all.allocator_seconds());
  figure("scale.core_launch")
      .with("tasks", again)
      .with("frameworks", frameworks)
      .with("us", master_us + allocator_us, 1)
      .with("master_us", master_us, 1)
      .with("allocator_us", allocator_us, 1);
}

}  // namespace
}  // namespace troupe::bench

int main(int argument_count, char** arguments) {
  const auto number = [&](int i) { return argument_count > i ? std::strtoul(arguments[i], nullptr, 10) : 0; };
  if (argument_count != 3 || number(1) == 0 || number(2) == 0) {
    std::fprintf(stderr, "usage: core_state_bench AGENTS FRAMEWORKS\n");
    return 2;
  }
  troupe::bench::measure(number(1), number(2));
  return 0;
}
