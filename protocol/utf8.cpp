#include "protocol/utf8.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <vector>

namespace troupe {
namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

struct range {
  unsigned char lowest;
  unsigned char highest;
  bool holds(unsigned char byte) const { return byte >= lowest && byte <= highest; }
};

/// What may follow a first byte; narrower where overlong forms, surrogates and what is above U+10FFFF would begin.
range second_after(unsigned char first) {
  switch (first) {
    case 0xe0:
      return {0xa0, 0xbf};
    case 0xed:
      return {0x80, 0x9f};
    case 0xf0:
      return {0x90, 0xbf};
    case 0xf4:
      return {0x80, 0x8f};
    default:
      return {0x80, 0xbf};
  }
}

std::size_t announced_length(unsigned char first) {
  if (first < 0x80) return 1;
  if (first >= 0xc2 && first <= 0xdf) return 2;
  if (first >= 0xe0 && first <= 0xef) return 3;
  if (first >= 0xf0 && first <= 0xf4) return 4;
  return 0;
}

bool is_utf8_field(const Message& message, const FieldDescriptor& field) {
  const auto& reflection = *message.GetReflection();
  const auto holds = [&](const std::string& text) { return is_utf8(std::string_view(text)); };
  std::string scratch;
  const bool nested = field.cpp_type() == FieldDescriptor::CPPTYPE_MESSAGE;
  if (!nested && field.type() != FieldDescriptor::TYPE_STRING) return true;
  if (!field.is_repeated())
    return nested ? is_utf8(reflection.GetMessage(message, &field))
                  : holds(reflection.GetStringReference(message, &field, &scratch));
  for (int i = 0; i < reflection.FieldSize(message, &field); ++i) {
    const bool ok = nested ? is_utf8(reflection.GetRepeatedMessage(message, &field, i))
                           : holds(reflection.GetRepeatedStringReference(message, &field, i, &scratch));
    if (!ok) return false;
  }
  return true;
}

}  // namespace

std::size_t utf8_length(std::string_view text) {
  if (text.empty()) return 0;
  const auto first = static_cast<unsigned char>(text[0]);
  const auto length = announced_length(first);
  if (text.size() < length) return 0;
  for (std::size_t i = 1; i < length; ++i) {
    const auto allowed = i == 1 ? second_after(first) : range{0x80, 0xbf};
    if (!allowed.holds(static_cast<unsigned char>(text[i]))) return 0;
  }
  return length;
}

bool is_utf8(std::string_view text) {
  while (!text.empty()) {
    const auto length = utf8_length(text);
    if (length == 0) return false;
    text.remove_prefix(length);
  }
  return true;
}

bool is_utf8(const Message& message) {
  std::vector<const FieldDescriptor*> fields;
  message.GetReflection()->ListFields(message, &fields);
  return std::all_of(fields.begin(), fields.end(), [&](const auto* field) { return is_utf8_field(message, *field); });
}

}  // namespace troupe
