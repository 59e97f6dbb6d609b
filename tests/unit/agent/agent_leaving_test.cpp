#include "storage/keys.hpp"
#include "tests/unit/agent/agent_fixture.hpp"

using namespace troupe;
using namespace troupe::testing;

namespace {

const outbox& leave(agent_fixture& f) {
  internal::ProgramEvent event;
  event.set_name("leave");
  return f.hear(address(internal::RUNTIME, "local"), event);
}

std::vector<std::string> told(const std::vector<letter>& letters) {
  std::vector<std::string> names;
  for (const auto& event : all_said<internal::ProgramEvent>(letters)) names.push_back(event.name());
  return names;
}

}  // namespace

TEST_CASE("an agent that leaves unregisters first, and its process ends when the farewell is on its way") {
  agent_fixture f;
  f.registered();
  const auto& out = leave(f);
  CHECK(said<internal::UnregisterAgent>(out).agent_id().value() == "agent-1");
  CHECK_FALSE(is_said<internal::ProgramEvent>(out));
  CHECK_FALSE(f.core().finished());
  CHECK(told(f.pass(1h)) == std::vector<std::string>{"left"});
  CHECK(f.core().finished());
}

TEST_CASE("an agent that leaves ends what it runs, and leaves no record behind") {
  agent_fixture f;
  f.registered();
  auto custom = f.start(custom_task());
  auto built_in = f.start(command_task("t-2"), "f-2");
  f.update(built_in, f.status(v1::TASK_FINISHED, "t-2"));  // waits to be acknowledged
  f.kill("never-seen", "f-3");                             // an update without a task
  REQUIRE(f.keys_under("agent/update").size() >= 2);
  CHECK(is_said<internal::ShutdownExecutor>(leave(f)));
  f.pass(2s);
  CHECK_FALSE(f.core().finished());
  f.exited(custom, 0);
  CHECK(said<internal::ProgramEvent>(f.last()).name() == "left");
  CHECK(f.core().finished());
  CHECK(f.keys_under("agent").empty());
  CHECK_FALSE(is_said<internal::StatusUpdated>(f.last()));
}

TEST_CASE("an agent that leaves takes nothing, answers nothing, and does not come back") {
  agent_fixture f;
  f.registered();
  leave(f);
  CHECK(f.run(command_task("t-9"), "f-9").letters.empty());
  CHECK(f.kill("t-9", "f-9").letters.empty());
  CHECK(f.registered(2).letters.empty());
  internal::AgentRefused refused;
  refused.set_reason("unknown");
  refused.set_shutdown(true);
  CHECK(f.hear(leader(), refused).letters.empty());
  CHECK(f.connected(leader()).letters.empty());
  CHECK(leave(f).letters.empty());
  CHECK(told(f.pass(1h)) == std::vector<std::string>{"left"});
  CHECK(f.keys_under("agent").empty());
  f.recover();
  CHECK(all_said<internal::RegisterAgent>(f.pass(2s)).size() >= 1);  // as a new one
}

TEST_CASE("an agent that was never admitted leaves without a word") {
  agent_fixture f;
  CHECK(leave(f).letters.empty());
  CHECK(told(f.pass(1h)) == std::vector<std::string>{"left"});
}
