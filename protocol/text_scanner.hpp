#pragma once

#include "protocol/error.hpp"

#include <optional>
#include <string>
#include <string_view>

namespace troupe {

/// Reads the small textual forms (resources, attributes) from left to right. Space between tokens means nothing.
/// Borrows the text. Errors are sentences that show where reading stopped.
class text_scanner {
 public:
  explicit text_scanner(std::string_view text) : text_(text) {}

  /// Is nothing but space left?
  bool at_end();
  /// The next character that is no space; 0 at the end.
  char peek();
  /// Passes over the character if it comes next.
  bool accept(char c);
  /// Passes over it, or the error says that it was expected, and in what.
  result<void> expect(char c, const char* what);

  /// A quoted string (true), or everything up to one of `stops` or the end, without space around it (false). May be
  /// empty.
  struct word {
    std::string text;
    bool quoted = false;
  };
  result<word> read_word(std::string_view stops);
  /// What stands between `{` and the `}` that belongs to it, quoted strings and inner braces passed over.
  result<std::string_view> read_braces();

  /// An error that shows the text from `begin` on.
  error fault_at(std::size_t begin, const std::string& what) const;
  error fault(const std::string& what);
  std::size_t position() const { return position_; }

 private:
  result<std::string> read_quoted();
  /// The byte of `\x0a` after its backslash; absent if it is none.
  std::optional<char> read_escape();

  std::string_view text_;
  std::size_t position_ = 0;
};

}  // namespace troupe
