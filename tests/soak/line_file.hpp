#pragma once

#include <string>

namespace troupe::soak {

/// A file to which several processes append lines. A line that was added is in the file, whatever becomes of its
/// writer afterwards. Any thread.
class line_file {
 public:
  /// Throws std::system_error if the file cannot be opened.
  explicit line_file(const std::string& path);
  ~line_file();
  line_file(const line_file&) = delete;
  line_file& operator=(const line_file&) = delete;

  /// Throws std::system_error if it cannot be written.
  void add(const std::string& line);

 private:
  int fd_;
};

/// When this process began, in clock ticks since the machine did: tells it from a later one of its number.
std::string own_start_time();

}  // namespace troupe::soak
