#include "storage/keys.hpp"
#include "storage/record_types.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using namespace troupe;

namespace {

using names = std::vector<std::string>;

std::string path_of(const names& components) {
  return keys::path(std::vector<std::string_view>(components.begin(), components.end()));
}

}  // namespace

TEST_CASE("every key reads back as the components it was made of") {
  std::string all_bytes;
  for (int byte = 0; byte < 256; ++byte) all_bytes.push_back(static_cast<char>(byte));
  const std::vector<names> cases = {{"a"},   {"a", "b"}, {"", ""}, {"a", "", "b"},   {"a/b"},  {"a", "b/"},
                                    {"%2F"}, {"%"},      {"%%25"}, {all_bytes, "x"}, {"größe"}};
  for (const auto& components : cases) {
    INFO(path_of(components));
    CHECK(keys::components(path_of(components)) == components);
  }
}

TEST_CASE("two lists of components never share a key") {
  const std::vector<names> lists = {{"a", "b"}, {"a/b"}, {"a%2Fb"}, {"a", "", "b"}, {"a", "b", ""}, {"", "a", "b"}};
  names made;
  for (const auto& each : lists) made.push_back(path_of(each));
  std::sort(made.begin(), made.end());
  CHECK(std::adjacent_find(made.begin(), made.end()) == made.end());
}

TEST_CASE("a key holds no control characters, whatever ids are made of") {
  std::string controls("\0\1\n\r\x1f\x7f", 6);
  CHECK(keys::path({controls}) == "%00%01%0A%0D%1F%7F");
}

TEST_CASE("a key that was not made by path has no components") {
  const auto key =
      GENERATE(as<std::string>{}, "%", "a/%2", "%zz", "%2f", "%41", "a\nb", "a/b\x7f", std::string("\0", 1));
  INFO(key);
  CHECK(keys::components(key).empty());
}

TEST_CASE("the empty key has no components") {
  CHECK(keys::components("").empty());
}

TEST_CASE("numbers sort by value") {
  const std::vector<std::uint64_t> rising = {0, 1, 9, 10, 15, 16, 255, 256, 1u << 31, UINT64_MAX - 1, UINT64_MAX};
  names written;
  for (const auto number : rising) written.push_back(keys::ordered(number));
  CHECK(std::is_sorted(written.begin(), written.end()));
  CHECK(written[7] == "0000000000000100");
  CHECK(keys::ordered(UINT64_MAX) == "FFFFFFFFFFFFFFFF");
}

TEST_CASE("updates of a task are in the order of their numbers") {
  const framework_id framework("f");
  const task_id task("t");
  CHECK(keys::agent_update(framework, task, 9) < keys::agent_update(framework, task, 10));
  CHECK(keys::agent_update(framework, task, 255) < keys::agent_update(framework, task, 256));
}

TEST_CASE("leaves made of usual characters are in the order of their names") {
  names ids = {"t-1", "t-10", "t-2", "T", "a.b", "a_b", "a-b", "a", "0"};
  names made;
  std::sort(ids.begin(), ids.end());
  for (const auto& id : ids) made.push_back(keys::agent_task(framework_id("f"), task_id(id)));
  CHECK(std::is_sorted(made.begin(), made.end()));
}

TEST_CASE("a path has below it what starts with its components, and no neighbour") {
  CHECK(keys::under("a/b", "a/b"));
  CHECK(keys::under("a/b/c", "a/b"));
  CHECK(keys::under("a/b/", "a/b"));
  CHECK(keys::under("a/b/c", "a/b/"));
  CHECK(keys::under("a/b", ""));
  CHECK_FALSE(keys::under("a/bc", "a/b"));
  CHECK_FALSE(keys::under("a/b-c", "a/b"));
  CHECK_FALSE(keys::under("a", "a/b"));
  CHECK_FALSE(keys::under("a/b", "a/b/"));
}

TEST_CASE("ids with separators stay in their place in the tree") {
  CHECK(keys::agent_task(framework_id("f/g"), task_id("t")) == "agent/task/f%2Fg/t");
  CHECK_FALSE(keys::under(keys::agent_task(framework_id("f/g"), task_id("t")), keys::path({"agent", "task", "f"})));
}

TEST_CASE("the tree is as its drawing says") {
  CHECK(keys::identity("master") == "identity/master");
  CHECK(keys::master_agent(agent_id("a")) == "master/agent/a");
  CHECK(keys::master_framework(framework_id("f")) == "master/framework/f");
  CHECK(keys::master_weight("eng/dev") == "master/weight/eng%2Fdev");
  CHECK(keys::agent_self() == "agent/self");
  CHECK(keys::agent_framework(framework_id("f")) == "agent/framework/f");
  CHECK(keys::agent_executor(framework_id("f"), executor_id("e")) == "agent/executor/f/e");
  CHECK(keys::agent_task(framework_id("f"), task_id("t")) == "agent/task/f/t");
  CHECK(keys::agent_update(framework_id("f"), task_id("t"), 26) == "agent/update/f/t/000000000000001A");
  CHECK(keys::quarantine("agent/task/f/t") == "quarantine/agent/task/f/t");
  CHECK(keys::head() == "head");
  CHECK(keys::loss("agent") == "quarantine/head/agent");
  CHECK(keys::owner("agent/task/f/t") == "agent");
  CHECK(keys::owner("head") == "head");
}

TEST_CASE("every place in the tree has a type, whatever its ids are") {
  const auto type_of = [](const std::string& key) {
    const auto type = record_type(key);
    return type ? type->GetDescriptor()->name() : "";
  };
  const framework_id framework("f/g");
  CHECK(type_of(keys::identity("master")) == "Identity");
  CHECK(type_of(keys::master_agent(agent_id("a"))) == "AgentRecord");
  CHECK(type_of(keys::master_framework(framework)) == "FrameworkRecord");
  CHECK(type_of(keys::master_weight("eng/dev")) == "WeightRecord");
  CHECK(type_of(keys::agent_self()) == "AgentSelfRecord");
  CHECK(type_of(keys::agent_framework(framework)) == "FrameworkRecord");
  CHECK(type_of(keys::agent_executor(framework, executor_id("e"))) == "ExecutorRecord");
  CHECK(type_of(keys::agent_task(framework, task_id("t"))) == "TaskRecord");
  CHECK(type_of(keys::agent_update(framework, task_id("t"), 26)) == "UpdateRecord");
  CHECK(type_of("framework/self") == "FrameworkSelfRecord");
  CHECK(type_of("executor/task/t1") == "ExecutorTaskRecord");
  CHECK(type_of("executor/update/0000000000000001") == "ExecutorUpdateRecord");
  CHECK(type_of(std::string(keys::head())) == "HeadRecord");
  CHECK(type_of(keys::loss("agent")) == "LossRecord");
  for (const auto* other : {"", "agent", "agent/selfish", "framework/app/x", "executor/app/x", "quarantine/agent/self"})
    CHECK(type_of(other).empty());
}
