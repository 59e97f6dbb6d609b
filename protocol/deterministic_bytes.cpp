#include "protocol/deterministic_bytes.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/io/zero_copy_stream_impl_lite.h>

namespace troupe {

void append_deterministic_bytes(const google::protobuf::Message& message, std::string& out) {
  // The streams must end before the bytes are looked at.
  google::protobuf::io::StringOutputStream sink(&out);
  google::protobuf::io::CodedOutputStream stream(&sink);
  stream.SetSerializationDeterministic(true);
  message.SerializePartialToCodedStream(&stream);
}

std::string deterministic_bytes(const google::protobuf::Message& message) {
  std::string bytes;
  append_deterministic_bytes(message, bytes);
  return bytes;
}

}  // namespace troupe
