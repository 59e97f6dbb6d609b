#include "tools/process_usage.hpp"

#include <unistd.h>

#include <charconv>
#include <filesystem>
#include <fstream>
#include <string>

namespace troupe::usage {

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t size = 0, resident = 0;
  file >> size >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

std::set<int> threads() {
  std::set<int> found;
  std::error_code ignored;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/task", ignored)) {
    const auto name = entry.path().filename().string();
    int id = 0;
    if (std::from_chars(name.data(), name.data() + name.size(), id).ec == std::errc()) found.insert(id);
  }
  return found;
}

double cpu_seconds(const std::set<int>& threads) {
  double sum = 0;
  for (int id : threads) {
    std::ifstream file("/proc/self/task/" + std::to_string(id) + "/schedstat");
    double ran_ns = 0;
    if (file >> ran_ns) sum += ran_ns / 1e9;
  }
  return sum;
}

}  // namespace troupe::usage
