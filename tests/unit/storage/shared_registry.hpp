#pragma once

#include "storage/memory_coordination.hpp"
#include "storage/registry_store.hpp"

#include <chrono>
#include <memory>
#include <string>

namespace troupe::test {

/// A coordination service with a folder for a registry and an epoch, and sessions of leaders of it.
struct shared_registry {
  memory_coordination service;
  std::string root = "/troupe";

  shared_registry() {
    auto line = open_line();
    for (const auto* path : {"/troupe", "/troupe/epoch"}) {
      internal::CreateZnode create;
      create.set_path(path);
      line->ask(create);
    }
  }

  std::unique_ptr<memory_coordination_line> open_line() {
    return std::make_unique<memory_coordination_line>(
        service, service.open_session(std::chrono::seconds(10), memory_coordination::time{}));
  }

  /// The epoch rises: whoever led before is deposed.
  leadership next_leader() {
    internal::WriteZnode raise;
    raise.set_path("/troupe/epoch");
    open_line()->ask(raise);
    return {"/troupe/epoch", service.find("/troupe/epoch")->version};
  }
};

/// Loses answers on the way back, or requests on the way there.
class failing_line final : public coordination_line {
 public:
  explicit failing_line(coordination_line& below) : below_(below) {}

  enum class fate { answered, lost_before, lost_after };
  fate next = fate::answered;  ///< what happens to changes; what only reads is answered

  std::shared_ptr<const google::protobuf::Message> ask(const google::protobuf::Message& request) override {
    const bool changes = dynamic_cast<const internal::ChangeZnodes*>(&request) != nullptr;
    if (!changes || next == fate::answered) return below_.ask(request);
    if (next == fate::lost_after) below_.ask(request);
    return std::make_shared<const internal::RequestLost>();
  }

 private:
  coordination_line& below_;
};

}  // namespace troupe::test
