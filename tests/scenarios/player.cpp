#include "tests/scenarios/player.hpp"

#include "protocol/verbs.hpp"
#include "tests/scenarios/letter_text.hpp"
#include "tools/duration_text.hpp"

#include <algorithm>

namespace troupe::testing {

std::chrono::nanoseconds duration_in(word_reader& words) {
  const auto parsed = parse_duration(words.take("a duration"));
  if (!parsed) words.line().fail(parsed.error().message);
  return *parsed;
}

std::string unquoted(const std::string& word) {
  return word.size() >= 2 && word.front() == '"' ? word.substr(1, word.size() - 2) : word;
}

void player::play() {
  for (const auto& line : told_.lines) {
    try {
      play(line);
      world_.settle();
    } catch (const world_error& broken) {
      throw world_error(line.file + ":" + std::to_string(line.number) + ": " + broken.what());
    } catch (const std::invalid_argument& wrong) {
      line.fail(wrong.what());
    }
  }
  check_covers();
}

void player::check_covers() const {
  for (const auto& claim : told_.covers)
    if (world_.happened().count({claim.verb, claim.what}) == 0)
      claim.at.fail("the scenario does not show this: no " + written(claim.verb) + " went " +
                    (claim.what == mishap::never ? "lost" : name_of(claim.what)));
  const auto unused = world_.unused_rules();
  if (!unused.empty())
    throw script_error(told_.file + ": " + told_.sentence +
                       "\n  at its end this still waits for a letter: " + unused.front());
}

void player::play(const script_line& line) {
  word_reader words(line);
  const auto& kind = words.take("what to do");
  if (kind != "expect")
    world_.remark("== " + [&] {
      std::string text;
      for (const auto& word : line.words) text += word + " ";
      return text;
    }());
  if (kind == "given") {
    give(words);
  } else if (kind == "when") {
    act(words);
  } else if (kind == "after") {
    world_.pass(duration_in(words));
  } else if (kind == "expect") {
    expect(words);
  } else if (!rule(kind, words)) {
    line.fail("'" + kind +
              "' begins no line; these do: scenario, covers, given, when, after, hold, release, drop, deliver, "
              "twice, cut, heal, expect");
  }
  words.end();
}

// --- what there is ---------------------------------------------------------------------------------------------------

void player::give(word_reader& words) {
  if (words.take_if("a")) {
    words.expect("master");
    return give_master(words);
  }
  const auto& kind = words.take("what is given");
  if (kind == "framework") return give_framework(words);
  const auto& name = words.take("a name");
  if (world_.has(name)) words.line().fail("there is a process '" + name + "' already");
  if (kind == "agent") {
    words.expect("with");
    world_.add_agent(name, words.take("resources"));
    world_.start(name);
    wait_until_welcome(words.line(), name, verb_number<internal::AgentRegistered>::value);
  } else if (kind == "operator") {
    world_.add_operator(name);
    world_.start(name);
  } else {
    words.line().fail("'" + kind + "' cannot be given; these can: a master, agent, framework, operator");
  }
}

void player::give_master(word_reader& words) {
  master_options options;
  if (words.take_if("with")) {
    words.expect("offer_timeout");
    options.offer_timeout = duration_in(words);
  }
  world_.add_master(options);
  world_.start("master");
}

void player::give_framework(word_reader& words) {
  const auto name = words.take("a name");
  if (world_.has(name)) words.line().fail("there is a process '" + name + "' already");
  v1::FrameworkInfo info;
  info.set_user("somebody");
  info.set_name(name);
  std::string as;
  while (!words.at_end()) {
    const auto& option = words.take("an option");
    if (option == "as") {
      as = words.take("a framework");
    } else if (option == "failover_timeout") {
      info.set_failover_timeout(std::chrono::duration<double>(duration_in(words)).count());
    } else if (option == "role") {
      info.add_roles(words.take("a role"));
    } else if (option == "capability") {
      v1::FrameworkInfo::Capability::Type type;
      const auto& capability = words.take("a capability");
      if (!v1::FrameworkInfo::Capability::Type_Parse(capability, &type))
        words.line().fail("'" + capability + "' is no capability of a framework");
      info.add_capabilities()->set_type(type);
    } else {
      words.line().fail("'" + option + "' is none of as, failover_timeout, role, capability");
    }
  }
  if (info.roles_size() != 0) info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
  world_.add_framework(name, info, as);
  world_.start(name);
  wait_until_welcome(words.line(), name, verb_number<scheduler::Event::Subscribed>::value);
}

/// Agents wait a random while before they ask. One whose link is cut, or whose letters are meddled with, is not waited
/// for: the scenario says itself how long.
void player::wait_until_welcome(const script_line& line, const std::string& name, std::uint32_t answer) {
  const bool meddled = world_.meddled();
  world_.settle();
  if (meddled) return;
  for (int seconds = 0; seconds < 10; ++seconds) {
    const auto& heard = world_.heard(name);
    if (std::any_of(heard.begin(), heard.end(), [&](const heard_letter& l) { return l.verb == answer; })) return;
    world_.pass(std::chrono::seconds(1));
  }
  line.fail(name + " has heard no " + written(answer) + " within 10 s");
}

// --- what the network does -------------------------------------------------------------------------------------------

letter_pattern player::pattern(word_reader& words) {
  letter_pattern what;
  what.verb = verb_written(words.take("a verb"));
  if (words.take_if("from")) what.from = words.take("a process");
  if (words.take_if("to")) what.to = words.take("a process");
  return what;
}

bool player::rule(const std::string& kind, word_reader& words) {
  if (kind == "hold") {
    world_.net().hold(pattern(words));
  } else if (kind == "release") {
    world_.release(pattern(words));
  } else if (kind == "twice") {
    world_.net().duplicate(pattern(words));
  } else if (kind == "drop") {
    if (words.take_if("every"))
      world_.net().drop_every(pattern(words));
    else
      world_.net().drop(pattern(words));
  } else if (kind == "deliver") {
    world_.net().deliver(pattern(words));
  } else if (kind == "cut") {
    world_.cut(words.take("a process"));
  } else if (kind == "heal") {
    world_.heal(words.take("a process"));
  } else {
    return false;
  }
  return true;
}

}  // namespace troupe::testing
