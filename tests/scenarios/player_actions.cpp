#include "protocol/resources.hpp"
#include "protocol/verbs.hpp"
#include "tests/scenarios/letter_text.hpp"
#include "tests/scenarios/player.hpp"

#include <google/protobuf/text_format.h>

#include <cctype>
#include <memory>

namespace troupe::testing {

namespace {

v1::KillPolicy grace(std::chrono::nanoseconds time) {
  v1::KillPolicy policy;
  policy.mutable_grace_period()->set_nanoseconds(time.count());
  return policy;
}

}  // namespace

void player::act(word_reader& words) {
  const auto& who = words.take("who acts");
  const auto& what = words.take("what it does");
  if (act_on_process(who, what, words)) return;
  if (!world_.has(who)) words.line().fail("there is no process '" + who + "' that could do more than exit");
  const auto role = world_.role_of(who);
  if (role == internal::FRAMEWORK && act_as_scheduler(who, what, words)) return;
  if (role == internal::EXECUTOR && act_as_executor(who, what, words)) return;
  if (role == internal::AGENT && what == "leaves") return world_.tell(who, "leave", "");
  if (role == internal::OPERATOR && what == "kills") {
    internal::KillTaskByOperator kill;
    kill.mutable_task_id()->set_value(words.take("a task"));
    if (words.take_if("of")) kill.mutable_framework_id()->set_value(id(words.line(), words.take("a framework")));
    return world_.say(who, "master", kill);
  }
  words.line().fail("'" + what + "' is nothing that " + who + " can do");
}

bool player::act_on_process(const std::string& who, const std::string& what, word_reader& words) {
  if (what == "starts" || what == "restarts") {
    if (what == "restarts") {
      world_.crash(who);
      world_.settle();
    }
    if (words.take_if("with")) world_.set_resources(who, words.take("resources"));
    world_.start(who);
  } else if (what == "crashes") {
    world_.crash(who);
  } else if (what == "reboots") {
    world_.reboot(who);
  } else if (what == "loses") {
    world_.lose(who, words.take("a task or an executor"));
  } else if (what == "forgets") {
    words.expect("everything");
    world_.wipe(who);
  } else if (what == "exits") {
    world_.end_container(who, std::stoi(words.take("a wait(2) status")));
  } else if (what == "ignores") {
    words.expect("TERM");
    world_.make_stubborn(who);
  } else if (what == "says") {
    say(who, words);
  } else {
    return false;
  }
  return true;
}

bool player::act_as_scheduler(const std::string& who, const std::string& what, word_reader& words) {
  using Call = scheduler::Call;
  const auto tell = [&](const google::protobuf::Message& call) {
    world_.tell(who, call.GetDescriptor()->full_name(), call.SerializeAsString());
    return true;
  };
  if (what == "launches") {
    launch(who, words);
    return true;
  }
  if (what == "declines") {
    Call::Decline call;
    const auto& agent = words.take("an agent");
    const auto open = open_offers(who, agent);
    if (open.empty()) words.line().fail(who + " holds no offer of " + agent);
    *call.add_offer_ids() = open.back().id();
    used_offers_.insert(open.back().id().value());
    double refuse = 5;
    if (words.take_if("for")) refuse = std::chrono::duration<double>(duration_in(words)).count();
    call.mutable_filters()->set_refuse_seconds(refuse);
    return tell(call);
  }
  if (what == "suppresses") return tell(Call::Suppress());
  if (what == "revives") return tell(Call::Revive());
  if (what == "kills") {
    Call::Kill call;
    call.mutable_task_id()->set_value(words.take("a task"));
    if (words.take_if("on")) call.mutable_agent_id()->set_value(id(words.line(), words.take("an agent")));
    if (words.take_if("grace")) *call.mutable_kill_policy() = grace(duration_in(words));
    return tell(call);
  }
  if (what == "reconciles") {
    Call::Reconcile call;
    if (!words.at_end()) call.add_tasks()->mutable_task_id()->set_value(words.take("a task"));
    if (words.take_if("on"))
      call.mutable_tasks(0)->mutable_agent_id()->set_value(id(words.line(), words.take("an agent")));
    return tell(call);
  }
  if (what == "sends") {
    Call::Message call;
    call.set_data(unquoted(words.take("a text")));
    words.expect("to");
    const auto& executor = words.take("an executor");
    call.mutable_executor_id()->set_value(executor);
    words.expect("on");
    call.mutable_agent_id()->set_value(id(words.line(), words.take("an agent")));
    return tell(call);
  }
  if (what == "shuts") {
    words.expect("down");
    Call::Shutdown call;
    call.mutable_executor_id()->set_value(words.take("an executor"));
    words.expect("on");
    call.mutable_agent_id()->set_value(id(words.line(), words.take("an agent")));
    return tell(call);
  }
  if (what == "tears") {
    words.expect("down");
    return tell(internal::TeardownFramework());
  }
  if (what == "stops") {
    world_.tell(who, "exit", "");
    return true;
  }
  return false;
}

void player::launch(const std::string& who, word_reader& words) {
  v1::TaskInfo task;
  const auto& name = words.take("a task");
  task.set_name(name);
  task.mutable_task_id()->set_value(name);
  const auto needs = troupe::resources::parse(words.take("resources"));
  if (!needs) words.line().fail(needs.error().message);
  *task.mutable_resources() = needs->proto();
  words.expect("on");
  const auto agent = words.take("an agent");
  *task.mutable_agent_id() = agent_id(id(words.line(), agent)).proto();
  if (words.take_if("in")) {
    const auto& executor = words.take("an executor");
    task.mutable_executor()->mutable_executor_id()->set_value(executor);
    task.mutable_executor()->mutable_framework_id()->set_value(id(words.line(), who));
    task.mutable_executor()->mutable_command()->set_value("run-" + executor);
  } else {
    task.mutable_command()->set_value("run-" + name);
  }
  if (words.take_if("grace")) *task.mutable_kill_policy() = grace(duration_in(words));

  const auto open = open_offers(who, agent);
  if (open.empty()) words.line().fail(who + " holds no offer of " + agent);
  scheduler::Call::Accept call;
  *call.add_offer_ids() = open.back().id();
  used_offers_.insert(open.back().id().value());
  auto* operation = call.add_operations();
  operation->set_type(v1::Offer::Operation::LAUNCH);
  *operation->mutable_launch()->add_task_infos() = task;
  call.mutable_filters()->set_refuse_seconds(0);
  world_.tell(who, call.GetDescriptor()->full_name(), call.SerializeAsString());
}

bool player::act_as_executor(const std::string& who, const std::string& what, word_reader& words) {
  if (what == "reports") {
    v1::TaskStatus status;
    status.mutable_task_id()->set_value(words.take("a task"));
    v1::TaskState state;
    const auto& name = words.take("a state");
    if (!v1::TaskState_Parse(name, &state)) words.line().fail("'" + name + "' is no state of a task");
    status.set_state(state);
    world_.tell(who, "report", status.SerializeAsString());
  } else if (what == "sends") {
    world_.tell(who, "send", unquoted(words.take("a text")));
  } else if (what == "stops") {
    world_.tell(who, "exit", "");
  } else {
    return false;
  }
  return true;
}

void player::say(const std::string& who, word_reader& words) {
  auto body = new_message(verb_written(words.take("a verb")));
  auto to = world_.server_of(who);
  if (words.take_if("to")) to = words.take("a process");
  if (to.empty()) words.line().fail("whom does " + who + " say it to?");
  std::string text;
  if (!words.at_end()) text = words.take("a message");
  if (text.size() >= 2 && text.front() == '{') text = text.substr(1, text.rfind('}') - 1);
  if (!google::protobuf::TextFormat::ParseFromString(expanded(words.line(), who, text), body.get()))
    words.line().fail("the message is not in protobuf's text format");
  world_.say(who, to, *body);
}

/// `$a1` stands for the id of a1, `$a1.offer` for that of the newest offer of it that `who` holds.
std::string player::expanded(const script_line& line, const std::string& who, const std::string& text) const {
  std::string out;
  for (std::size_t i = 0; i < text.size();) {
    if (text[i] != '$') {
      out += text[i++];
      continue;
    }
    auto end = ++i;
    while (end < text.size() && (std::isalnum(static_cast<unsigned char>(text[end])) || text[end] == '-')) ++end;
    const auto name = text.substr(i, end - i);
    constexpr const char* offer = ".offer";
    if (text.compare(end, 6, offer) == 0) {
      const auto open = open_offers(who, name);
      if (open.empty()) line.fail(who + " holds no offer of " + name);
      out += open.back().id().value();
      end += 6;
    } else {
      out += id(line, name);
    }
    i = end;
  }
  return out;
}

std::string player::id(const script_line& line, const std::string& name) const {
  auto found = world_.id_of(name);
  if (found.empty()) line.fail("'" + name + "' has no id in this cluster yet");
  return found;
}

}  // namespace troupe::testing
