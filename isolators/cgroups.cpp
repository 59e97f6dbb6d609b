#include "isolators/cgroups.hpp"

#include "isolators/small_file.hpp"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spdlog/spdlog.h>
#include <sys/eventfd.h>
#include <sys/stat.h>

#include <cerrno>
#include <filesystem>
#include <set>
#include <sstream>

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr const char* controllers[] = {"cpu", "memory", "freezer"};
constexpr int freeze_reads_max = 200;
constexpr int plain_rounds_max = 5;

bool make_directory(const std::string& path) {
  return ::mkdir(path.c_str(), 0755) == 0 || errno == EEXIST;
}

/// The group itself and all below it, deepest last.
std::vector<std::string> tree_of(const std::string& group) {
  std::vector<std::string> tree{group};
  std::error_code failure;
  for (std::size_t i = 0; i < tree.size(); ++i) {
    for (const auto& entry : fs::directory_iterator(tree[i], failure)) {
      if (entry.is_directory(failure)) tree.push_back(entry.path());
    }
  }
  return tree;
}

bool remove_tree(const std::string& group) {
  if (::rmdir(group.c_str()) == 0 || errno == ENOENT) return true;
  auto tree = tree_of(group);
  for (auto it = tree.rbegin(); it != tree.rend(); ++it) ::rmdir(it->c_str());
  return ::access(group.c_str(), F_OK) != 0;
}

std::uint64_t read_figure(const std::string& path) {
  auto text = read_small_file(path);
  return text ? std::strtoull(text->c_str(), nullptr, 10) : 0;
}

/// Of memory.oom_control's lines `NAME VALUE`.
std::uint64_t read_figure(const std::string& path, const std::string& name) {
  auto text = read_small_file(path);
  std::istringstream words(text ? *text : std::string());
  std::string word;
  std::uint64_t value = 0;
  while (words >> word >> value) {
    if (word == name) return value;
  }
  return 0;
}

void freeze(const std::string& group) {
  auto state = group + "/freezer.state";
  if (!write_existing_file(state, "FROZEN")) return;
  // Reading is what makes the kernel look again; a process in the middle of a fork takes a few looks.
  for (int i = 0; i < freeze_reads_max; ++i) {
    auto now = read_small_file(state);
    if (!now || now->compare(0, 6, "FROZEN") == 0) return;
    ::sched_yield();
  }
}

void thaw(const std::string& group) {
  (void)write_existing_file(group + "/freezer.state", "THAWED");
}

}  // namespace

cgroups cgroups::detect(const cgroup_options& options) {
  cgroups found(options);
  std::string missing;
  for (const std::string controller : controllers) {
    auto mount = options.mount + "/" + controller;
    auto group = mount + "/" + options.root + "/" + options.tag;
    bool usable = options.enable && ::access((mount + "/cgroup.procs").c_str(), W_OK) == 0;
    // Twice: another agent that ends may take the common root away in between.
    for (int attempt = 0; usable && attempt < 2; ++attempt) {
      make_directory(mount + "/" + options.root);
      if (make_directory(group)) break;
      if (attempt == 1) usable = false;
    }
    if (usable && ::access((group + "/cgroup.procs").c_str(), W_OK) == 0) {
      found.groups_[controller] = group;
    } else {
      missing += (missing.empty() ? "" : ",") + controller;
    }
  }
  if (!missing.empty()) {
    spdlog::warn(
        "cgroups.unavailable controllers={} mount={} effect=\"{}\"", missing, options.mount,
        "without cpu and memory, limits are not enforced; without freezer, containers are ended by their shims");
  }
  return found;
}

std::string cgroups::group_of(const std::string& controller, const std::string& key) const {
  auto it = groups_.find(controller);
  return it == groups_.end() ? std::string() : it->second + "/" + key;
}

isolation_plan cgroups::plan(const std::string& key, const container_limits& limits) const {
  isolation_plan plan;
  if (has("cpu")) plan += plan_cpu(group_of("cpu", key), limits, options_.hard_cap_cpus);
  if (has("memory")) plan += plan_memory(group_of("memory", key), limits);
  if (has("freezer")) plan += plan_freezer(group_of("freezer", key));
  return plan;
}

result<void> cgroups::carry_out(const isolation_plan& plan) const {
  auto give_up = [&](error failure) {
    for (const auto& directory : plan.directories) remove_tree(directory);
    return failure;
  };
  for (const auto& directory : plan.directories) {
    if (!make_directory(directory)) return give_up(system_error("make cgroup", directory, errno));
  }
  for (const auto& write : plan.writes) {
    auto done = write_existing_file(write.path, write.value);
    if (!done && !(write.optional && done.error().code == errc::not_found)) return give_up(done.error());
  }
  return {};
}

std::vector<int> cgroups::processes_of(const std::string& key) const {
  std::set<int> found;
  for (const auto& [controller, group] : groups_) {
    for (const auto& directory : tree_of(group + "/" + key)) {
      auto text = read_small_file(directory + "/cgroup.procs");
      std::istringstream words(text ? *text : std::string());
      for (int pid = 0; words >> pid;) {
        if (pid > 1) found.insert(pid);  // 0 is a process of another pid namespace
      }
    }
  }
  return {found.begin(), found.end()};
}

bool cgroups::kill_new(const std::string& key, std::set<int>& killed) const {
  bool any = false;
  for (int pid : processes_of(key)) {
    if (!killed.insert(pid).second) continue;
    ::kill(pid, SIGKILL);
    any = true;
  }
  return any;
}

bool cgroups::kill_all(const std::string& key) const {
  std::set<int> killed;
  for (int round = 0; round < plain_rounds_max; ++round) {
    if (!kill_new(key, killed)) return !killed.empty();
  }
  // They multiply as fast as we kill: stop them first. Not at once, since stopping interrupts every processor of the
  // machine.
  auto frozen = group_of("freezer", key);
  if (frozen.empty()) return true;
  freeze(frozen);
  killed.clear();
  kill_new(key, killed);
  thaw(frozen);
  return true;
}

bool cgroups::remove(const std::string& key) const {
  bool removed = true;
  for (const auto& [controller, group] : groups_) removed = remove_tree(group + "/" + key) && removed;
  return removed;
}

file_descriptor cgroups::watch_memory(const std::string& key) const {
  auto group = group_of("memory", key);
  if (group.empty()) return {};
  file_descriptor event(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK));
  file_descriptor control(::open((group + "/memory.oom_control").c_str(), O_RDONLY | O_CLOEXEC));
  if (!event || !control) return {};
  auto request = std::to_string(event.get()) + " " + std::to_string(control.get());
  if (!write_existing_file(group + "/cgroup.event_control", request)) return {};
  return event;
}

std::optional<memory_figures> cgroups::memory_of(const std::string& key, bool notified) const {
  auto group = group_of("memory", key);
  if (group.empty()) return std::nullopt;
  memory_figures figures;
  figures.notified = notified;
  figures.oom_kills = read_figure(group + "/memory.oom_control", "oom_kill");
  if (!notified && figures.oom_kills == 0) return std::nullopt;
  figures.limit_bytes = read_figure(group + "/memory.limit_in_bytes");
  figures.used_bytes_max = read_figure(group + "/memory.max_usage_in_bytes");
  return figures;
}

std::vector<std::string> cgroups::leftovers() const {
  std::set<std::string> keys;
  std::error_code failure;
  for (const auto& [controller, group] : groups_) {
    for (const auto& entry : fs::directory_iterator(group, failure)) {
      if (entry.is_directory(failure)) keys.insert(entry.path().filename());
    }
  }
  return {keys.begin(), keys.end()};
}

void cgroups::remove_own() const {
  for (const auto& [controller, group] : groups_) {
    ::rmdir(group.c_str());
    ::rmdir((options_.mount + "/" + controller + "/" + options_.root).c_str());  // stays while another agent is in it
  }
}

}  // namespace troupe
