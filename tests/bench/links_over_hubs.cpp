#include "actors/runtime/link_hub.hpp"
#include "actors/runtime/net/http_server.hpp"
#include "actors/runtime/net/io_threads.hpp"
#include "actors/runtime/net/link_connector.hpp"
#include "actors/runtime/net/tls_context.hpp"
#include "tests/bench/figures.hpp"
#include "tests/bench/link_workload.hpp"

#include <unistd.h>
#include <caf/actor_system.hpp>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <mutex>

namespace troupe::bench {
namespace {

// As processes of ours are: one worker, one I/O thread.
struct bench_system_config : caf::actor_system_config {
  bench_system_config() {
    set("scheduler.policy", caf::atom("sharing"));
    set("scheduler.max-threads", std::size_t{1});
  }
};

template <class Message>
void say(directory& names, const Address& from, const Address& to, std::uint64_t sequence, Message message) {
  auto head = std::make_shared<const Envelope>(head_of(from, to, verb_number<Message>::value, sequence));
  names.deliver(head, std::make_shared<const Message>(std::move(message)));
}

link_identity identity_of(const Address& at) {
  link_identity self;
  self.role = at.role();
  self.id = at.id();
  return self;
}

/// TROUPE_TLS_CERT, …_KEY and …_CA, as for daemons, make the links TLS; without them they are plain. What is wrong with
/// them ends the program.
std::shared_ptr<const tls_context> tls_of(bool server) {
  tls_files files;
  const auto take = [](const char* name, std::string& into) {
    if (const char* value = std::getenv(name)) into = value;
  };
  take("TROUPE_TLS_CERT", files.certificate);
  take("TROUPE_TLS_KEY", files.key);
  take("TROUPE_TLS_CA", files.authority);
  if (files.certificate.empty()) return nullptr;
  auto made = server ? tls_context::of_server(files, true) : tls_context::of_client(files);
  if (made) return *made;
  std::fprintf(stderr, "links_bench: %s\n", made.error().message.c_str());
  std::exit(1);
}

using peers_say = verbs<internal::PeerConnected, internal::PeerDisconnected>;

using server_list = join<peers_say, verbs<scheduler::Call::Message>>;
using server_actor = hears<server_list>;

server_actor::behavior_type server(server_actor::pointer, directory* names, std::size_t answer_every) {
  struct counts {
    std::map<Address, std::size_t, address_less> heard;
    std::uint64_t sequence = 0;
  };
  auto state = std::make_shared<counts>();
  return {[](const said<internal::PeerConnected>&) {}, [](const said<internal::PeerDisconnected>&) {},
          [=](const said<scheduler::Call::Message>& letter) {
            if (++state->heard[letter.head->from()] % answer_every != 0) return;
            say(*names, server_address(), letter.head->from(), ++state->sequence, answer_to(*letter.body));
          }};
}

/// Lets the main thread wait until all clients have got somewhere.
class gate {
 public:
  void arrive() {
    std::lock_guard<std::mutex> lock(mutex_);
    ++arrived_;
    changed_.notify_all();
  }
  void wait(std::size_t count) {
    std::unique_lock<std::mutex> lock(mutex_);
    if (changed_.wait_for(lock, std::chrono::seconds(120), [&] { return arrived_ >= count; })) return;
    std::fprintf(stderr, "links_bench: %zu of %zu clients got no further within 120 s\n", count - arrived_, count);
    std::exit(1);
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  std::size_t arrived_ = 0;
};

using client_list = join<peers_say, verbs<internal::ProgramEvent, scheduler::Event::Message>>;
using client_actor = hears<client_list>;

struct client_tools {
  directory* names;
  Address self;
  link_workload work;
  gate *connected, *done;
  std::vector<double>* waits_us;
};

class client {
 public:
  explicit client(client_tools tools) : tools_(std::move(tools)) {}

  void begin() { send(tools_.work.outstanding); }

  void on_answer() {
    const auto& work = tools_.work;
    answered_ += work.answer_every;
    if (work.outstanding == 1) {
      tools_.waits_us->push_back(
          std::chrono::duration<double, std::micro>(std::chrono::steady_clock::now() - sent_at_).count());
    }
    if (answered_ == work.messages) return tools_.done->arrive();
    send(work.answer_every);
  }

 private:
  void send(std::size_t count) {
    sent_at_ = std::chrono::steady_clock::now();
    for (; count > 0 && sent_ < tools_.work.messages; --count) {
      say(*tools_.names, tools_.self, leader(), ++sent_, question(tools_.work.body_bytes));
    }
  }

  client_tools tools_;
  std::size_t sent_ = 0, answered_ = 0;
  std::chrono::steady_clock::time_point sent_at_;
};

client_actor::behavior_type client_behaviour(client_actor::pointer, const client_tools& tools) {
  auto me = std::make_shared<client>(tools);
  return {[connected = tools.connected](const said<internal::PeerConnected>&) { connected->arrive(); },
          [](const said<internal::PeerDisconnected>& letter) {
            if (letter.body->reason() == "shutting down") return;
            std::fprintf(stderr, "links_bench: a link ended: %s\n", letter.body->reason().c_str());
            std::exit(1);
          },
          [me](const said<internal::ProgramEvent>&) { me->begin(); },
          [me](const said<scheduler::Event::Message>&) { me->on_answer(); }};
}

/// One client as a process of its own would have it, but for system and I/O thread.
struct client_seat {
  client_seat(caf::actor_system& system, io_threads& io, std::size_t number, std::uint16_t port, client_tools tools,
              const std::shared_ptr<const tls_context>& tls)
      : at(client_address(number)), hub(system, names, board, at, options.link.counters) {
    tools.names = &names;
    tools.self = at;
    actor = system.spawn(client_behaviour, tools);
    names.add<client_list>(at, actor);
    options.link.tls = tls;
    connector = std::make_unique<link_connector>(
        io, [self = identity_of(at)] { return self; }, hub.events(), options);
    connector->set_target((tls ? "https://127.0.0.1:" : "http://127.0.0.1:") + std::to_string(port));
  }
  ~client_seat() {
    connector->stop();
    hub.stop();
    names.clear();
    caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
  }
  client_seat(const client_seat&) = delete;
  client_seat& operator=(const client_seat&) = delete;

  Address at;
  status_board board;
  directory names{board};
  connector_options options;
  link_hub hub;
  client_actor actor;
  std::unique_ptr<link_connector> connector;
};

}  // namespace

void serve_links(std::size_t answer_every) {
  status_board board;
  directory names(board);
  bench_system_config config;
  caf::actor_system system(config);
  io_threads io;
  link_options options;
  link_hub hub(system, names, board, server_address(), options.counters);
  auto actor = system.spawn(server, &names, answer_every);
  names.add<server_list>(server_address(), actor);
  names.add<server_list>(leader(), actor);
  link_acceptor acceptor;
  acceptor.admit = [](const link_identity& peer) { return admit_same_cluster(identity_of(server_address()), peer); };
  acceptor.events = hub.events();
  acceptor.options = options;
  http_options serving;
  serving.tls = tls_of(true);
  auto opened = http_server::open(io, serving, std::make_shared<http_routes>(), acceptor);
  if (!opened) return;
  announce_port((*opened)->port());
  char end;
  while (::read(STDIN_FILENO, &end, 1) > 0) {
  }
  (*opened)->stop();
  hub.stop();
  io.stop();
  names.clear();
  caf::anon_send_exit(actor, caf::exit_reason::user_shutdown);
}

link_outcome run_links(const link_workload& work, std::uint16_t port) {
  link_outcome outcome;
  gate connected, done;
  bench_system_config config;
  caf::actor_system system(config);
  io_threads io;
  const auto tls = tls_of(false);
  client_tools tools{nullptr, {}, work, &connected, &done, &outcome.waits_us};
  std::vector<std::unique_ptr<client_seat>> seats;
  for (std::size_t i = 0; i < work.clients; ++i) {
    seats.push_back(std::make_unique<client_seat>(system, io, i, port, tools, tls));
  }
  connected.wait(work.clients);
  outcome.per_s = per_second(work.clients * work.messages, [&] {
    for (auto& seat : seats) say(seat->names, seat->at, seat->at, 0, internal::ProgramEvent{});
    done.wait(work.clients);
  });
  seats.clear();
  io.stop();
  return outcome;
}

}  // namespace troupe::bench
