#include "actors/runtime/net/message_budget.hpp"

#include <google/protobuf/io/coded_stream.h>
#include <google/protobuf/wire_format_lite.h>

namespace troupe {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::FieldDescriptor;
using google::protobuf::internal::WireFormatLite;
using google::protobuf::io::CodedInputStream;

constexpr std::size_t bytes_always_fine = 1u << 20;
constexpr std::size_t objects_max = 1u << 20;

class object_counter {
 public:
  bool count(CodedInputStream& in, const Descriptor& type, int depth) {
    while (const auto tag = in.ReadTag()) {
      const auto* field = type.FindFieldByNumber(WireFormatLite::GetTagFieldNumber(tag));
      const auto wire = WireFormatLite::GetTagWireType(tag);
      const bool delimited = wire == WireFormatLite::WIRETYPE_LENGTH_DELIMITED;
      const bool nested = delimited && field && field->cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
      const bool text = delimited && field && field->cpp_type() == FieldDescriptor::CPPTYPE_STRING;
      if ((!field || nested || (text && field->is_repeated())) && ++objects_ > objects_max) return false;
      // Groups are none of ours, and would hide what they hold.
      if (wire == WireFormatLite::WIRETYPE_START_GROUP) return false;
      if (nested ? !count_nested(in, *field->message_type(), depth) : !WireFormatLite::SkipField(&in, tag))
        return false;
    }
    return true;
  }

 private:
  bool count_nested(CodedInputStream& in, const Descriptor& type, int depth) {
    int size = 0;
    if (depth == 0 || !in.ReadVarintSizeAsInt(&size)) return false;
    const auto limit = in.PushLimit(size);
    if (!count(in, type, depth - 1) || in.BytesUntilLimit() != 0) return false;
    in.PopLimit(limit);
    return true;
  }

  std::size_t objects_ = 0;
};

}  // namespace

bool within_budget(std::string_view bytes, const Descriptor& type, int depth_max) {
  if (bytes.size() <= bytes_always_fine) return true;
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  return object_counter().count(in, type, depth_max) && in.ConsumedEntireMessage();
}

bool parse_within_budget(std::string_view bytes, google::protobuf::Message& into, int depth_max) {
  if (!within_budget(bytes, *into.GetDescriptor(), depth_max)) return false;
  CodedInputStream in(reinterpret_cast<const std::uint8_t*>(bytes.data()), static_cast<int>(bytes.size()));
  in.SetRecursionLimit(depth_max);
  return into.ParseFromCodedStream(&in) && in.ConsumedEntireMessage();
}

}  // namespace troupe
