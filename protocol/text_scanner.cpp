#include "protocol/text_scanner.hpp"

#include "protocol/quoting.hpp"

namespace troupe {
namespace {

bool is_space(char c) {
  return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

int hex_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

}  // namespace

char text_scanner::peek() {
  while (position_ < text_.size() && is_space(text_[position_])) ++position_;
  return position_ < text_.size() ? text_[position_] : '\0';
}

bool text_scanner::at_end() {
  peek();
  return position_ == text_.size();
}

bool text_scanner::accept(char c) {
  if (at_end() || text_[position_] != c) return false;
  ++position_;
  return true;
}

result<void> text_scanner::expect(char c, const char* what) {
  if (accept(c)) return {};
  return fault(std::string("'") + c + "' was expected in " + what);
}

error text_scanner::fault_at(std::size_t begin, const std::string& what) const {
  if (begin >= text_.size()) return invalid("at the end: " + what);
  return invalid("at " + quoted(text_.substr(begin), 40) + ": " + what);
}

error text_scanner::fault(const std::string& what) {
  peek();
  return fault_at(position_, what);
}

std::optional<char> text_scanner::read_escape() {
  if (position_ == text_.size()) return std::nullopt;
  const char c = text_[position_++];
  if (c == '"' || c == '\\') return c;
  if (c != 'x' || text_.size() - position_ < 2) return std::nullopt;
  const int high = hex_value(text_[position_]);
  const int low = hex_value(text_[position_ + 1]);
  position_ += 2;
  if (high < 0 || low < 0) return std::nullopt;
  return static_cast<char>(high * 16 + low);
}

result<std::string> text_scanner::read_quoted() {
  const auto begin = position_++;
  std::string out;
  while (position_ < text_.size()) {
    const char c = text_[position_++];
    if (c == '"') return out;
    if (c != '\\') {
      out += c;
      continue;
    }
    const auto escaped = read_escape();
    if (!escaped) return fault_at(begin, R"(after a backslash only ", \ or xHH may stand)");
    out += *escaped;
  }
  return fault_at(begin, "the closing '\"' is missing");
}

result<text_scanner::word> text_scanner::read_word(std::string_view stops) {
  if (peek() == '"') {
    auto text = read_quoted();
    if (!text) return text.error();
    return word{std::move(*text), true};
  }
  const auto rest = text_.substr(position_);
  auto found = rest.substr(0, rest.find_first_of(stops));
  position_ += found.size();
  while (!found.empty() && is_space(found.back())) found.remove_suffix(1);
  return word{std::string(found), false};
}

result<std::string_view> text_scanner::read_braces() {
  if (auto ok = expect('{', "what is in braces"); !ok) return ok.error();
  const auto begin = position_;
  char quote = '\0';
  std::size_t depth = 1;
  for (; position_ < text_.size(); ++position_) {
    const char c = text_[position_];
    if (quote != '\0') {
      if (c == '\\') ++position_;
      if (c == quote) quote = '\0';
    } else if (c == '"' || c == '\'') {
      quote = c;
    } else if (c == '{') {
      ++depth;
    } else if (c == '}' && --depth == 0) {
      return text_.substr(begin, position_++ - begin);
    }
  }
  position_ = text_.size();
  return fault_at(begin - 1, "the closing '}' is missing");
}

}  // namespace troupe
