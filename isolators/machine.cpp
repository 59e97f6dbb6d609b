#include "isolators/machine.hpp"

#include "isolators/container_limits.hpp"
#include "isolators/process_table.hpp"

#include <sched.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include <climits>
#include <filesystem>

namespace troupe {
namespace {

constexpr std::uint64_t mb_per_gb = 1024;
constexpr std::uint64_t memory_kept_mb = 1 * mb_per_gb;
constexpr std::uint64_t disk_kept_mb = 5 * mb_per_gb;
constexpr std::uint64_t memory_fallback_mb = 1 * mb_per_gb;
constexpr std::uint64_t disk_fallback_mb = 10 * mb_per_gb;

std::string find_hostname() {
  char name[HOST_NAME_MAX + 1] = {};
  if (::gethostname(name, sizeof name - 1) != 0 || name[0] == 0) return "localhost";
  return name;
}

std::optional<std::uint64_t> find_cpus() {
  cpu_set_t allowed;
  if (::sched_getaffinity(0, sizeof allowed, &allowed) == 0) return static_cast<std::uint64_t>(CPU_COUNT(&allowed));
  auto online = ::sysconf(_SC_NPROCESSORS_ONLN);
  if (online < 1) return std::nullopt;
  return static_cast<std::uint64_t>(online);
}

std::optional<std::uint64_t> find_memory() {
  struct sysinfo info {};
  if (::sysinfo(&info) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(info.totalram) * info.mem_unit;
}

std::optional<std::uint64_t> find_disk(const std::string& work_directory) {
  std::error_code failure;
  auto path = std::filesystem::absolute(work_directory, failure);
  while (!std::filesystem::exists(path, failure) && path.has_relative_path()) path = path.parent_path();
  struct statvfs info {};
  if (::statvfs(path.c_str(), &info) != 0) return std::nullopt;
  return static_cast<std::uint64_t>(info.f_blocks) * info.f_frsize;
}

/// What remains when the system has had its part.
std::uint64_t left_mb(std::uint64_t bytes, std::uint64_t kept_mb) {
  auto all = bytes / std::uint64_t{bytes_per_mb};
  return all >= 2 * kept_mb ? all - kept_mb : all / 2;
}

std::string text_of(const machine& here, const std::string& name) {
  if (name == "cpus") return "cpus:" + std::to_string(here.cpus.value_or(1));
  if (name == "mem") {
    return "mem:" +
           std::to_string(here.memory_bytes ? left_mb(*here.memory_bytes, memory_kept_mb) : memory_fallback_mb);
  }
  if (name == "disk") {
    return "disk:" + std::to_string(here.disk_bytes ? left_mb(*here.disk_bytes, disk_kept_mb) : disk_fallback_mb);
  }
  return "ports:[31000-32000]";
}

/// Named by the operator, were it with nothing: then the entry is gone from the normal form, but the word was said.
bool names(std::string_view given, std::string_view name) {
  for (std::size_t at = 0; (at = given.find(name, at)) != std::string_view::npos; at += name.size()) {
    auto before = given.substr(0, at).find_last_not_of(' ');
    bool begins = before == std::string_view::npos || given[before] == ';';
    auto after = given.find_first_not_of(' ', at + name.size());
    bool ends = after != std::string_view::npos && (given[after] == ':' || given[after] == '(');
    if (begins && ends) return true;
  }
  return false;
}

}  // namespace

machine detect_machine(const std::string& work_directory) {
  return {find_hostname(), boot_id(), find_cpus(), find_memory(), find_disk(work_directory)};
}

result<resources> resources_of(const machine& here, std::string_view given) {
  auto all = resources::parse(given);
  if (!all) return all.error();
  for (const char* name : {"cpus", "mem", "disk", "ports"}) {
    if (names(given, name)) continue;
    auto detected = resources::parse(text_of(here, name));
    if (!detected) return detected.error();
    *all += *detected;
  }
  return *all;
}

}  // namespace troupe
