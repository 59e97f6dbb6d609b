#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace troupe {

/// Rows under a heading, columns aligned, two spaces between. Control characters in cells are replaced, so that no name
/// can write to the terminal.
class table {
 public:
  explicit table(std::vector<std::string> heading) : rows_{std::move(heading)} {}
  void add(std::vector<std::string> row) { rows_.push_back(std::move(row)); }
  void print(std::ostream& out) const;

 private:
  std::vector<std::vector<std::string>> rows_;
};

}  // namespace troupe
