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

/// Taken at a time.
constexpr std::size_t slots_a_step = (std::size_t{1} << 20) / sizeof(ring_event);

error io_error(const std::string& what, const std::string& path) {
  const errc code = errno == ENOSPC || errno == EDQUOT ? errc::exhausted : errc::io;
  return {code, what + " " + path + ": " + std::strerror(errno)};
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
  auto size = std::max<std::size_t>(bytes / sizeof(ring_event), 16) * sizeof(ring_event);
  file_descriptor file;
  if (!path.empty()) {
    std::rename(path.c_str(), (path + ".previous").c_str());
    file = file_descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600));
    if (!file) return io_error("cannot create the event ring", path);
    if (::ftruncate(file.get(), static_cast<off_t>(size)) != 0) return io_error("cannot size the event ring", path);
  }
  int flags = file ? MAP_SHARED : MAP_PRIVATE | MAP_ANONYMOUS;
  void* memory = ::mmap(nullptr, size, PROT_READ | PROT_WRITE, flags, file ? file.get() : -1, 0);
  if (memory == MAP_FAILED) return io_error("cannot map the event ring", path);
  auto tag = (std::uint64_t{std::random_device{}()} | 1u) << 44;
  std::unique_ptr<event_ring> made(new event_ring(static_cast<ring_event*>(memory), size, std::move(file), tag));
  if (!made->take_space(slots_a_step)) return io_error("cannot make room for the event ring", path);
  return made;
}

event_ring::event_ring(ring_event* slots, std::size_t mapped_bytes, file_descriptor file, std::uint64_t tag)
    : slots_(slots),
      mapped_bytes_(mapped_bytes),
      file_(std::move(file)),
      count_(mapped_bytes / sizeof(ring_event)),
      tag_(tag) {}

event_ring::~event_ring() {
  ::munmap(slots_, mapped_bytes_);
}

/// For the first so many slots. Twice at once does no harm.
bool event_ring::take_space(std::size_t slots) {
  slots = std::min(slots, mapped_bytes_ / sizeof(ring_event));
  if (file_) {
    errno = ::posix_fallocate(file_.get(), 0, static_cast<off_t>(slots * sizeof(ring_event)));
    if (errno != 0) return false;
  }
  auto known = backed_.load();
  while (known < slots && !backed_.compare_exchange_weak(known, slots)) continue;
  return true;
}

ring_event& event_ring::next_slot() {
  auto at = cursor_.fetch_add(1) % count_.load();
  for (auto backed = backed_.load(); at >= backed; backed = backed_.load())
    // What there is no space for is not tried again: the turn ends there from now on.
    if (!take_space(backed + slots_a_step)) {
      count_.store(backed);
      at %= backed;
    }
  return slots_[at];
}

void event_ring::record(const Envelope& head, std::uint64_t id, std::int64_t wall_ns, std::uint32_t letters) {
  auto& slot = next_slot();
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
  return in_order(slots_, backed_.load());
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
