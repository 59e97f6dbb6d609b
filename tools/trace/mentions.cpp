#include "tools/trace/mentions.hpp"

#include "troupe/v1/troupe.pb.h"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <vector>

namespace troupe {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

task_mention in_field(const Message& message, const FieldDescriptor* field, const std::string& task) {
  const auto& reflection = *message.GetReflection();
  if (!field->is_repeated()) return mentions(reflection.GetMessage(message, field), task);
  auto most = task_mention::none;
  for (int i = 0; i < reflection.FieldSize(message, field) && most != task_mention::ours; ++i)
    most = std::max(most, mentions(reflection.GetRepeatedMessage(message, field, i), task));
  return most;
}

}  // namespace

task_mention mentions(const Message& message, const std::string& task) {
  if (message.GetDescriptor() == v1::TaskID::descriptor())
    return static_cast<const v1::TaskID&>(message).value() == task ? task_mention::ours : task_mention::others;
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  auto most = task_mention::none;
  for (const auto* field : fields) {
    if (field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE) most = std::max(most, in_field(message, field, task));
    if (most == task_mention::ours) break;
  }
  return most;
}

}  // namespace troupe
