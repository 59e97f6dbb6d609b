#include "actors/executor/executor_supervisor.hpp"

#include <catch2/catch.hpp>

#include <atomic>
#include <chrono>
#include <future>
#include <memory>
#include <string>

using namespace troupe;

namespace {

/// A process with nothing in it but executors, and their agent and containerizer played by the test.
struct executors_at_work {
  Address agent = address(internal::AGENT, "a");
  Address executor = address(internal::EXECUTOR, "c-1");
  std::promise<void> reported;
  std::atomic<bool> told{false};
  std::promise<void> returned;  // it has subscribed with its task
  std::atomic<bool> back{false};
  std::unique_ptr<process> host;  // last: its actors use the rest until it is gone

  executors_at_work() {
    process_options options;
    options.name = "test";
    host = std::move(process::open(options)).value();
    host->names().add_endpoint(agent, [this](const auto&, const directory::body_ptr& body, const auto&) {
      if (const auto* call = dynamic_cast<const executor_api::Call::Subscribe*>(body.get())) on_subscribe(*call);
      if (dynamic_cast<const executor_api::Call::Update*>(body.get()) && !told.exchange(true)) reported.set_value();
      return true;
    });
    serve_executors(host_of(*host), agent);
  }

  template <class Message>
  void say(const Address& from, const Address& to, Message message) {
    auto head = std::make_shared<Envelope>();
    *head->mutable_from() = from;
    *head->mutable_to() = to;
    head->set_verb(verb_number<Message>::value);
    host->names().deliver(head, std::make_shared<const Message>(std::move(message)));  // to nobody, when all of it ends
  }

  void on_subscribe(const executor_api::Call::Subscribe& call) {
    say(agent, executor, executor_api::Event::Subscribed());
    if (call.unacknowledged_tasks_size() > 0 && !back.exchange(true)) returned.set_value();
    executor_api::Event::Launch launch;
    launch.mutable_task()->set_name("t");
    launch.mutable_task()->mutable_task_id()->set_value("t");
    launch.mutable_task()->mutable_agent_id()->set_value("a");
    say(agent, executor, launch);
  }
};

}  // namespace

TEST_CASE("an executor that was asked for takes its tasks, and once retired hears nothing more") {
  executors_at_work world;
  internal::SpawnExecutor spawn;
  *spawn.mutable_executor() = world.executor;
  spawn.mutable_container_id()->set_value("c-1");
  world.say(world.agent, address(internal::SUPERVISOR, "local"), spawn);
  REQUIRE(world.reported.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  internal::RetireExecutor retire;
  *retire.mutable_executor() = world.executor;
  world.say(world.agent, address(internal::SUPERVISOR, "local"), retire);
  auto head = std::make_shared<Envelope>();
  *head->mutable_from() = world.agent;
  *head->mutable_to() = world.executor;
  head->set_verb(verb_number<executor_api::Event::Subscribed>::value);
  CHECK_FALSE(world.host->names().deliver(head, std::make_shared<const executor_api::Event::Subscribed>()));
}

TEST_CASE("an executor that is asked for again subscribes again, with its tasks") {
  executors_at_work world;
  internal::SpawnExecutor spawn;
  *spawn.mutable_executor() = world.executor;
  spawn.mutable_container_id()->set_value("c-1");
  world.say(world.agent, address(internal::SUPERVISOR, "local"), spawn);
  REQUIRE(world.reported.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  world.say(world.agent, address(internal::SUPERVISOR, "local"), spawn);
  CHECK(world.returned.get_future().wait_for(std::chrono::seconds(30)) == std::future_status::ready);
  internal::RetireExecutor retire;
  *retire.mutable_executor() = world.executor;
  world.say(world.agent, address(internal::SUPERVISOR, "local"), retire);
}
