#include "actors/master/master_actor.hpp"

#include "actors/master/master.hpp"
#include "actors/runtime/shell.hpp"

namespace troupe {

void start_master(process& host, const master_options& options, view_desk& desk) {
  shell_setup<master> setup;
  setup.at = leader();
  setup.identity = keys::identity("master");
  setup.prefixes = {"master"};
  setup.make = [options] { return master(options); };
  setup.options = std::make_shared<const internal::MasterOptions>(options_message(options));
  setup.desk = &desk;
  host.supervise(shell_child<master, master_actor>(host.system(), host.rt(), "master", setup));
}

}  // namespace troupe
