#pragma once

#include "actors/runtime/net/http_server.hpp"
#include "actors/runtime/net/link_connector.hpp"

#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

/// Two ends of a link, over whichever transport a test names.
namespace troupe::test {

/// Remembers what happens at one end, and lets a test wait for it.
class link_ear {
 public:
  link_events events();

  std::shared_ptr<link> wait_up(std::size_t times = 1);
  /// Why the link ended.
  std::string wait_down(std::size_t times = 1);
  /// Waits for that many envelopes in all, and returns the payloads of all so far.
  std::vector<std::string> wait_envelopes(std::size_t count);
  std::size_t envelopes() const;
  /// "up", "down" in order.
  std::vector<std::string> history() const;

  /// Keeps the credit of what comes from now on, as a busy actor would, until it is let go.
  void hold();
  void let_go();

 private:
  template <class Ready>
  void wait(std::unique_lock<std::mutex>& lock, Ready ready);

  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::shared_ptr<link>> ups_;
  std::vector<std::string> downs_, payloads_, history_;
  std::vector<std::shared_ptr<void>> held_;
  bool holding_ = false;
};

enum class transport { tcp, unix_socket, in_process };
const char* name_of(transport which);

/// A folder that is gone afterwards.
class short_folder {
 public:
  short_folder();
  ~short_folder();
  std::string path(const std::string& name) const { return path_ + "/" + name; }

 private:
  std::string path_;
};

/// Connects `dialler` to `acceptor`; the events of both are whatever the test brings.
class link_bridge {
 public:
  link_bridge(transport which, link_acceptor acceptor);
  ~link_bridge();

  void connect(const link_identity& self, const link_events& events, const link_options& options = {});
  /// What the last refused or failed attempt was told.
  std::string wait_failure();

  io_threads& io() { return io_; }
  http_server& server() { return *server_; }

 private:
  const transport which_;
  link_acceptor acceptor_;
  io_threads io_{2};
  short_folder folder_;
  std::unique_ptr<http_server> server_;
  std::vector<std::shared_ptr<link_attempt>> attempts_;
  std::mutex mutex_;
  std::condition_variable changed_;
  std::vector<std::string> failures_;
};

link_identity identity(Role role, const std::string& id);
Envelope envelope(const std::string& payload);

}  // namespace troupe::test
