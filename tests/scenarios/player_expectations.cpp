#include "protocol/resources.hpp"
#include "protocol/verbs.hpp"
#include "tests/scenarios/letter_text.hpp"
#include "tests/scenarios/player.hpp"
#include "troupe/internal/agent_state.pb.h"
#include "troupe/internal/allocator_state.pb.h"
#include "troupe/internal/master_state.pb.h"

#include <algorithm>

namespace troupe::testing {

namespace {

template <class View>
View seen(const world& w, const std::string& name) {
  return dynamic_cast<const View&>(*w.look(name));
}

template <class List, class Id>
bool has_agent(const List& list, const Id& id) {
  return std::any_of(list.begin(), list.end(), [&](const auto& entry) { return entry.info().id().value() == id; });
}

}  // namespace

void player::expect(word_reader& words) {
  const auto& who = words.take("of whom it is expected");
  const auto& what = words.take("what is expected");
  if (who == "master" && what == "knows") return expect_known(words);
  if (what == "hears") return expect_hearing(who, words);
  if (what == "holds") return expect_offer(who, words);
  if (what == "free" || what == "used" || what == "offered") return expect_share(who, what, words);
  if (what == "runs") {
    const bool no = words.take_if("no");
    const auto& label = words.take("a task or an executor");
    if (world_.runs(who, label) == no) words.line().fail(who + (no ? " runs " : " does not run ") + label);
  } else if (what == "remembers") {
    const auto count = words.take("how many");
    words.expect("updates");
    const auto kept = seen<internal::AgentView>(world_, who).unacknowledged_updates();
    if (std::to_string(kept) != count) words.line().fail(who + " remembers " + std::to_string(kept));
  } else if (what == "keeps") {
    const auto count = words.take("how many");
    words.expect("ends");
    const auto kept = world_.kept_ends(who);
    if (std::to_string(kept) != count) words.line().fail(who + " keeps " + std::to_string(kept));
  } else if (what == "is") {
    const auto& state = words.take("running, ended or dismissed");
    if (state != "running" && state != "ended" && state != "dismissed")
      words.line().fail("'" + state + "' is none of running, ended and dismissed");
    const bool alive = world_.alive(who);
    const bool holds = state == "dismissed" ? alive && seen<internal::AgentView>(world_, who).dismissed()
                                            : alive == (state == "running");
    if (!holds) words.line().fail(who + (alive ? " is running" : " has ended"));
  } else {
    words.line().fail("'" + what +
                      "' cannot be expected; these can: hears, holds, free, used, offered, runs, remembers, "
                      "keeps, is, and of the master knows");
  }
}

void player::expect_hearing(const std::string& who, word_reader& words) {
  const bool no = words.take_if("no");
  const auto verb = verb_written(words.take("a verb"));
  const auto asked = words.rest();
  const auto& heard = world_.heard(who);
  const auto id_of = [this](const std::string& name) { return world_.id_of(name); };
  auto& taken = taken_[who];
  std::string others;
  for (auto i = taken; i < heard.size(); ++i) {
    auto leaves = leaves_of(*heard[i].body);
    leaves.emplace_back("from", heard[i].from);
    const bool fit = heard[i].verb == verb && std::all_of(asked.begin(), asked.end(), [&](const std::string& word) {
                       return fits(word, leaves, id_of);
                     });
    if (!fit) {
      others += "\n    " + heard[i].from + ": " + written(heard[i].verb) + "  " + line_of(*heard[i].body);
      continue;
    }
    if (no) words.line().fail(who + " has heard it: " + line_of(*heard[i].body));
    taken = i + 1;
    return;
  }
  if (!no)
    words.line().fail(who + " has heard no such letter. Since the last one that was expected it heard:" + others);
}

/// From what the framework has heard: offers that were made, less those withdrawn, used or void.
std::vector<v1::Offer> player::open_offers(const std::string& framework, const std::string& agent) const {
  std::vector<v1::Offer> open;
  for (const auto& letter : world_.heard(framework)) {
    if (letter.verb == verb_number<scheduler::Event::Subscribed>::value) open.clear();
    if (const auto* made = dynamic_cast<const scheduler::Event::Offers*>(letter.body.get()))
      open.insert(open.end(), made->offers().begin(), made->offers().end());
    if (const auto* gone = dynamic_cast<const scheduler::Event::Rescind*>(letter.body.get()))
      open.erase(std::remove_if(open.begin(), open.end(),
                                [&](const v1::Offer& o) { return o.id().value() == gone->offer_id().value(); }),
                 open.end());
  }
  open.erase(std::remove_if(open.begin(), open.end(),
                            [&](const v1::Offer& o) {
                              return used_offers_.count(o.id().value()) != 0 ||
                                     o.agent_id().value() != world_.id_of(agent);
                            }),
             open.end());
  return open;
}

void player::expect_offer(const std::string& who, word_reader& words) {
  const bool no = words.take_if("no");
  if (!no) words.expect("an");
  words.expect("offer");
  words.expect("of");
  const auto& agent = words.take("an agent");
  const auto open = open_offers(who, agent);
  if (open.empty() != no) words.line().fail(who + " holds " + std::to_string(open.size()) + " offers of " + agent);
  if (no || !words.take_if("with")) return;
  const auto wanted = troupe::resources::parse(words.take("resources"));
  if (!wanted) words.line().fail(wanted.error().message);
  const auto offered = troupe::resources::from(open.back().resources()).value().unallocated();
  if (!(offered == *wanted)) words.line().fail("the newest has " + offered.text());
}

void player::expect_share(const std::string& agent, const std::string& part, word_reader& words) {
  const auto& text = words.take("resources, or nothing");
  const auto wanted = text == "nothing" ? troupe::resources() : troupe::resources::parse(text).value();
  const auto view = seen<internal::AllocatorView>(world_, "allocator");
  for (const auto& entry : view.agents()) {
    if (entry.agent_id().value() != world_.id_of(agent)) continue;
    const auto& list = part == "free" ? entry.free() : part == "used" ? entry.used() : entry.offered();
    const auto has = troupe::resources::from(list).value().unallocated();
    if (!(has == wanted)) words.line().fail("it is " + (has.empty() ? std::string("nothing") : has.text()));
    return;
  }
  words.line().fail("the allocator does not know " + agent);
}

// --- what the master knows -------------------------------------------------------------------------------------------

void player::expect_known(word_reader& words) {
  const auto& kind = words.take("agent, framework or task");
  if (kind == "agent") return expect_known_agent(words);
  if (kind == "framework") return expect_known_framework(words);
  if (kind == "task" || kind == "no") {
    if (kind == "no") {
      words.expect("task");
      const auto& name = words.take("a task");
      const auto view = seen<internal::MasterView>(world_, "master");
      for (const auto& framework : view.frameworks())
        for (const auto& task : framework.tasks())
          if (task.task_id().value() == name) words.line().fail("it is " + v1::TaskState_Name(task.state()));
      return;
    }
    return expect_known_task(words);
  }
  words.line().fail("'" + kind + "' is none of agent, framework, task and no task");
}

void player::expect_known_agent(word_reader& words) {
  const auto id = world_.id_of(words.take("an agent"));
  const auto& wanted = words.take("connected, disconnected, recovered, unreachable, gone or nowhere");
  const auto view = seen<internal::MasterView>(world_, "master");
  std::string is = "nowhere";
  for (const auto& agent : view.agents())
    if (agent.info().id().value() == id) is = agent.active() ? "connected" : "disconnected";
  if (is == "nowhere") {
    const auto recovered = std::any_of(view.recovered_agents().begin(), view.recovered_agents().end(),
                                       [&](const auto& info) { return info.id().value() == id; });
    if (recovered) is = "recovered";
    if (has_agent(view.unreachable_agents(), id)) is = "unreachable";
    if (has_agent(view.gone_agents(), id)) is = "gone";
  }
  if (is != wanted) words.line().fail("it is " + is);
}

void player::expect_known_framework(word_reader& words) {
  const auto id = world_.id_of(words.take("a framework"));
  const auto& wanted = words.take("connected, disconnected, recovered, removed or nowhere");
  const auto view = seen<internal::MasterView>(world_, "master");
  std::string is = "nowhere";
  for (const auto& framework : view.completed_frameworks())
    if (framework.info().id().value() == id) is = "removed";
  for (const auto& framework : view.frameworks())
    if (framework.info().id().value() == id)
      is = framework.connected() ? "connected" : framework.recovered() ? "recovered" : "disconnected";
  if (is != wanted) words.line().fail("it is " + is);
}

void player::expect_known_task(word_reader& words) {
  const auto& name = words.take("a task");
  const auto& wanted = words.take("a state");
  std::string is = "nowhere";
  const auto view = seen<internal::MasterView>(world_, "master");
  for (const auto& framework : view.frameworks()) {
    const auto look_in = [&](const auto& tasks) {
      for (const auto& task : tasks)
        if (task.task_id().value() == name) is = v1::TaskState_Name(task.state());
    };
    look_in(framework.completed_tasks());
    look_in(framework.unreachable_tasks());
    look_in(framework.tasks());
  }
  if (is != wanted) words.line().fail("it is " + is);
}

}  // namespace troupe::testing
