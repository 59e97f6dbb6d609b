#include "protocol/value_text.hpp"

#include "protocol/quoting.hpp"

#include <charconv>
#include <cmath>

namespace troupe {
namespace {

std::optional<std::uint64_t> integer_from(std::string_view text) {
  std::uint64_t value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || stop != end) return std::nullopt;
  return value;
}

result<std::uint64_t> read_integer(text_scanner* in, std::string_view stops) {
  const auto begin = in->position();
  auto word = in->read_word(stops);
  if (!word) return word.error();
  const auto value = integer_from(word->text);
  if (!value) return in->fault_at(begin, "a range must be two whole numbers, as in [31000-32000]");
  return *value;
}

}  // namespace

std::optional<double> number_from(std::string_view text) {
  double value = 0;
  const auto* end = text.data() + text.size();
  const auto [stop, failure] = std::from_chars(text.data(), end, value);
  if (failure != std::errc() || stop != end || !std::isfinite(value)) return std::nullopt;
  return value;
}

result<v1::Value::Ranges> read_ranges(text_scanner* in) {
  v1::Value::Ranges ranges;
  if (auto ok = in->expect('[', "ranges"); !ok) return ok.error();
  if (in->accept(']')) return ranges;
  do {
    auto begin = read_integer(in, "-,];");
    if (!begin) return begin.error();
    if (auto ok = in->expect('-', "a range"); !ok) return ok.error();
    auto end = read_integer(in, "-,];");
    if (!end) return end.error();
    auto* range = ranges.add_range();
    range->set_begin(*begin);
    range->set_end(*end);
  } while (in->accept(','));
  if (auto ok = in->expect(']', "ranges"); !ok) return ok.error();
  return ranges;
}

result<v1::Value::Set> read_set(text_scanner* in) {
  v1::Value::Set set;
  if (auto ok = in->expect('{', "a set"); !ok) return ok.error();
  if (in->accept('}')) return set;
  do {
    auto item = in->read_word(",};");
    if (!item) return item.error();
    if (item->text.empty() && !item->quoted)
      return in->fault(R"(an item of a set must not be empty; "" is the empty string)");
    *set.add_item() = std::move(item->text);
  } while (in->accept(','));
  if (auto ok = in->expect('}', "a set"); !ok) return ok.error();
  return set;
}

std::string text_of_ranges(const v1::Value::Ranges& ranges) {
  std::string out = "[";
  for (const auto& range : ranges.range()) {
    if (out.size() > 1) out += ',';
    out += std::to_string(range.begin()) + "-" + std::to_string(range.end());
  }
  return out += ']';
}

std::string text_of_set(const v1::Value::Set& set) {
  std::string out = "{";
  for (const auto& item : set.item()) {
    if (out.size() > 1) out += ',';
    out += plain_or_quoted(item);
  }
  return out += '}';
}

std::string text_of_thousandths(milli amount) {
  auto out = std::to_string(amount / 1000);
  const auto rest = amount % 1000;
  if (rest == 0) return out;
  out += '.' + std::to_string(1000 + rest).substr(1);
  out.erase(out.find_last_not_of('0') + 1);
  return out;
}

}  // namespace troupe
