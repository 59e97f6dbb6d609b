#pragma once

#include "tests/scenarios/network.hpp"

#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

/// Scenario files (README.md) as data.
namespace troupe::testing {

/// What is wrong with a line, or what it expected in vain; what() begins with file:line.
struct script_error : std::runtime_error {
  using std::runtime_error::runtime_error;
};

struct script_line {
  std::string file;
  int number = 0;
  /// Separated by blanks; "quoted text" and {a message to the line's end} are one word each, as written.
  std::vector<std::string> words;

  [[noreturn]] void fail(const std::string& why) const;
};

/// A claim that the scenario shows what becomes of a verb that arrives twice, late or never.
struct cover {
  script_line at;
  std::uint32_t verb = 0;
  mishap what = mishap::twice;
};

struct scenario {
  std::string sentence;
  std::string file;
  std::vector<cover> covers;
  /// Those before the file's first scenario come first.
  std::vector<script_line> lines;
};

/// All scenarios of one file. Throws script_error.
std::vector<scenario> read_scenarios(const std::string& path);

/// All *.scenario files of a folder, by name.
std::vector<scenario> read_folder(const std::string& folder);

/// Reads a line's words one after the other.
class word_reader {
 public:
  explicit word_reader(const script_line& line) : line_(line) {}

  bool at_end() const { return next_ == line_.words.size(); }
  /// `what` is told to whoever left it out.
  const std::string& take(const char* what);
  /// Takes the word if it comes next.
  bool take_if(const char* word);
  void expect(const char* word);
  /// The words that are left.
  std::vector<std::string> rest();
  void end() const;
  const script_line& line() const { return line_; }

 private:
  const script_line& line_;
  std::size_t next_ = 0;
};

}  // namespace troupe::testing
