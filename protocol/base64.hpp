#pragma once

#include <optional>
#include <string>
#include <string_view>

/// Base64 with the standard alphabet, as it carries bytes in JSON and credentials in headers.
namespace troupe {

/// Appends the padded form.
void append_base64(std::string_view bytes, std::string& out);

/// The bytes; nothing if `text` has a character outside the alphabet, a wrong length or wrong padding.
/// Padding may be left out altogether.
std::optional<std::string> decode_base64(std::string_view text);

}  // namespace troupe
