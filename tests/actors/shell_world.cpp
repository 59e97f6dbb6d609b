#include "tests/actors/shell_world.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <stdexcept>

namespace troupe {

void echo_core::remember(std::string_view, std::string_view record) {
  internal::CounterRecord counter;
  if (decode_record(record, counter)) highest_ = std::max(highest_, counter.next());
}

outbox echo_core::on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
  outbox out;
  step s{head, now, out};
  dispatch(*this, s, body);
  out.wake_at = wake_;
  return out;
}

internal::CounterRecord echo_core::save() const {
  internal::CounterRecord counter;
  counter.set_next(highest_);
  return counter;
}

std::shared_ptr<const google::protobuf::Message> echo_core::look(const std::string&) const {
  return std::make_shared<const internal::CounterRecord>(save());
}

void echo_core::handle(step&, const internal::Recovered&) {}

void echo_core::handle(step& s, const internal::TimerFired&) {
  wake_.reset();
  s.say(address(internal::OPERATOR, "ear"), internal::Pong{});
}

void echo_core::handle(step& s, const internal::Ping& m) {
  if (m.number() == 13) throw std::logic_error("thirteen");
  highest_ = std::max(highest_, m.number());
  if (m.connected()) wake_ = s.now.now + std::chrono::milliseconds(m.number());
  internal::CounterRecord counter;
  counter.set_next(m.number());
  s.put(keys::path({"echo", keys::ordered(m.number())}), counter);
  internal::Pong pong;
  pong.set_number(m.number());
  s.say(address(internal::OPERATOR, "ear"), std::move(pong));
}

shell_world::shell_world() {
  config.set("scheduler.policy", caf::atom("testing"));
  system = std::make_unique<caf::actor_system>(config);
  ring = std::move(event_ring::open("", 1 << 16).value());
  store_ = spawn_store();
  rt = std::make_unique<services>(names, board, *ring, store_);
  desk = std::make_unique<view_desk>(*system);
  names.add_endpoint(
      address(internal::OPERATOR, "ear"),
      [this](const directory::head_ptr& head, const directory::body_ptr& body, const std::shared_ptr<void>&) {
        const auto* pong = dynamic_cast<const internal::Pong*>(body.get());
        if (!pong) return false;
        heard.push_back(pong->number());
        heads.push_back(*head);
        return true;
      });
}

shell_world::~shell_world() {
  commits_.clear();
  if (supervisor) caf::anon_send_exit(supervisor, caf::exit_reason::user_shutdown);
  supervisor = nullptr;
  names.clear();
  desk->close();
  run();
  caf::anon_send_exit(rt->journal, caf::exit_reason::user_shutdown);
  rt.reset();
  store_ = nullptr;
  run();
}

caf::scheduler::test_coordinator& shell_world::coordinator() {
  return dynamic_cast<caf::scheduler::test_coordinator&>(system->scheduler());
}

shell_world::store_actor shell_world::spawn_store() {
  auto behave = [this](store_actor::pointer self) -> store_actor::behavior_type {
    return {[this, self](const commit_request& request) {
              waiting w{request.edits, self->make_response_promise<commit_done>()};
              auto promise = w.promise;
              commits_.push_back(std::move(w));
              if (answer_at_once) answer_oldest(true);
              return promise;
            },
            [this](const scan_request& request) {
              auto found = std::make_shared<scan_result>();
              for (const auto& [key, record] : stored)
                if (keys::under(key, request.prefix)) found->records.push_back({key, record});
              return scan_done{found};
            },
            [this](const store_answer& told) { answer_oldest(told.success); }};
  };
  return system->spawn(behave);
}

void shell_world::start() {
  supervisor_options options;
  options.on_give_up = [this](const std::string& message) { gave_up.push_back(message); };
  shell_setup<echo_core> setup;
  setup.at = address(internal::MASTER, "echo");
  setup.identity = keys::identity("echo");
  setup.prefixes = {"echo"};
  setup.make = [] { return echo_core(); };
  setup.desk = desk.get();
  std::vector<child_spec> children{shell_child<echo_core, echo_actor>(*system, *rt, "echo", setup)};
  supervisor = spawn_supervisor(*system, options, std::move(children));
  run();
}

void shell_world::ping(std::uint64_t number, bool with_timer) {
  auto head = std::make_shared<Envelope>();
  *head->mutable_from() = address(internal::OPERATOR, "ear");
  *head->mutable_to() = address(internal::MASTER, "echo");
  head->set_verb(verb_number<internal::Ping>::value);
  head->set_trace(1000 + number);
  auto body = std::make_shared<internal::Ping>();
  body->set_number(number);
  if (with_timer) body->set_connected(true);
  names.deliver(head, body);
}

void shell_world::run() {
  coordinator().run();
}

void shell_world::answer_oldest(bool success) {
  auto oldest = std::move(commits_.front());
  commits_.pop_front();
  if (!success) {
    oldest.promise.deliver(caf::make_error(caf::sec::runtime_error, "disk full"));
    return;
  }
  for (const auto& change : *oldest.edits) {
    if (change.record)
      stored[change.key] = *change.record;
    else
      stored.erase(change.key);
  }
  oldest.promise.deliver(commit_done{});
}

void shell_world::commit_succeeds() {
  caf::anon_send(store_, store_answer{true});
  run();
}

void shell_world::commit_fails() {
  caf::anon_send(store_, store_answer{false});
  run();
}

std::size_t shell_world::commits_waiting() const {
  return commits_.size();
}

void shell_world::advance(std::chrono::milliseconds by) {
  coordinator().advance_time(by);
  run();
}

}  // namespace troupe
