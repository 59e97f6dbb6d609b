#pragma once

#include "frameworks/sdk/scheduler.hpp"

#include <google/protobuf/stubs/common.h>

#include <cstdint>
#include <memory>

/// A framework that `troupe sim FRAMEWORK.so` can try against a simulated cluster: one line beside its scheduler.
///
///     class nightly : public sdk::scheduler { … };
///     TROUPE_SIMULATED_FRAMEWORK(std::make_shared<nightly>)
///
/// The same file is a program's too, whose main() has no part in a trial. A shared object brings nothing of the SDK,
/// the protocol or protobuf with it: it takes those of the `troupe` program that loads it, so that each message exists
/// once in the process (troupe_framework() of cmake/TroupeTargets.cmake builds both). Messages of a framework's own are
/// its own.
namespace troupe::sdk {

/// Rises with each release whose SDK's classes or messages are laid out differently.
constexpr std::uint32_t simulated_sdk_version = 1;

/// What a shared object tells before anything of it is called. Append only.
struct simulated_framework {
  std::uint32_t sdk_version = simulated_sdk_version;
  std::uint32_t protobuf_version = GOOGLE_PROTOBUF_VERSION;
  std::uint32_t scheduler_bytes = sizeof(scheduler);
  std::uint32_t task_info_bytes = sizeof(v1::TaskInfo);
  /// A new one each time that the simulated process starts: what it remembers is what it has put.
  std::shared_ptr<scheduler> (*make)() = nullptr;
};

/// The symbol of that type.
constexpr const char* simulated_framework_symbol = "troupe_simulated_framework";

}  // namespace troupe::sdk

/// `maker()` is a std::shared_ptr to a new scheduler.
#define TROUPE_SIMULATED_FRAMEWORK(maker)                                                                              \
  extern "C" __attribute__((visibility("default"))) const troupe::sdk::simulated_framework troupe_simulated_framework; \
  const troupe::sdk::simulated_framework troupe_simulated_framework = [] {                                             \
    troupe::sdk::simulated_framework all;                                                                              \
    all.make = []() -> std::shared_ptr<troupe::sdk::scheduler> { return maker(); };                                    \
    return all;                                                                                                        \
  }();
