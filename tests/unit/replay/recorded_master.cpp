#include "tests/unit/replay/recorded_master.hpp"

#include "actors/runtime/recorded_step.hpp"

#include <stdexcept>
#include <utility>

namespace troupe::testing {

namespace {

master_options unusual() {
  master_options options;
  options.offer_timeout = std::chrono::seconds(30);
  options.ping_interval = std::chrono::seconds(7);
  return options;
}

const Address home = address(internal::RUNTIME, "local");
const Address agent = address(internal::AGENT, "a");
const Address framework = address(internal::FRAMEWORK, "f");

}  // namespace

recorded_master::recorded_master() : writer_(recording_writer::into(bytes_)), options_(unusual()), core_(options_) {
  now_.now = monotonic_time(std::chrono::hours(1));
  now_.wall_now = wall_time(std::chrono::hours(24 * 365 * 50));
  now_.incarnation = 1;
  internal::RecordingHeader header;
  *header.mutable_actor() = leader();
  header.set_incarnation(1);
  const auto options = options_message(options_);
  if (!writer_->begin(header, core_.save(), &options)) throw std::logic_error("a recording does not begin");

  internal::Recovered recovered;
  recovered.set_id("c");
  recovered.set_incarnation(1);
  hear(home, recovered);
  internal::RegisterAgent call;
  *call.mutable_info() = agent_info("a", "cpus:4;mem:4096");
  const auto on = agent_id(hear<internal::AgentRegistered>(agent, call).agent_id());
  scheduler::Call::Subscribe subscribe;
  *subscribe.mutable_framework_info() = framework_info("f", 3600, true);
  const auto by = framework_id(hear<scheduler::Event::Subscribed>(framework, subscribe).framework_id());
  const auto open = hear<scheduler::Event::Offers>(allocator(), offered(by, on, "cpus:2;mem:1024")).offers(0);
  hear<internal::RunTask>(framework, accepting({open}, {launching({command_task("t1", on, "cpus:1;mem:32")})}));
  internal::StatusUpdated updated;
  *updated.mutable_agent_id() = on.proto();
  *updated.mutable_framework_id() = by.proto();
  updated.mutable_status()->mutable_task_id()->set_value("t1");
  updated.mutable_status()->set_state(v1::TASK_FINISHED);
  updated.mutable_status()->set_uuid(uuid("u"));
  updated.set_latest_state(v1::TASK_FINISHED);
  hear<scheduler::Event::Update>(agent, updated);
}

outbox recorded_master::hear(const Address& from, const google::protobuf::Message& event) {
  now_.now += std::chrono::milliseconds(250);
  now_.wall_now += std::chrono::milliseconds(250);
  now_.random_seed += 0x9e3779b97f4a7c15u;
  Envelope head;
  *head.mutable_from() = from;
  *head.mutable_to() = leader();
  head.set_verb(verb_of(event));
  auto out = core_.on(head, event, now_);
  if (!writer_->add(recorded_step(++events_, head, event, now_, out))) throw std::logic_error("a step is not recorded");
  return out;
}

template <class Message>
Message recorded_master::hear(const Address& from, const google::protobuf::Message& event) {
  for (const auto& letter : hear(from, event).letters)
    if (letter.verb == verb_number<Message>::value) return static_cast<const Message&>(*letter.body);
  throw std::logic_error("the master does not say " + Message().GetTypeName());
}

std::string recorded_master::changed(const std::function<void(internal::RecordedStep&)>& change) const {
  auto reader = std::move(recording_reader::of(bytes_)).value();
  std::string bytes;
  auto writer = recording_writer::into(bytes);
  const auto options = options_message(options_);
  if (!writer->begin(reader->header(), master(options_).save(), &options))
    throw std::logic_error("a recording does not begin");
  while (auto step = std::move(reader->next()).value()) {
    change(*step);
    if (!writer->add(*step)) throw std::logic_error("a step is not recorded");
  }
  return bytes;
}

}  // namespace troupe::testing
