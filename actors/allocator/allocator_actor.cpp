#include "actors/allocator/allocator_actor.hpp"

#include "actors/runtime/shell.hpp"

namespace troupe {

void start_allocator(process& host, const allocator_options& options, view_desk& desk) {
  shell_setup<allocator_core> setup;
  setup.at = allocator();
  setup.make = [options] { return allocator_core(options); };
  setup.options = std::make_shared<const internal::AllocatorOptions>(options_message(options));
  setup.desk = &desk;
  host.supervise(shell_child<allocator_core, allocator_actor>(host.system(), host.rt(), "allocator", setup));
}

}  // namespace troupe
