// Launches of real command tasks on the cluster that TROUPE_MASTER names, measured by a scheduler. All records are
// durable, the scheduler's own in FOLDER as well.
#include "frameworks/sdk/program.hpp"
#include "tests/bench/launch_schedulers.hpp"

#include <cstdio>
#include <cstdlib>
#include <string_view>

int main(int argument_count, char** arguments) {
  using namespace troupe;
  const std::string_view what = argument_count > 1 ? arguments[1] : "";
  const auto number = [&](int i) { return static_cast<std::size_t>(argument_count > i ? std::atoi(arguments[i]) : 0); };
  const bool latency = (what == "revive" || what == "held") && argument_count == 4;
  const bool rate = what == "rate" && argument_count == 5 && number(4) > 0;
  if ((!latency && !rate) || number(3) == 0) {
    std::fprintf(stderr, "usage: launch_bench revive|held FOLDER TASKS, launch_bench rate FOLDER TASKS ROUNDS\n");
    return 2;
  }
  const std::string folder = arguments[2];
  sdk::program_options options;
  options.name = "launch_bench";
  options.state_dir = folder + "/state";
  return sdk::run_scheduler_program(rate ? bench::launch_all_at_once(number(3), number(4))
                                         : bench::launch_one_at_a_time(what == "held", number(3), folder + "/floor"),
                                    options);
}
