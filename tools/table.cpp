#include "tools/table.hpp"

#include "tools/one_line.hpp"

#include <algorithm>

namespace troupe {

namespace {

std::string printable(const std::string& text) {
  return text.empty() ? "-" : one_line(text);
}

}  // namespace

void table::print(std::ostream& out) const {
  std::vector<std::size_t> widths(rows_.front().size(), 0);
  for (const auto& row : rows_)
    for (std::size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], printable(row[i]).size());
  for (const auto& row : rows_) {
    std::string line;
    for (std::size_t i = 0; i < row.size(); ++i) {
      auto cell = printable(row[i]);
      line += cell;
      if (i + 1 < row.size()) line += std::string(widths[i] + 2 - cell.size(), ' ');
    }
    out << line << '\n';
  }
}

}  // namespace troupe
