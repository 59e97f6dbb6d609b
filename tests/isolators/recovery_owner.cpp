// Stands for an agent that is about to be killed: runs one container until then. Arguments: folder, 1 or 0 for cgroups,
// script.
#include "tests/isolators/container_lab.hpp"

#include <sys/prctl.h>
#include <unistd.h>

#include <csignal>

int main(int count, char** arguments) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);  // not even a test that is killed leaves it
  using namespace troupe;
  if (count != 4) return 2;
  std::string folder = arguments[1];
  auto options = lab_options(folder, arguments[2] == std::string("1"));
  auto hands = containerizer::start(options, [](const container_event&) {});
  if (!hands) return 1;
  internal::LaunchContainer launch;
  launch.mutable_container_id()->set_value("a");
  launch.mutable_command()->set_value(arguments[3]);
  launch.set_sandbox(folder + "/sandbox");
  auto* memory = launch.add_resources();
  memory->set_name("mem");
  memory->set_type(v1::Value::SCALAR);
  memory->mutable_scalar()->set_value(40);
  hands.value()->launch(launch);
  for (;;) ::pause();
}
