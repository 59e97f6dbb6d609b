// What scripts/bench recovery needs beside daemons and the emulator: tasks that a restarted agent takes over, a small
// cluster with or without journals, and the price of a sync.
#include "tests/bench/recovery_bench.hpp"

#include "frameworks/sdk/program.hpp"
#include "tests/bench/figures.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <string_view>
#include <vector>

namespace troupe::bench {
namespace {

/// Records of 200 bytes appended to a file in `folder`, each synced; prints the median wait in milliseconds.
int time_syncs(const std::string& folder, std::size_t count) {
  const int fd = ::open((folder + "/syncs").c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (fd < 0) return std::perror("recovery_bench: syncs"), 1;
  const std::string record(200, 'r');
  std::vector<double> waits_ms;
  for (std::size_t i = 0; i < count; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    if (::write(fd, record.data(), record.size()) < 0 || ::fdatasync(fd) != 0)
      return std::perror("recovery_bench: syncs"), 1;
    waits_ms.push_back(std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count());
  }
  ::close(fd);
  std::printf("%.4f\n", median(waits_ms));
  return 0;
}

int hold(std::size_t tasks) {
  sdk::program_options options;
  options.name = "recovery_bench";
  return sdk::run_scheduler_program(hold_tasks(tasks), options);
}

}  // namespace
}  // namespace troupe::bench

int main(int argument_count, char** arguments) {
  using namespace troupe::bench;
  const std::string_view what = argument_count > 1 ? arguments[1] : "";
  const auto text = [&](int i) { return std::string(argument_count > i ? arguments[i] : ""); };
  const auto number = [&](int i) { return static_cast<std::size_t>(std::atoi(text(i).c_str())); };
  if (what == "hold" && number(2) > 0) return hold(number(2));
  if (what == "syncs" && number(3) > 0) return time_syncs(text(2), number(3));
  const auto records = text(3);
  if (what == "cluster" && (records == "disk" || records == "memory"))
    return run_small_cluster(text(2), records == "disk");
  std::fprintf(stderr,
               "usage: recovery_bench hold TASKS, recovery_bench cluster FOLDER disk|memory, recovery_bench syncs "
               "FOLDER COUNT\n");
  return 2;
}
