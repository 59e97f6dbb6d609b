#include "isolators/small_file.hpp"

#include "actors/runtime/file_descriptor.hpp"

#include <fcntl.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace troupe {
namespace {

constexpr std::size_t size_max = 64 * 1024;

}  // namespace

error system_error(const std::string& doing, const std::string& object, int number) {
  return {number == ENOENT ? errc::not_found : errc::io,
          "cannot " + doing + " " + object + ": " + std::generic_category().message(number)};
}

result<std::string> read_small_file(const std::string& path) {
  file_descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) return system_error("read", path, errno);
  std::string content;
  char chunk[4096];
  while (content.size() < size_max) {
    auto size = ::read(file.get(), chunk, sizeof chunk);
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("read", path, errno);
    if (size == 0) break;
    content.append(chunk, static_cast<std::size_t>(size));
  }
  return content;
}

result<void> write_existing_file(const std::string& path, std::string_view value) {
  file_descriptor file(::open(path.c_str(), O_WRONLY | O_CLOEXEC));
  if (!file) return system_error("write", path, errno);
  ssize_t size = 0;
  do {
    size = ::write(file.get(), value.data(), value.size());
  } while (size < 0 && errno == EINTR);  // the kernel gives up making room in a group for any signal, a debugger's too
  if (size < 0) return system_error("write " + std::string(value) + " to", path, errno);
  return {};
}

result<void> replace_file(const std::string& path, std::string_view content) {
  auto temporary = path + ".tmp";
  file_descriptor file(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
  if (!file) return system_error("make", temporary, errno);
  while (!content.empty()) {
    auto size = ::write(file.get(), content.data(), content.size());
    if (size < 0 && errno == EINTR) continue;
    if (size < 0) return system_error("write", temporary, errno);
    content.remove_prefix(static_cast<std::size_t>(size));
  }
  if (::rename(temporary.c_str(), path.c_str()) != 0) return system_error("put in place", path, errno);
  return {};
}

}  // namespace troupe
