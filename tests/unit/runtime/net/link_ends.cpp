#include "tests/unit/runtime/net/link_ends.hpp"

#include <stdlib.h>
#include <unistd.h>

#include <chrono>
#include <stdexcept>

namespace troupe::test {

namespace {

// Guards against a hanging test only.
constexpr std::chrono::seconds patience{60};

}  // namespace

template <class Ready>
void link_ear::wait(std::unique_lock<std::mutex>& lock, Ready ready) {
  if (!changed_.wait_for(lock, patience, ready)) throw std::runtime_error("what the test waits for does not happen");
}

link_events link_ear::events() {
  link_events events;
  events.up = [this](const std::shared_ptr<link>& l) {
    std::lock_guard<std::mutex> lock(mutex_);
    ups_.push_back(l);
    history_.push_back("up");
    changed_.notify_all();
  };
  events.envelope = [this](const std::shared_ptr<link>&, Envelope&& e, const std::shared_ptr<void>& credit) {
    std::lock_guard<std::mutex> lock(mutex_);
    payloads_.push_back(e.payload());
    if (holding_) held_.push_back(credit);
    changed_.notify_all();
  };
  events.down = [this](const std::shared_ptr<link>&, const std::string& reason) {
    std::lock_guard<std::mutex> lock(mutex_);
    downs_.push_back(reason);
    history_.push_back("down");
    changed_.notify_all();
  };
  return events;
}

std::shared_ptr<link> link_ear::wait_up(std::size_t times) {
  std::unique_lock<std::mutex> lock(mutex_);
  wait(lock, [&] { return ups_.size() >= times; });
  return ups_[times - 1];
}

std::string link_ear::wait_down(std::size_t times) {
  std::unique_lock<std::mutex> lock(mutex_);
  wait(lock, [&] { return downs_.size() >= times; });
  return downs_[times - 1];
}

std::vector<std::string> link_ear::wait_envelopes(std::size_t count) {
  std::unique_lock<std::mutex> lock(mutex_);
  wait(lock, [&] { return payloads_.size() >= count; });
  return payloads_;
}

std::size_t link_ear::envelopes() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return payloads_.size();
}

std::vector<std::string> link_ear::history() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return history_;
}

void link_ear::hold() {
  std::lock_guard<std::mutex> lock(mutex_);
  holding_ = true;
}

void link_ear::let_go() {
  std::vector<std::shared_ptr<void>> held;  // ends outside the lock: it may bring the next envelope at once
  {
    std::lock_guard<std::mutex> lock(mutex_);
    holding_ = false;
    held.swap(held_);
  }
}

const char* name_of(transport which) {
  switch (which) {
    case transport::tcp:
      return "tcp";
    case transport::unix_socket:
      return "unix socket";
    case transport::in_process:
      return "in process";
  }
  return "";
}

short_folder::short_folder() {
  char folder[] = "/tmp/troupe-link-XXXXXX";
  if (!::mkdtemp(folder)) throw std::runtime_error("no folder for the test's socket");
  path_ = folder;
}

short_folder::~short_folder() {
  ::rmdir(path_.c_str());
}

link_bridge::link_bridge(transport which, link_acceptor acceptor) : which_(which), acceptor_(std::move(acceptor)) {
  if (which_ == transport::in_process) return;
  http_options options;
  if (which_ == transport::unix_socket) {
    options.address.clear();
    options.unix_path = folder_.path("s");
  }
  server_ = http_server::open(io_, options, std::make_shared<http_routes>(), acceptor_).value();
}

link_bridge::~link_bridge() {
  server_.reset();
  io_.stop();
}

void link_bridge::connect(const link_identity& self, const link_events& events, const link_options& options) {
  if (which_ == transport::in_process) {
    const auto other = acceptor_.admit(self).value();
    return connect_in_process(self, events, other, acceptor_.events, acceptor_.options);
  }
  const auto target =
      which_ == transport::tcp ? "http://127.0.0.1:" + std::to_string(server_->port()) : "unix:" + folder_.path("s");
  attempts_.push_back(dial(io_, parse_link_target(target).value(), self, events, options, [this](const error& e) {
    std::lock_guard<std::mutex> lock(mutex_);
    failures_.push_back(e.message);
    changed_.notify_all();
  }));
}

std::string link_bridge::wait_failure() {
  std::unique_lock<std::mutex> lock(mutex_);
  if (!changed_.wait_for(lock, patience, [&] { return !failures_.empty(); }))
    throw std::runtime_error("the attempt does not fail");
  return failures_.back();
}

link_identity identity(Role role, const std::string& id) {
  return {role, id, 7, "", "test"};
}

Envelope envelope(const std::string& payload) {
  Envelope e;
  e.set_payload(payload);
  return e;
}

}  // namespace troupe::test
