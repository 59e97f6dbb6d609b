// Our shells against bare CAF actors of the same shape: pairs of actors that answer each other, and one server with
// many clients, with so many messages under way. Ours carry each message through the directory, a core, its outbox and
// the event ring, all in one process with one worker. The bare ones send the same messages, freshly made and shared,
// from handler to handler.
#include "actors/runtime/process.hpp"
#include "actors/runtime/shell.hpp"
#include "tests/bench/figures.hpp"

#include <caf/typed_event_based_actor.hpp>

#include <atomic>
#include <cstdio>
#include <cstdlib>
#include <future>

namespace troupe::bench {
namespace {

/// How many askers, how many of them a server answers, and what each has under way.
struct shape {
  std::size_t askers, askers_per_server, outstanding, questions;
  std::size_t servers() const { return askers / askers_per_server; }
  std::size_t messages() const { return 2 * askers * questions; }
};

/// Done when every asker is.
class finish_line {
 public:
  explicit finish_line(std::size_t askers) : left_(askers) {}
  void arrive() {
    if (left_.fetch_sub(1) == 1) done_.set_value();
  }
  void wait() {
    if (done_.get_future().wait_for(std::chrono::seconds(120)) == std::future_status::ready) return;
    std::fprintf(stderr, "shells_bench: the actors got no further within 120 s\n");
    std::exit(1);
  }

 private:
  std::atomic<std::size_t> left_;
  std::promise<void> done_;
};

Address asker_at(std::size_t i) {
  return address(internal::MASTER, "0123456789abcdef0123456789abcd" + std::to_string(10 + i));
}
Address server_at(std::size_t i) {
  return address(internal::AGENT, "fedcba9876543210fedcba98765432" + std::to_string(10 + i));
}

internal::Ping question(std::uint64_t number) {
  internal::Ping ping;
  ping.set_connected(true);
  ping.set_number(number);
  return ping;
}
internal::Pong answer(std::uint64_t number) {
  internal::Pong pong;
  pong.mutable_agent_id()->set_value("a");
  pong.set_number(number);
  return pong;
}

// --- ours

/// What a core has besides its decisions, for cores that remember nothing.
struct core_base {
  void remember(std::string_view, std::string_view) {}
  view look(const std::string&) const { return std::make_shared<internal::Pong>(); }
  void check_invariants() const {}
};

class server_core : public core_base {
 public:
  using hears = verbs<internal::Recovered, internal::TimerFired, internal::Ping>;
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
    outbox out;
    step s{head, now, out};
    dispatch(*this, s, body);
    return out;
  }
  void handle(step&, const internal::Recovered&) {}
  void handle(step&, const internal::TimerFired&) {}
  void handle(step& s, const internal::Ping& ping) { s.say(s.head.from(), answer(ping.number())); }
};

class asker_core : public core_base {
 public:
  using hears = verbs<internal::Recovered, internal::TimerFired, internal::ProgramEvent, internal::Pong>;
  asker_core(Address server, const shape& work, finish_line& end)
      : server_(std::move(server)), work_(work), end_(end) {}

  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now) {
    outbox out;
    step s{head, now, out};
    dispatch(*this, s, body);
    return out;
  }
  void handle(step&, const internal::Recovered&) {}
  void handle(step&, const internal::TimerFired&) {}
  void handle(step& s, const internal::ProgramEvent&) {
    while (asked_ < work_.outstanding && asked_ < work_.questions) ask(s);
  }
  void handle(step& s, const internal::Pong&) {
    if (++answered_ == work_.questions) end_.arrive();
    if (asked_ < work_.questions) ask(s);
  }

 private:
  void ask(step& s) { s.say(server_, question(++asked_)); }

  Address server_;
  shape work_;
  finish_line& end_;
  std::size_t asked_ = 0, answered_ = 0;
};

using server_shell = hears<server_core::hears, shell_timer, shell_view>;
using asker_shell = hears<asker_core::hears, shell_timer, shell_view>;

void begin(directory& names, const Address& asker) {
  auto head = std::make_shared<Envelope>();
  *head->mutable_from() = address(internal::RUNTIME, "local");
  *head->mutable_to() = asker;
  head->set_verb(verb_number<internal::ProgramEvent>::value);
  names.deliver(head, std::make_shared<internal::ProgramEvent>());
}

double run_shells(const shape& work) {
  finish_line end(work.askers);
  process_options options;
  options.name = "bench";
  auto host = process::open(options);
  if (!host) std::exit(1);
  auto& rt = (*host)->rt();
  finish_line ready(work.askers + work.servers());
  const auto on_ready = [&ready](const Address&) { ready.arrive(); };
  for (std::size_t i = 0; i < work.servers(); ++i) {
    shell_setup<server_core> setup;
    setup.at = server_at(i);
    setup.make = [] { return server_core(); };
    setup.on_ready = on_ready;
    (*host)->supervise(shell_child<server_core, server_shell>((*host)->system(), rt, "server", setup));
  }
  for (std::size_t i = 0; i < work.askers; ++i) {
    shell_setup<asker_core> setup;
    setup.at = asker_at(i);
    setup.make = [server = server_at(i / work.askers_per_server), &work, &end] {
      return asker_core(server, work, end);
    };
    setup.on_ready = on_ready;
    (*host)->supervise(shell_child<asker_core, asker_shell>((*host)->system(), rt, "asker", setup));
  }
  ready.wait();
  return per_second(work.messages(), [&] {
    for (std::size_t i = 0; i < work.askers; ++i) begin((*host)->names(), asker_at(i));
    end.wait();
  });
}

// --- bare

/// A message as bare actors share it.
template <class Message>
struct bare {
  std::shared_ptr<const Message> body;
  std::size_t asker;
};

}  // namespace
}  // namespace troupe::bench

namespace caf {
template <class Message>
struct allowed_unsafe_message_type<troupe::bench::bare<Message>> : std::true_type {};
}  // namespace caf

namespace troupe::bench {
namespace {

template <class Message>
bare<Message> shared(Message message, std::size_t asker) {
  return {std::make_shared<const Message>(std::move(message)), asker};
}

using bare_asker = caf::typed_actor<caf::reacts_to<bare<internal::ProgramEvent>>, caf::reacts_to<bare<internal::Pong>>>;
using bare_server = caf::typed_actor<caf::reacts_to<bare<internal::Ping>>>;

bare_server::behavior_type serve_bare(bare_server::pointer self, const std::vector<bare_asker>* askers) {
  return {[=](const bare<internal::Ping>& asked) {
    self->send((*askers)[asked.asker], shared(answer(asked.body->number()), asked.asker));
  }};
}

bare_asker::behavior_type ask_bare(bare_asker::pointer self, bare_server server, std::size_t number, shape work,
                                   finish_line* end) {
  struct counts {
    std::size_t asked = 0, answered = 0;
  };
  auto state = std::make_shared<counts>();
  const auto ask = [=] { self->send(server, shared(question(++state->asked), number)); };
  return {[=](const bare<internal::ProgramEvent>&) {
            while (state->asked < work.outstanding && state->asked < work.questions) ask();
          },
          [=](const bare<internal::Pong>&) {
            if (++state->answered == work.questions) end->arrive();
            if (state->asked < work.questions) ask();
          }};
}

double run_bare(const shape& work) {
  finish_line end(work.askers);
  std::vector<bare_asker> askers;
  std::vector<bare_server> servers;
  caf::actor_system_config config;
  config.set("scheduler.policy", caf::atom("sharing"));
  config.set("scheduler.max-threads", std::size_t{1});
  caf::actor_system system(config);
  for (std::size_t i = 0; i < work.servers(); ++i) servers.push_back(system.spawn(serve_bare, &askers));
  for (std::size_t i = 0; i < work.askers; ++i)
    askers.push_back(system.spawn(ask_bare, servers[i / work.askers_per_server], i, work, &end));
  const auto rate = per_second(work.messages(), [&] {
    for (std::size_t i = 0; i < work.askers; ++i) caf::anon_send(askers[i], shared(internal::ProgramEvent{}, i));
    end.wait();
  });
  for (auto& actor : askers) caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  for (auto& actor : servers) caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  system.await_all_actors_done();
  return rate;
}

void measure(const request& asked, const std::string& name, shape work) {
  if (!asked.wants(name)) return;
  work.questions = asked.scaled(work.questions);
  std::vector<double> ours, theirs, our_cpu, their_cpu;
  for (std::size_t pair = 0; pair < asked.pairs; ++pair) {
    our_cpu.push_back(cpu_us_each(work.messages(), [&] { ours.push_back(run_shells(work)); }));
    their_cpu.push_back(cpu_us_each(work.messages(), [&] { theirs.push_back(run_bare(work)); }));
  }
  figure line(name);
  line.with("askers", work.askers).with("servers", work.servers()).with("outstanding", work.outstanding);
  line.with("messages_per_s", median(ours), 0).with("caf_messages_per_s", median(theirs), 0);
  line.with_ratio("caf", ours, theirs).with("cpu_us", median(our_cpu), 2).with("caf_cpu_us", median(their_cpu), 2);
}

}  // namespace
}  // namespace troupe::bench

int main(int argument_count, char** arguments) {
  using namespace troupe::bench;
  const auto asked = parse_request(argument_count, arguments);
  measure(asked, "shells.pairs", {8, 1, 125, 50'000});
  measure(asked, "shells.server", {8, 8, 250, 50'000});
}
