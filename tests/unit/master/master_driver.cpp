#include "tests/unit/master/master_driver.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

#include <catch2/catch.hpp>

namespace troupe::testing {

namespace {

std::string bytes_of(const google::protobuf::Message& message) {
  std::string bytes;
  google::protobuf::io::StringOutputStream stream(&bytes);
  google::protobuf::io::CodedOutputStream coded(&stream);
  coded.SetSerializationDeterministic(true);
  message.SerializePartialToCodedStream(&coded);
  coded.Trim();
  return bytes;
}

void require_same(const outbox& a, const outbox& b) {
  REQUIRE(a.log == b.log);
  REQUIRE(a.edits == b.edits);
  REQUIRE(a.wake_at == b.wake_at);
  REQUIRE(a.letters.size() == b.letters.size());
  for (std::size_t i = 0; i < a.letters.size(); ++i) {
    REQUIRE(same(a.letters[i].to, b.letters[i].to));
    REQUIRE(a.letters[i].verb == b.letters[i].verb);
    REQUIRE(bytes_of(*a.letters[i].body) == bytes_of(*b.letters[i].body));
  }
}

}  // namespace

master_driver::master_driver(master_options options, std::string cluster)
    : options_(std::move(options)), cluster_(std::move(cluster)), core_(options_) {
  now_.now = monotonic_time(std::chrono::hours(1));
  now_.wall_now = wall_time(std::chrono::hours(24 * 365 * 50));
  restart();
}

void master_driver::restart() {
  core_ = master(options_);
  for (const auto& [key, record] : store_) core_.remember(key, record);
  ++now_.incarnation;
  internal::Recovered recovered;
  recovered.set_id(cluster_);
  recovered.set_incarnation(now_.incarnation);
  take_step(runtime(), recovered);
}

void master_driver::restart_after(std::chrono::nanoseconds time) {
  now_.now += time;
  now_.wall_now += time;
  restart();
}

void master_driver::take_step(const Address& from, const google::protobuf::Message& message) {
  Envelope head;
  *head.mutable_from() = from;
  *head.mutable_to() = leader();
  head.set_verb(verb_of(message));
  auto twin = master::load(core_.save(), options_);
  REQUIRE(bytes_of(twin.save()) == bytes_of(core_.save()));
  last_ = core_.on(head, message, now_);
  require_same(last_, twin.on(head, message, now_));
  for (const auto& letter : last_.letters) {
    INFO(letter.body->GetTypeName() << ": " << letter.body->InitializationErrorString());
    REQUIRE(letter.body->IsInitialized());
  }
  core_.check_invariants();
  for (const auto& edit : last_.edits) {
    if (edit.record)
      store_[edit.key] = *edit.record;
    else
      store_.erase(edit.key);
  }
}

void master_driver::pass(std::chrono::nanoseconds time) {
  const auto end = now_.now + time;
  outbox all;
  all.wake_at = last_.wake_at;
  while (last_.wake_at && *last_.wake_at <= end) {
    const auto wait = std::max(*last_.wake_at - now_.now, std::chrono::nanoseconds(0));
    now_.now += wait;
    now_.wall_now += wait;
    take_step(runtime(), internal::TimerFired());
    all.edits.insert(all.edits.end(), last_.edits.begin(), last_.edits.end());
    all.letters.insert(all.letters.end(), last_.letters.begin(), last_.letters.end());
    all.log.insert(all.log.end(), last_.log.begin(), last_.log.end());
    all.wake_at = last_.wake_at;
  }
  now_.wall_now += end - now_.now;
  now_.now = end;
  last_ = std::move(all);
}

bool master_driver::logged(const std::string& beginning) const {
  return std::any_of(last_.log.begin(), last_.log.end(),
                     [&](const std::string& line) { return line.compare(0, beginning.size(), beginning) == 0; });
}

internal::MasterView master_driver::view() const {
  return static_cast<const internal::MasterView&>(*core_.look(""));
}

void master_driver::fail_unless(bool holds, const std::string& what, std::size_t count) {
  INFO("expected one " << what << ", got " << count);
  REQUIRE(holds);
}

agent_id master_driver::register_agent(const std::string& name, const std::string& resources) {
  internal::RegisterAgent call;
  *call.mutable_info() = agent_info(name, resources);
  call.set_version("1");
  hear(agent_at(name), call);
  return agent_id(one<internal::AgentRegistered>(agent_at(name)).agent_id());
}

framework_id master_driver::subscribe(const std::string& name, double failover_timeout, bool partition_aware) {
  scheduler::Call::Subscribe call;
  *call.mutable_framework_info() = framework_info(name, failover_timeout, partition_aware);
  hear(framework_at(name), call);
  return framework_id(one<scheduler::Event::Subscribed>(framework_at(name)).framework_id());
}

v1::Offer master_driver::offer(const framework_id& to, const agent_id& on, const std::string& resources) {
  hear(allocator(), offered(to, on, resources));
  for (const auto& letter : last_.letters)
    if (letter.verb == verb_number<scheduler::Event::Offers>::value)
      return static_cast<const scheduler::Event::Offers&>(*letter.body).offers(0);
  FAIL("no offer was made");
  return {};
}

void master_driver::launch(const std::string& framework_name, const framework_id& by, const agent_id& on,
                           const std::string& task, const std::string& resources) {
  const auto open = offer(by, on, resources);
  hear(framework_at(framework_name), accepting({open}, {launching({command_task(task, on, resources)})}));
  REQUIRE(count<internal::RunTask>() == 1);
}

void master_driver::report(const std::string& agent_name, const agent_id& on, const framework_id& of,
                           const std::string& task, v1::TaskState state, const std::string& update) {
  internal::StatusUpdated updated;
  *updated.mutable_agent_id() = on.proto();
  *updated.mutable_framework_id() = of.proto();
  updated.mutable_status()->mutable_task_id()->set_value(task);
  updated.mutable_status()->set_state(state);
  updated.mutable_status()->set_uuid(uuid(update));
  updated.set_latest_state(state);
  hear(agent_at(agent_name), updated);
}

void master_driver::acknowledge(const std::string& framework_name, const agent_id& on, const std::string& task,
                                const std::string& update) {
  scheduler::Call::Acknowledge call;
  *call.mutable_agent_id() = on.proto();
  call.mutable_task_id()->set_value(task);
  call.set_uuid(uuid(update));
  hear(framework_at(framework_name), call);
}

void master_driver::lose_link(const Address& peer) {
  internal::PeerDisconnected event;
  *event.mutable_peer() = peer;
  event.set_reason("test");
  hear(runtime(), event);
}

v1::AgentInfo agent_info(const std::string& hostname, const std::string& resources) {
  v1::AgentInfo info;
  info.set_hostname(hostname);
  text(resources).add_to(info.mutable_resources());
  return info;
}

v1::FrameworkInfo framework_info(const std::string& name, double failover_timeout, bool partition_aware) {
  v1::FrameworkInfo info;
  info.set_user("nobody");
  info.set_name(name);
  info.set_failover_timeout(failover_timeout);
  if (partition_aware) info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
  return info;
}

v1::TaskInfo command_task(const std::string& id, const agent_id& on, const std::string& resources) {
  v1::TaskInfo task;
  task.set_name(id);
  task.mutable_task_id()->set_value(id);
  *task.mutable_agent_id() = on.proto();
  text(resources).add_to(task.mutable_resources());
  task.mutable_command()->set_value("true");
  return task;
}

v1::TaskInfo executor_task(const std::string& id, const agent_id& on, const std::string& resources,
                           const std::string& executor, const std::string& executor_resources) {
  auto task = command_task(id, on, resources);
  task.clear_command();
  task.mutable_executor()->mutable_executor_id()->set_value(executor);
  task.mutable_executor()->mutable_command()->set_value("run");
  text(executor_resources).add_to(task.mutable_executor()->mutable_resources());
  return task;
}

v1::Offer::Operation launching(const std::vector<v1::TaskInfo>& tasks) {
  v1::Offer::Operation operation;
  operation.set_type(v1::Offer::Operation::LAUNCH);
  operation.mutable_launch();
  for (const auto& task : tasks) *operation.mutable_launch()->add_task_infos() = task;
  return operation;
}

scheduler::Call::Accept accepting(const std::vector<v1::Offer>& offers,
                                  const std::vector<v1::Offer::Operation>& operations) {
  scheduler::Call::Accept call;
  for (const auto& open : offers) *call.add_offer_ids() = open.id();
  for (const auto& operation : operations) *call.add_operations() = operation;
  return call;
}

internal::ResourcesOffered offered(const framework_id& to, const agent_id& on, const std::string& resources,
                                   const std::string& role) {
  internal::ResourcesOffered event;
  *event.mutable_framework_id() = to.proto();
  event.set_role(role);
  auto* share = event.add_shares();
  *share->mutable_agent_id() = on.proto();
  text(resources).allocated_to(role).add_to(share->mutable_resources());
  return event;
}

internal::ReregisterAgent reregistration(const agent_id& id, const std::string& name, const std::string& resources) {
  internal::ReregisterAgent call;
  *call.mutable_info() = agent_info(name, resources);
  *call.mutable_info()->mutable_id() = id.proto();
  call.set_version("1");
  call.set_cluster_id("c");
  return call;
}

v1::Task listed(const framework_id& of, const std::string& id, v1::TaskState state, const std::string& resources) {
  v1::Task task;
  task.set_name(id);
  task.mutable_task_id()->set_value(id);
  *task.mutable_framework_id() = of.proto();
  task.mutable_agent_id()->set_value("filled in by the master");
  task.set_state(state);
  text(resources).allocated_to("*").add_to(task.mutable_resources());
  return task;
}

std::string uuid(const std::string& name) {
  auto bytes = name;
  bytes.resize(16, '.');
  return bytes;
}

resources parsed(const resources::proto_list& list) {
  return resources::from(list).value();
}

resources text(const std::string& text) {
  return resources::parse(text).value();
}

}  // namespace troupe::testing
