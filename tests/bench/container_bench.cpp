// Short tasks a second: from a launch's message to its container's last one, against bare posix_spawn and wait.
// Workload: /bin/true with cpu and memory limits, 64 outstanding, launched from one thread; the floor starts as many,
// two threads at once. Pairs are interleaved; the ratio is the median's.
#include "tests/isolators/container_lab.hpp"

#include <spawn.h>
#include <sys/wait.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <thread>
#include <vector>

namespace troupe {
namespace {

constexpr int pairs = 7;
constexpr int outstanding = 64;

void spawn_bare(int count) {
  std::string program = "/bin/true";
  char* arguments[] = {program.data(), nullptr};
  for (int i = 0; i < count; ++i) {
    pid_t pid = 0;
    if (::posix_spawn(&pid, program.c_str(), nullptr, nullptr, arguments, environ) == 0) ::waitpid(pid, nullptr, 0);
  }
}

void run_floor(int count) {
  std::thread other(spawn_bare, count / 2);
  spawn_bare(count - count / 2);
  other.join();
}

void add_scalar(internal::LaunchContainer& launch, const char* name, double value) {
  auto* resource = launch.add_resources();
  resource->set_name(name);
  resource->set_type(v1::Value::SCALAR);
  resource->mutable_scalar()->set_value(value);
}

void run_containers(container_lab& lab, const std::string& prefix, int count) {
  std::deque<std::string> running;
  auto finish_one = [&] {
    lab.await_launched(running.front());
    lab.await_exited(running.front());
    running.pop_front();
  };
  for (int i = 0; i < count; ++i) {
    auto id = prefix + std::to_string(i);
    auto launch = lab.shell(id, "/bin/true");
    launch.mutable_command()->set_shell(false);
    add_scalar(launch, "cpus", 1);
    add_scalar(launch, "mem", 32);
    lab.hands().launch(launch);
    running.push_back(id);
    if (running.size() == outstanding) finish_one();
  }
  while (!running.empty()) finish_one();
}

template <class Run>
double rate(int count, Run run) {
  auto begin = std::chrono::steady_clock::now();
  run();
  return count / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

}  // namespace
}  // namespace troupe

int main(int argument_count, char** arguments) {
  using namespace troupe;
  int count = argument_count > 1 ? std::atoi(arguments[1]) : 500;
  container_lab lab;
  std::vector<double> ratios;
  for (int pair = 0; pair < pairs; ++pair) {
    auto floor = rate(count, [&] { run_floor(count); });
    auto ours = rate(count, [&] { run_containers(lab, "p" + std::to_string(pair) + "-", count); });
    std::printf("pair=%d floor_per_s=%.0f containers_per_s=%.0f ratio=%.2f\n", pair, floor, ours, ours / floor);
    ratios.push_back(ours / floor);
  }
  std::sort(ratios.begin(), ratios.end());
  std::printf("containers.short_tasks ratio_to_posix_spawn median=%.2f min=%.2f max=%.2f\n", ratios[pairs / 2],
              ratios.front(), ratios.back());
}
