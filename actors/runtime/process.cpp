#include "actors/runtime/process.hpp"

#include "storage/memory_store.hpp"

#include <fcntl.h>
#include <poll.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <unistd.h>
#include <caf/send.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <cerrno>
#include <csignal>
#include <cstring>

namespace troupe {

namespace {

sigset_t handled_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGINT);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGUSR1);
  return set;
}

/// A standard descriptor that is closed would be given to the next file that is opened, and what is printed would go
/// into that: into the journal, say.
void fill_standard_descriptors() {
  int fd = -1;
  do fd = ::open("/dev/null", O_RDWR);
  while (fd >= 0 && fd <= STDERR_FILENO);
  if (fd >= 0) ::close(fd);
}

constexpr std::size_t messages_a_turn = 50;
}  // namespace

void process::block_signals() {
  auto set = handled_signals();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

result<std::unique_ptr<process>> process::open(const process_options& options) {
  fill_standard_descriptors();
  block_signals();
  std::signal(SIGPIPE, SIG_IGN);
  std::unique_ptr<process> made(new process(options));
  if (auto started = made->start(options); !started) return started.error();
  return made;
}

process::process(const process_options& options) : name_(options.name) {
  config_.set("scheduler.policy", caf::atom("sharing"));
  config_.set("scheduler.max-threads", static_cast<std::size_t>(options.workers));
  // Whoever floods one actor's mailbox does not keep the others from their turn.
  config_.set("scheduler.max-throughput", messages_a_turn);
}

result<void> process::start(const process_options& options) {
  stop_fd_ = ::eventfd(0, EFD_CLOEXEC);
  if (stop_fd_ < 0) return error{errc::io, std::string("cannot make an eventfd: ") + std::strerror(errno)};
  auto ring = event_ring::open(options.ring_path, options.ring_bytes);
  if (!ring) return ring.error();
  ring_ = std::move(*ring);
  std::unique_ptr<journal_store> store = std::make_unique<memory_store>();
  if (!options.journal_dir.empty()) {
    auto opened = journal::open(options.journal_dir);
    if (!opened) return opened.error();
    store = std::move(*opened);
  }
  system_ = std::make_unique<caf::actor_system>(config_);
  auto journal = spawn_journal(*system_, std::move(store), journal_counters_,
                               [this](const error& why) { on_journal_failed(why); });
  services_ = std::make_unique<services>(names_, board_, *ring_, std::move(journal));
  supervisor_options supervision;
  supervision.restarts_max = options.restarts_max;
  supervision.hopeless = [counters = journal_counters_] { return counters->failed.load(); };
  supervision.on_restart = [this](const std::string& child) {
    if (on_restart_) on_restart_(child);
  };
  supervision.on_give_up = [this](const std::string& message) {
    spdlog::critical("process.gives_up name={} message={}", name_, message);
    stop(exit_gave_up);
  };
  supervisor_ = spawn_supervisor(*system_, std::move(supervision), {});
  return {};
}

process::~process() {
  if (supervisor_) caf::anon_send_exit(supervisor_, caf::exit_reason::user_shutdown);
  names_.clear();
  if (services_) caf::anon_send_exit(services_->journal, caf::exit_reason::user_shutdown);
  if (system_) system_->await_all_actors_done();
  // Only now: until the last of them is gone, an actor may be in a step that uses these.
  supervisor_ = nullptr;
  if (services_) services_->journal = nullptr;
  system_.reset();
  if (stop_fd_ >= 0) ::close(stop_fd_);
}

void process::on_journal_failed(const error& why) {
  spdlog::critical("process.journal_failed name={} exit_code={} error=\"{}\"", name_, int{exit_journal_failed},
                   why.message);
  stop(exit_journal_failed);
}

void process::supervise(child_spec child) {
  caf::anon_send(supervisor_, ::troupe::supervise{std::make_shared<child_spec>(std::move(child))});
}

void process::on_stop(std::function<void(int)> hook) {
  std::unique_lock<std::mutex> lock(stop_mutex_);
  if (!exit_code_) {
    on_stop_ = std::move(hook);
    return;
  }
  const int code = *exit_code_;
  lock.unlock();
  hook(code);
}

void process::stop(int exit_code) {
  std::unique_lock<std::mutex> lock(stop_mutex_);
  if (exit_code_) return;
  exit_code_ = exit_code;
  std::uint64_t one = 1;
  if (::write(stop_fd_, &one, sizeof(one)) < 0) spdlog::error("process.stop_failed error={}", std::strerror(errno));
  const auto told = on_stop_;
  lock.unlock();
  if (told) told(exit_code);
}

int process::wait() {
  auto set = handled_signals();
  int signal_fd = ::signalfd(-1, &set, SFD_CLOEXEC);
  while (true) {
    pollfd fds[] = {{stop_fd_, POLLIN, 0}, {signal_fd, POLLIN, 0}};
    if (::poll(fds, 2, -1) < 0 && errno != EINTR) break;
    if ((fds[0].revents & POLLIN) != 0) break;  // a signal that came as well waits for whoever goes on
    if ((fds[1].revents & POLLIN) != 0) {
      signalfd_siginfo info;
      if (::read(signal_fd, &info, sizeof(info)) != sizeof(info)) continue;
      if (on_signal_) {
        on_signal_(static_cast<int>(info.ssi_signo));
      } else {
        spdlog::info("process.stopping name={} signal={}", name_, info.ssi_signo);
        stop(0);
      }
    }
  }
  ::close(signal_fd);
  std::lock_guard<std::mutex> lock(stop_mutex_);
  return exit_code_.value_or(exit_gave_up);
}

}  // namespace troupe
