#pragma once

#include "actors/runtime/link_hub.hpp"
#include "actors/runtime/net/io_threads.hpp"
#include "actors/runtime/net/link_connector.hpp"
#include "actors/runtime/process.hpp"

#include <functional>
#include <memory>
#include <mutex>
#include <string>

namespace troupe::sdk {

/// A process with one actor and one link: what a framework and a custom executor have in common. The actor ends it by
/// saying ProgramEvent{"exit", code} to runtime/local.
class linked_process {
 public:
  static result<std::unique_ptr<linked_process>> open(const process_options& options);
  ~linked_process();

  process& host() { return *host_; }

  /// For the actor's on_ready, which may come again after a failure: the first call dials `target` as `self`, later
  /// ones tell the actor who is there.
  void on_actor_ready(const Address& self, const std::string& target);

  /// Hears of attempts to link that came to nothing, on an I/O thread. To be set before the actor is ready.
  void on_link_failed(std::function<void(const std::string& why)> hear) { link_failed_ = std::move(hear); }

  /// How a target at https:// is spoken to. To be set before the actor is ready.
  void use_tls(std::shared_ptr<const tls_context> context) { tls_ = std::move(context); }

  void tell(const std::string& name, const std::string& data);

  int wait();

 private:
  linked_process() = default;
  void drain();

  std::unique_ptr<process> host_;
  std::mutex mutex_;
  Address self_;
  std::function<void(const std::string&)> link_failed_;
  std::shared_ptr<const tls_context> tls_;
  std::unique_ptr<io_threads> io_;
  std::unique_ptr<link_hub> hub_;
  std::unique_ptr<link_connector> connector_;
};

}  // namespace troupe::sdk
