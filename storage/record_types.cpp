#include "storage/record_types.hpp"

#include "storage/keys.hpp"
#include "troupe/internal/records.pb.h"
#include "troupe/internal/runtime.pb.h"
#include "troupe/internal/sdk_state.pb.h"

#include <string>
#include <vector>

namespace troupe {

namespace {

struct place {
  std::vector<std::string> path;  ///< components; `*` stands for any
  const google::protobuf::Message& type;
};

const std::vector<place>& places() {
  using namespace internal;  // NOLINT(google-build-using-namespace)
  static const std::vector<place> all = {
      {{"head"}, HeadRecord::default_instance()},
      {{"quarantine", "head", "*"}, LossRecord::default_instance()},
      {{"identity", "*"}, Identity::default_instance()},
      {{"master", "agent", "*"}, AgentRecord::default_instance()},
      {{"master", "framework", "*"}, FrameworkRecord::default_instance()},
      {{"master", "weight", "*"}, WeightRecord::default_instance()},
      {{"agent", "self"}, AgentSelfRecord::default_instance()},
      {{"agent", "framework", "*"}, FrameworkRecord::default_instance()},
      {{"agent", "executor", "*", "*"}, ExecutorRecord::default_instance()},
      {{"agent", "task", "*", "*"}, TaskRecord::default_instance()},
      {{"agent", "update", "*", "*", "*"}, UpdateRecord::default_instance()},
      {{"framework", "self"}, FrameworkSelfRecord::default_instance()},
      {{"executor", "task", "*"}, ExecutorTaskRecord::default_instance()},
      {{"executor", "update", "*"}, ExecutorUpdateRecord::default_instance()},
  };
  return all;
}

bool matches(const std::vector<std::string>& parts, const std::vector<std::string>& path) {
  if (parts.size() != path.size()) return false;
  for (std::size_t i = 0; i < parts.size(); ++i)
    if (path[i] != "*" && path[i] != parts[i]) return false;
  return true;
}

}  // namespace

std::unique_ptr<google::protobuf::Message> record_type(std::string_view key) {
  const auto parts = keys::components(key);
  for (const auto& each : places())
    if (matches(parts, each.path)) return std::unique_ptr<google::protobuf::Message>(each.type.New());
  return nullptr;
}

std::vector<std::string> record_places() {
  std::vector<std::string> all;
  for (const auto& each : places()) {
    auto& path = all.emplace_back();
    for (const auto& part : each.path) path += (path.empty() ? "" : "/") + part;
  }
  return all;
}

}  // namespace troupe
