#pragma once

#include <string>

namespace troupe {

/// Text from anywhere as a terminal may have it: control characters are replaced, so that it draws no line of its own
/// and does not write to the terminal, and what is longer is cut.
inline std::string one_line(std::string text, std::size_t bytes_max = std::string::npos) {
  for (char& c : text)
    if (static_cast<unsigned char>(c) < 0x20 || c == 0x7f) c = '?';
  if (text.size() > bytes_max) text.replace(bytes_max, std::string::npos, " ...");
  return text;
}

}  // namespace troupe
