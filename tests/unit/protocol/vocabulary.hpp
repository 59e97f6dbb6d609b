#pragma once

#include <google/protobuf/descriptor.h>

#include <vector>

namespace troupe::tests {

/// The files of the public vocabulary, as compiled in.
std::vector<const google::protobuf::FileDescriptor*> vocabulary_files();

/// Every message type in them, nested ones too, except the entries of maps.
std::vector<const google::protobuf::Descriptor*> vocabulary_messages();

std::vector<const google::protobuf::EnumDescriptor*> vocabulary_enums();

}  // namespace troupe::tests
