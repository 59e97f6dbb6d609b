#include "tests/soak/line_file.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <fstream>
#include <iterator>
#include <sstream>
#include <system_error>

namespace troupe::soak {

line_file::line_file(const std::string& path)
    : fd_(::open(path.c_str(), O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0644)) {
  if (fd_ < 0) throw std::system_error(errno, std::generic_category(), path);
}

line_file::~line_file() {
  ::close(fd_);
}

void line_file::add(const std::string& line) {
  auto text = line + "\n";
  if (::write(fd_, text.data(), text.size()) != static_cast<ssize_t>(text.size()))
    throw std::system_error(errno, std::generic_category(), "a line of a file that others read");
}

std::string own_start_time() {
  std::ifstream file("/proc/self/stat");
  std::string all{std::istreambuf_iterator<char>(file), {}};
  constexpr int fields_before = 20;  // after the name, which may hold anything
  std::istringstream rest(all.substr(all.rfind(')') + 1));
  std::string field;
  for (int i = 0; i < fields_before; ++i) rest >> field;
  return field;
}

}  // namespace troupe::soak
