#include "tests/unit/protocol/vocabulary.hpp"

#include "troupe/v1/agent.pb.h"
#include "troupe/v1/allocator.pb.h"
#include "troupe/v1/executor.pb.h"
#include "troupe/v1/maintenance.pb.h"
#include "troupe/v1/master.pb.h"
#include "troupe/v1/quota.pb.h"
#include "troupe/v1/resource_provider.pb.h"
#include "troupe/v1/scheduler.pb.h"
#include "troupe/v1/troupe.pb.h"

#include <google/protobuf/descriptor.pb.h>

namespace troupe::tests {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;

void collect(const Descriptor* type, std::vector<const Descriptor*>& messages) {
  if (type->options().map_entry()) return;
  messages.push_back(type);
  for (int i = 0; i < type->nested_type_count(); ++i) collect(type->nested_type(i), messages);
}

template <class Scope>
void collect_enums(const Scope& scope, std::vector<const EnumDescriptor*>& enums) {
  for (int i = 0; i < scope.enum_type_count(); ++i) enums.push_back(scope.enum_type(i));
}

}  // namespace

std::vector<const google::protobuf::FileDescriptor*> vocabulary_files() {
  // Naming a type of each file links it in.
  return {v1::agent::Call::descriptor()->file(),
          v1::allocator::InverseOfferStatus::descriptor()->file(),
          v1::executor::Call::descriptor()->file(),
          v1::maintenance::Schedule::descriptor()->file(),
          v1::master::Call::descriptor()->file(),
          v1::quota::QuotaConfig::descriptor()->file(),
          v1::resource_provider::Call::descriptor()->file(),
          v1::scheduler::Call::descriptor()->file(),
          v1::FrameworkInfo::descriptor()->file()};
}

std::vector<const Descriptor*> vocabulary_messages() {
  std::vector<const Descriptor*> messages;
  for (const auto* file : vocabulary_files()) {
    for (int i = 0; i < file->message_type_count(); ++i) collect(file->message_type(i), messages);
  }
  return messages;
}

std::vector<const EnumDescriptor*> vocabulary_enums() {
  std::vector<const EnumDescriptor*> enums;
  for (const auto* file : vocabulary_files()) collect_enums(*file, enums);
  for (const auto* message : vocabulary_messages()) collect_enums(*message, enums);
  return enums;
}

}  // namespace troupe::tests
