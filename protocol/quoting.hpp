#pragma once

#include <string>
#include <string_view>

namespace troupe {

/// `text` in double quotes; quotes, backslashes and control bytes are escaped (`\"`, `\\`, `\x0a`), and everything past
/// `length_max` bytes becomes `…`, so that whatever came from outside fits into a message. text_scanner reads whole
/// ones back.
std::string quoted(std::string_view text, std::size_t length_max = 80);

/// `text` itself where it consists of letters, digits and `_ . / - * @` only, else quoted, in full length.
std::string plain_or_quoted(std::string_view text);

}  // namespace troupe
