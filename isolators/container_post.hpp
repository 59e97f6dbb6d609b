#pragma once

#include "actors/runtime/services.hpp"
#include "isolators/container.hpp"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <mutex>
#include <string>

namespace troupe {

/// Carries what becomes of containers to whom it concerns, as letters. Thread-safe.
class container_post {
 public:
  container_post(services& rt, Address own) : rt_(rt), own_(std::move(own)) {}

  /// From now on, what becomes of the container is told to the sender of `head`, as caused by the event of that id.
  void expect(const v1::ContainerID& id, const Envelope& head, std::uint64_t event);
  /// The same, unless somebody is told already.
  void expect_if_nobody(const v1::ContainerID& id, const Envelope& head, std::uint64_t event);

  /// The last event of a container is also the last that its reader is told.
  void deliver(const container_event& event);

 private:
  struct reader {
    Address at;
    std::uint64_t trace = 0;
    std::uint64_t cause = 0;
  };

  static std::string name_of(const v1::ContainerID& id) { return id.SerializeAsString(); }
  static reader reader_of(const Envelope& head, std::uint64_t event);

  services& rt_;
  const Address own_;
  std::atomic<std::uint64_t> sequence_{0};
  std::mutex mutex_;
  std::map<std::string, reader> readers_;
};

}  // namespace troupe
