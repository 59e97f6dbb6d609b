#include "tools/emulator/emulation.hpp"

#include "actors/runtime/durable_id.hpp"
#include "actors/runtime/net/link_connector.hpp"
#include "storage/keys.hpp"
#include "tools/emulator/journal_part.hpp"
#include "tools/release.hpp"

#include <spdlog/spdlog.h>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <algorithm>
#include <chrono>
#include <thread>
#include <utility>

namespace troupe {

namespace {

class socket_line final : public master_line {
 public:
  socket_line(io_threads& io, const link_identity& self, link_events events, const connector_options& options,
              const std::string& url, std::function<void(const std::string&)> failed)
      : connector_(
            io, [self] { return self; }, std::move(events), options,
            [failed = std::move(failed)](const std::string& target, const error& e) {
              failed(target + ": " + e.message);
            }) {
    connector_.set_target(url);
  }

 private:
  link_connector connector_;
};

/// Connects again at once when the link ends: the master is there as long as the process is.
class in_process_line final : public master_line {
 public:
  in_process_line(io_threads& io, const link_identity& self, link_events events, const master_access& access,
                  const link_options& options)
      : state_(std::make_shared<state>(io, self, std::move(events), access, options)) {
    connect(state_);
  }
  ~in_process_line() override {
    std::shared_ptr<link> open;
    {
      std::lock_guard<std::mutex> lock(state_->mutex);
      state_->closing = true;
      open = std::move(state_->current);
    }
    if (open) open->close("shutting down");
  }

 private:
  struct state {
    state(io_threads& io, link_identity self, link_events events, const master_access& access, link_options options)
        : io(io), self(std::move(self)), events(std::move(events)), access(access), options(std::move(options)) {}

    io_threads& io;
    const link_identity self;
    const link_events events;
    const master_access& access;
    const link_options options;
    std::mutex mutex;
    std::shared_ptr<link> current;
    bool closing = false;

    bool goes_on() {
      std::lock_guard<std::mutex> lock(mutex);
      return !closing;
    }
  };

  static void connect(const std::shared_ptr<state>& at) {
    link_events mine;
    mine.up = [at](const std::shared_ptr<link>& up) {
      at->events.up(up);
      std::unique_lock<std::mutex> lock(at->mutex);
      if (!at->closing) {
        at->current = up;
        return;
      }
      lock.unlock();
      up->close("shutting down");
    };
    mine.envelope = at->events.envelope;
    mine.down = [at](const std::shared_ptr<link>& gone, const std::string& reason) {
      at->events.down(gone, reason);
      std::lock_guard<std::mutex> lock(at->mutex);
      at->current = nullptr;
      if (at->closing) return;
      at->io.post([at] {
        if (at->goes_on()) connect(at);
      });
    };
    connect_in_process(at->access.master, at->access.in_process, at->self, std::move(mine), at->options);
  }

  std::shared_ptr<state> state_;
};

}  // namespace

result<std::unique_ptr<emulation>> emulation::open(const std::string& journal_dir, master_access access) {
  std::unique_ptr<emulation> made(new emulation(std::move(access)));
  made->links_.tls = made->access_.tls;
  process_options options;
  options.name = "emulator";
  options.journal_dir = journal_dir;
  auto host = process::open(options);
  if (!host) return host.error();
  made->host_ = std::move(*host);
  made->io_ = std::make_unique<io_threads>();
  supervisor_options supervision;
  supervision.on_give_up = [stopped = made->host_.get()](const std::string& message) {
    spdlog::critical("emulator.gives_up message={}", message);
    stopped->stop(1);
  };
  made->supervisor_ = spawn_supervisor(made->host_->system(), std::move(supervision), {});
  made->note_started(caf::actor_cast<caf::strong_actor_ptr>(made->supervisor_));
  return made;
}

emulation::~emulation() {
  if (!host_) return;
  end_actors();
  if (io_) io_->stop();
}

void emulation::note_started(const caf::strong_actor_ptr& actor) {
  {
    std::lock_guard<std::mutex> lock(census_->mutex);
    ++census_->alive;
  }
  actor->get()->attach_functor([census = census_](const caf::error&) {
    std::lock_guard<std::mutex> lock(census->mutex);
    if (--census->alive == 0) census->changed.notify_all();
  });
}

void emulation::supervise(child_spec child) {
  auto start = std::move(child.start);
  child.start = [this, start] {
    auto actor = start();
    note_started(actor);
    return actor;
  };
  caf::anon_send(supervisor_, ::troupe::supervise{std::make_shared<child_spec>(std::move(child))});
}

void emulation::end_actors() {
  if (!supervisor_) return;
  caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  std::unique_lock<std::mutex> lock(census_->mutex);
  census_->changed.wait(lock, [this] { return census_->alive == 0; });
  supervisor_ = nullptr;
}

std::unique_ptr<master_line> emulation::call_master(std::size_t index, const link_identity& self, link_events events) {
  if (access_.url.empty()) return std::make_unique<in_process_line>(*io_, self, std::move(events), access_, links_);
  connector_options options;
  options.link = links_;
  if (!access_.sources.empty()) options.link.source = access_.sources[index % access_.sources.size()];
  return std::make_unique<socket_line>(*io_, self, std::move(events), options, access_.url,
                                       [this](const std::string& why) { note_failure(why); });
}

void emulation::note_failure(const std::string& why) {
  std::lock_guard<std::mutex> lock(mutex_);
  last_failure_ = why;
}

std::string emulation::last_failure() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return last_failure_;
}

emulated_peer::emulated_peer(emulation& home, std::string name)
    : home_(home),
      services_(names_, board_, home.host().rt().ring,
                spawn_journal_part(home.host().system(), home.host().rt().journal, keys::path({"emulated", name}))) {}

emulated_peer::~emulated_peer() {
  hang_up();
  caf::anon_send_exit(services_.journal, caf::exit_reason::user_shutdown);
}

actor_host emulated_peer::host() {
  return {home_.host().system(), services_, [this](child_spec child) { home_.supervise(std::move(child)); }};
}

result<Address> emulated_peer::identify(internal::Role role, const std::string& identity_key) {
  auto id = durable_id(host(), identity_key);
  if (!id) return id.error();
  self_ = address(role, *id);
  hub_ = std::make_unique<link_hub>(home_.host().system(), names_, board_, self_, home_.links().counters);
  return self_;
}

void emulated_peer::hear(std::function<void(const internal::ProgramEvent&)> listen) {
  names_.add_endpoint(
      address(internal::RUNTIME, "local"),
      [listen](const directory::head_ptr&, const directory::body_ptr& body, const std::shared_ptr<void>&) {
        const auto* event = dynamic_cast<const internal::ProgramEvent*>(body.get());
        if (event) listen(*event);
        return event != nullptr;
      });
}

void emulated_peer::call_master(std::size_t index) {
  link_identity self;
  self.role = self_.role();
  self.id = self_.id();
  self.software = std::string("troupe emulate ") + release_version;
  line_ = home_.call_master(index, self, hub_->events());
}

void emulated_peer::tell(const std::string& name) {
  auto head = std::make_shared<Envelope>();
  *head->mutable_from() = address(internal::RUNTIME, "local");
  *head->mutable_to() = self_;
  head->set_verb(verb_number<internal::ProgramEvent>::value);
  auto event = std::make_shared<internal::ProgramEvent>();
  event->set_name(name);
  names_.deliver(head, event);
}

/// Not for ever: a master that does not read any more is left.
void emulated_peer::hang_up() {
  if (!line_) return;
  const auto waits = [](const std::shared_ptr<const status_block>& block) {
    return block->name.rfind("master/", 0) == 0 && block->depth() > 0;
  };
  for (int attempt = 0; attempt < 500; ++attempt) {
    const auto blocks = board_.all();
    if (std::none_of(blocks.begin(), blocks.end(), waits)) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
  line_ = nullptr;
  hub_->stop();
}

}  // namespace troupe
