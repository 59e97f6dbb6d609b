#include "tools/sim_framework.hpp"

#include <dlfcn.h>

#include <filesystem>

namespace troupe {

namespace {

std::string version_text(const sdk::simulated_framework& f) {
  return std::to_string(f.sdk_version) + " (protobuf " + std::to_string(f.protobuf_version) + ", layout " +
         std::to_string(f.scheduler_bytes) + "/" + std::to_string(f.task_info_bytes) + ")";
}

std::string last_dl_error() {
  const char* text = dlerror();
  return text ? text : "unknown error";
}

}  // namespace

result<const sdk::simulated_framework*> load_simulated_framework(const std::string& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return error{errc::not_found, path + ": there is no such file"};
  if (std::filesystem::is_directory(path, ignored))
    return invalid(path + ": is a folder; a framework is a shared object, NAME.so");
  // Never closed: what it has registered with protobuf stays.
  void* loaded = dlopen(std::filesystem::absolute(path).c_str(), RTLD_NOW | RTLD_LOCAL);
  if (!loaded) return invalid(path + ": cannot be loaded: " + last_dl_error());
  const auto* found = static_cast<const sdk::simulated_framework*>(dlsym(loaded, sdk::simulated_framework_symbol));
  if (!found)
    return invalid(path + ": has no " + sdk::simulated_framework_symbol +
                   "; TROUPE_SIMULATED_FRAMEWORK(maker) of frameworks/sdk/simulated.hpp defines it");
  const sdk::simulated_framework ours;
  if (version_text(*found) != version_text(ours))
    return invalid(path + ": is built for SDK " + version_text(*found) + ", and this troupe has SDK " +
                   version_text(ours) + "; build it again");
  if (!found->make) return invalid(path + ": makes no scheduler");
  return found;
}

}  // namespace troupe
