#pragma once

#include <google/protobuf/message.h>

#include <cstddef>
#include <string_view>

namespace troupe {

/// How many bytes the well-formed UTF-8 sequence has that `text` starts with: 1 to 4; 0 if there is none.
std::size_t utf8_length(std::string_view text);

/// Is all of it well-formed UTF-8?
bool is_utf8(std::string_view text);

/// Are all strings of the message, nested ones included, well-formed UTF-8? (Fields of type bytes may be anything.)
bool is_utf8(const google::protobuf::Message& message);

}  // namespace troupe
