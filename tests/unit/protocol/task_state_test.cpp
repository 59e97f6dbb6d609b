#include "protocol/task_state.hpp"

#include <catch2/catch.hpp>

#include <map>
#include <set>
#include <vector>

namespace troupe {

namespace {

std::vector<v1::TaskState> all_states() {
  std::vector<v1::TaskState> states;
  const auto* type = v1::TaskState_descriptor();
  for (int i = 0; i < type->value_count(); ++i) states.push_back(static_cast<v1::TaskState>(type->value(i)->number()));
  return states;
}

const std::set<v1::TaskState> terminal = {
    v1::TASK_FINISHED, v1::TASK_FAILED,  v1::TASK_KILLED, v1::TASK_ERROR,
    v1::TASK_LOST,     v1::TASK_DROPPED, v1::TASK_GONE,   v1::TASK_GONE_BY_OPERATOR};

/// One row a state that a task is in, one column a state that is reported: x where it may be.
struct transition_row {
  v1::TaskState from;
  const char* to;
};

// STAGING STARTING RUNNING KILLING | FINISHED FAILED KILLED ERROR LOST DROPPED GONE GONE_BY_OPERATOR | UNREACHABLE
// UNKNOWN
const std::vector<v1::TaskState> columns = {
    v1::TASK_STAGING, v1::TASK_STARTING,         v1::TASK_RUNNING,     v1::TASK_KILLING, v1::TASK_FINISHED,
    v1::TASK_FAILED,  v1::TASK_KILLED,           v1::TASK_ERROR,       v1::TASK_LOST,    v1::TASK_DROPPED,
    v1::TASK_GONE,    v1::TASK_GONE_BY_OPERATOR, v1::TASK_UNREACHABLE, v1::TASK_UNKNOWN};

const transition_row transitions[] = {
    {v1::TASK_STAGING, "xxxx xxxxxxxx x."},     {v1::TASK_STARTING, ".xxx xxxxxxxx x."},
    {v1::TASK_RUNNING, "..xx xxxxxxxx x."},     {v1::TASK_KILLING, "...x xxxxxxxx x."},
    {v1::TASK_FINISHED, ".... ........ .."},    {v1::TASK_FAILED, ".... ........ .."},
    {v1::TASK_KILLED, ".... ........ .."},      {v1::TASK_ERROR, ".... ........ .."},
    {v1::TASK_LOST, ".... ........ .."},        {v1::TASK_DROPPED, ".... ........ .."},
    {v1::TASK_GONE, ".... ........ .."},        {v1::TASK_GONE_BY_OPERATOR, ".... ........ .."},
    {v1::TASK_UNREACHABLE, "xxxx xxxxxxxx x."}, {v1::TASK_UNKNOWN, "xxxx xxxxxxxx xx"},
};

}  // namespace

TEST_CASE("the table of transitions has a row and a column for each state") {
  std::set<v1::TaskState> rows;
  for (const auto& row : transitions) rows.insert(row.from);
  const auto states = all_states();
  CHECK(rows == std::set<v1::TaskState>(states.begin(), states.end()));
  CHECK(std::set<v1::TaskState>(columns.begin(), columns.end()) == rows);
}

TEST_CASE("a state may follow another where the table says so, and nowhere else") {
  for (const auto& row : transitions) {
    std::size_t column = 0;
    for (const char* mark = row.to; *mark != 0; ++mark) {
      if (*mark == ' ') continue;
      const auto to = columns.at(column++);
      INFO(v1::TaskState_Name(row.from) << " -> " << v1::TaskState_Name(to));
      CHECK(may_follow(row.from, to) == (*mark == 'x'));
    }
    CHECK(column == columns.size());
  }
}

TEST_CASE("the eight ends of a task are terminal, and no other state is") {
  for (auto state : all_states()) {
    INFO(v1::TaskState_Name(state));
    CHECK(is_terminal(state) == (terminal.count(state) == 1));
  }
}

TEST_CASE("a task holds its resources from STAGING to KILLING") {
  const std::set<v1::TaskState> holding = {v1::TASK_STAGING, v1::TASK_STARTING, v1::TASK_RUNNING, v1::TASK_KILLING};
  for (auto state : all_states()) {
    INFO(v1::TaskState_Name(state));
    CHECK(holds_resources(state) == (holding.count(state) == 1));
  }
}

TEST_CASE("a framework without PARTITION_AWARE is told LOST for the states that it does not know") {
  const std::set<v1::TaskState> hidden = {v1::TASK_DROPPED, v1::TASK_UNREACHABLE, v1::TASK_GONE,
                                          v1::TASK_GONE_BY_OPERATOR, v1::TASK_UNKNOWN};
  for (auto state : all_states()) {
    INFO(v1::TaskState_Name(state));
    CHECK(as_told(state, false) == (hidden.count(state) == 1 ? v1::TASK_LOST : state));
    CHECK(as_told(state, true) == state);
  }
}

TEST_CASE("the short name of a state is its name without TASK_") {
  for (auto state : all_states()) CHECK("TASK_" + std::string(short_name(state)) == v1::TaskState_Name(state));
  CHECK(short_name(v1::TASK_GONE_BY_OPERATOR) == "GONE_BY_OPERATOR");
}

}  // namespace troupe
