#include "tests/isolators/container_lab.hpp"

#include "isolators/process_table.hpp"
#include "isolators/small_file.hpp"

#include <poll.h>
#include <sys/inotify.h>
#include <unistd.h>

#include <chrono>
#include <filesystem>
#include <stdexcept>

namespace troupe {
namespace {

namespace fs = std::filesystem;

constexpr auto patience = std::chrono::seconds(60);
constexpr int patience_ms = 60'000;

std::string stripped(std::string text) {
  while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.pop_back();
  return text;
}

std::string new_folder() {
  std::string name = "/tmp/troupe-lab-XXXXXX";
  if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("cannot make a folder in /tmp");
  fs::permissions(name, fs::perms(0755));  // a task's user must be able to reach its sandbox's parents by name
  return name;
}

}  // namespace

containerizer_options lab_options(const std::string& folder, bool with_cgroups) {
  containerizer_options options;
  options.runtime_directory = folder + "/run";
  options.shim_path = TROUPE_SHIM_PATH;
  // Generous where the machine is busy, and yet no test has to wait for it to pass.
  options.shim_end_max = std::chrono::seconds(2);
  options.cgroups.tag = "lab" + folder.substr(folder.rfind('-'));
  options.cgroups.enable = with_cgroups;
  return options;
}

container_lab::container_lab(bool with_cgroups) : folder_(new_folder()), options_(lab_options(folder_, with_cgroups)) {
  auto started = containerizer::start(options_, [this](const container_event& event) {
    std::lock_guard<std::mutex> lock(mutex_);
    events_[container_of(event).value()].push_back(event);
    heard_.notify_all();
  });
  hands_ = std::move(started.value());
}

container_lab::~container_lab() {
  hands_.reset();
  std::error_code failure;
  fs::remove_all(folder_, failure);
}

internal::LaunchContainer container_lab::shell(const std::string& id, const std::string& script) const {
  internal::LaunchContainer launch;
  launch.mutable_container_id()->set_value(id);
  launch.mutable_command()->set_value(script);
  launch.set_sandbox(sandbox_of(id));
  return launch;
}

std::string container_lab::output_of(const std::string& id, const std::string& file) const {
  return stripped(read_small_file(sandbox_of(id) + "/" + file).value());
}

container_event container_lab::next(const std::string& id) {
  std::unique_lock<std::mutex> lock(mutex_);
  auto& events = events_[id];
  if (!heard_.wait_for(lock, patience, [&] { return !events.empty(); })) {
    throw std::runtime_error("nothing was heard of container " + id + " for a minute");
  }
  auto event = events.front();
  events.erase(events.begin());
  return event;
}

void container_lab::fail(const std::string& id, const container_event& event) {
  std::visit(
      [&](const auto& what) {
        throw std::runtime_error("container " + id + " was answered " + what.GetTypeName() + " { " +
                                 what.ShortDebugString() + " }");
      },
      event);
  throw std::logic_error("unreachable");
}

internal::ContainerExited container_lab::run(const internal::LaunchContainer& launch) {
  hands().launch(launch);
  await_launched(launch.container_id().value());
  return await_exited(launch.container_id().value());
}

std::string container_lab::await_file(const std::string& id, const std::string& file) const {
  file_descriptor events(::inotify_init1(IN_CLOEXEC));
  ::inotify_add_watch(events.get(), sandbox_of(id).c_str(), IN_CLOSE_WRITE | IN_MOVED_TO);
  for (;;) {
    auto text = read_small_file(sandbox_of(id) + "/" + file);
    if (text && !text->empty() && text->back() == '\n') return stripped(*text);
    pollfd waited{events.get(), POLLIN, 0};
    if (::poll(&waited, 1, patience_ms) != 1) throw std::runtime_error(file + " did not appear in a minute");
    char drained[4096];
    (void)!::read(events.get(), drained, sizeof drained);
  }
}

bool container_lab::has_memory_cgroup() const {
  return options_.cgroups.enable && fs::exists(group_of(options_, "memory"));
}

std::vector<std::string> container_lab::groups() const {
  std::vector<std::string> names;
  for (const char* controller : {"cpu", "memory", "freezer"}) {
    std::error_code failure;
    for (const auto& entry : fs::directory_iterator(group_of(options_, controller), failure)) {
      if (entry.is_directory()) names.push_back(entry.path());
    }
  }
  return names;
}

std::string group_of(const containerizer_options& options, const std::string& controller) {
  return options.cgroups.mount + "/" + controller + "/" + options.cgroups.root + "/" + options.cgroups.tag;
}

bool process_runs(int pid) {
  auto text = read_small_file("/proc/" + std::to_string(pid) + "/stat");
  if (!text) return false;
  auto stat = parse_process_stat(*text);
  return stat && stat->state != 'Z' && stat->state != 'X';
}

bool await_gone(int pid) {
  auto process = open_pidfd(pid);
  if (!process) return true;
  pollfd waited{process.get(), POLLIN, 0};
  return ::poll(&waited, 1, patience_ms) == 1;
}

}  // namespace troupe
