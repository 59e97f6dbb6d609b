#pragma once

#include "protocol/error.hpp"
#include "troupe/v1/troupe.pb.h"

#include <google/protobuf/repeated_ptr_field.h>

#include <string>
#include <string_view>

namespace troupe {

/// What an agent says about itself: names with a number, ranges, a set or a text. Nobody consumes them; a name may come
/// twice.
using attribute_list = google::protobuf::RepeatedPtrField<v1::Attribute>;

/// The textual form `rack:2; zone:east; r:[1-3]; tags:{a,b}`. What is no number, range or set is text, up to the next
/// `;`; text that would be read as something else stands in double quotes, as in resources_text.hpp.
result<attribute_list> parse_attributes(std::string_view text);

/// The textual form of valid attributes, in their order; parse_attributes reads it back.
std::string text_of(const attribute_list& attributes);

/// Has each a name, and the one value that its type names? The error names the attribute and the field.
result<void> validate_attributes(const attribute_list& attributes);

}  // namespace troupe
