#include "frameworks/sdk/linked_process.hpp"

#include "actors/runtime/clock.hpp"
#include "actors/runtime/net/link_dialler.hpp"

#include <spdlog/spdlog.h>

#include <algorithm>
#include <charconv>
#include <thread>

namespace troupe::sdk {

namespace {

int exit_code_of(const internal::ProgramEvent& event) {
  int code = 1;
  std::from_chars(event.data().data(), event.data().data() + event.data().size(), code);
  return code;
}

}  // namespace

result<std::unique_ptr<linked_process>> linked_process::open(const process_options& options) {
  std::unique_ptr<linked_process> made(new linked_process);
  auto host = process::open(options);
  if (!host) return host.error();
  made->host_ = std::move(*host);
  auto* process = made->host_.get();
  process->names().add_endpoint(
      address(internal::RUNTIME, "local"),
      [process](const directory::head_ptr&, const directory::body_ptr& body, const std::shared_ptr<void>&) {
        const auto* event = dynamic_cast<const internal::ProgramEvent*>(body.get());
        if (!event || event->name() != "exit") return false;
        process->stop(exit_code_of(*event));
        return true;
      });
  return made;
}

/// Waits, not for ever, until the link's proxy has passed on all that was said: a teardown must not die in its mailbox.
void linked_process::drain() {
  auto waits = [this](const std::shared_ptr<const status_block>& block) {
    return block->name != to_string(self_) && block->depth() > 0;
  };
  for (int attempt = 0; attempt < 500; ++attempt) {
    auto blocks = host_->board().all();
    if (std::none_of(blocks.begin(), blocks.end(), waits)) return;
    std::this_thread::sleep_for(std::chrono::milliseconds(2));
  }
}

linked_process::~linked_process() {
  // First the link, which says what is queued and then closes; then the actors.
  if (host_) drain();
  if (connector_) connector_->stop();
  if (hub_) hub_->stop();
  if (io_) io_->stop();
  connector_.reset();
  hub_.reset();
  host_.reset();
}

void linked_process::on_actor_ready(const Address& self, const std::string& target) {
  std::lock_guard<std::mutex> lock(mutex_);
  if (connector_) {
    hub_->announce_peers();
    return;
  }
  self_ = self;
  link_options options;
  options.tls = tls_;
  io_ = std::make_unique<io_threads>();
  hub_ = std::make_unique<link_hub>(host_->system(), host_->names(), host_->board(), self, options.counters);
  connector_options connecting;
  connecting.link = options;
  // A restarted agent waits two seconds for its executors, who are on the same machine.
  if (self.role() == internal::EXECUTOR) connecting.retry_limit_ms = 500;
  auto identity = [self] {
    link_identity who;
    who.role = self.role();
    who.id = self.id();
    who.software = "troupe-sdk";
    return who;
  };
  auto failed = [hear = link_failed_](const std::string& whom, const error& e) {
    spdlog::warn("link.failed target={} error={}", whom, e.message);
    if (hear) hear(e.message);
  };
  connector_ = std::make_unique<link_connector>(*io_, identity, hub_->events(), connecting, failed);
  connector_->set_target(target);
}

void linked_process::tell(const std::string& name, const std::string& data) {
  auto head = std::make_shared<Envelope>();
  {
    std::lock_guard<std::mutex> lock(mutex_);
    *head->mutable_to() = self_;
  }
  *head->mutable_from() = address(internal::RUNTIME, "local");
  head->set_verb(verb_number<internal::ProgramEvent>::value);
  auto event = std::make_shared<internal::ProgramEvent>();
  event->set_name(name);
  event->set_data(data);
  host_->names().deliver(head, event);
}

int linked_process::wait() {
  return host_->wait();
}

}  // namespace troupe::sdk
