#include "actors/runtime/event_ring.hpp"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <random>
#include <string_view>

namespace troupe {

namespace {

error io_error(const std::string& what, const std::string& path) {
  return {errc::io, what + " " + path + ": " + std::strerror(errno)};
}

// As to_string has it, but built in place: this runs at every step.
void copy_text(char (&to)[40], const Address& from) {
  std::size_t length = 0;
  for (const std::string_view part : {role_name(from.role()), std::string_view("/"), std::string_view(from.id())}) {
    const auto fitting = std::min(part.size(), sizeof(to) - 1 - length);
    std::memcpy(to + length, part.data(), fitting);
    length += fitting;
  }
  to[length] = '\0';
}

std::vector<ring_event> in_order(const ring_event* slots, std::size_t count) {
  std::vector<ring_event> found;
  for (std::size_t i = 0; i < count; ++i)
    if (slots[i].id != 0) found.push_back(slots[i]);
  std::sort(found.begin(), found.end(), [](const auto& a, const auto& b) { return a.id < b.id; });
  return found;
}

}  // namespace

result<std::unique_ptr<event_ring>> event_ring::open(const std::string& path, std::size_t bytes) {
  auto count = std::max<std::size_t>(bytes / sizeof(ring_event), 16);
  auto size = count * sizeof(ring_event);
  int fd = -1;
  if (!path.empty()) {
    std::rename(path.c_str(), (path + ".previous").c_str());
    fd = ::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) return io_error("cannot create the event ring", path);
    if (::ftruncate(fd, static_cast<off_t>(size)) != 0) {
      auto failure = io_error("cannot size the event ring", path);
      ::close(fd);
      return failure;
    }
  }
  int flags = fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, fd, 0);
  auto failure = io_error("cannot map the event ring", path);
  if (fd >= 0) ::close(fd);
  if (memory == MAP_FAILED) return failure;
  auto tag = (std::uint64_t{std::random_device{}()} | 1u) << 44;
  return std::unique_ptr<event_ring>(new event_ring(static_cast<ring_event*>(memory), count, size, tag));
}

event_ring::event_ring(ring_event* slots, std::size_t count, std::size_t mapped_bytes, std::uint64_t tag)
    : slots_(slots), count_(count), mapped_bytes_(mapped_bytes), tag_(tag) {}

event_ring::~event_ring() {
  ::munmap(slots_, mapped_bytes_);
}

void event_ring::record(const Envelope& head, std::uint64_t id, std::int64_t wall_ns, std::uint32_t letters) {
  auto& slot = slots_[cursor_.fetch_add(1) % count_];
  reinterpret_cast<std::atomic<std::uint64_t>&>(slot.id).store(0);
  slot.wall_ns = wall_ns;
  slot.trace = head.trace();
  slot.cause = head.cause();
  slot.incarnation = head.incarnation();
  slot.verb = head.verb();
  slot.letters = letters;
  copy_text(slot.from, head.from());
  copy_text(slot.to, head.to());
  reinterpret_cast<std::atomic<std::uint64_t>&>(slot.id).store(id);
}

std::vector<ring_event> event_ring::events() const {
  return in_order(slots_, count_);
}

result<std::vector<ring_event>> event_ring::read(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return io_error("cannot read the event ring", path);
  std::vector<ring_event> slots;
  ring_event slot;
  while (file.read(reinterpret_cast<char*>(&slot), sizeof(slot))) {
    slot.from[sizeof(slot.from) - 1] = slot.to[sizeof(slot.to) - 1] = '\0';
    slots.push_back(slot);
  }
  return in_order(slots.data(), slots.size());
}

}  // namespace troupe
