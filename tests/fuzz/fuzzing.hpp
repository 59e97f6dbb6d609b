#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

/// What every fuzz target needs.
namespace troupe::fuzzing {

/// Ends the run with the input at hand as its finding, unless `holds`.
void require(bool holds, const char* what);

/// The input, and a first byte taken off it to choose with.
class input {
 public:
  input(const std::uint8_t* data, std::size_t size) : bytes_(reinterpret_cast<const char*>(data), size) {}

  /// 0 where nothing is left.
  std::uint8_t choose() {
    if (bytes_.empty()) return 0;
    const auto first = static_cast<std::uint8_t>(bytes_.front());
    bytes_.remove_prefix(1);
    return first;
  }
  /// What stands before the next `end`, which is dropped; all that is left if there is none.
  std::string_view until(char end) {
    const auto at = bytes_.find(end);
    const auto part = bytes_.substr(0, at);
    bytes_.remove_prefix(at == std::string_view::npos ? bytes_.size() : at + 1);
    return part;
  }
  std::string_view rest() const { return bytes_; }

 private:
  std::string_view bytes_;
};

}  // namespace troupe::fuzzing
