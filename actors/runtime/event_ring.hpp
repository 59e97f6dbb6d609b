#pragma once

#include "actors/runtime/file_descriptor.hpp"
#include "protocol/address.hpp"
#include "protocol/error.hpp"

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

namespace troupe {

/// One event as the ring keeps it, and as it lies in the file: 128 bytes, native byte order. Addresses that do not fit
/// are cut.
struct ring_event {
  std::uint64_t id = 0;      ///< unique in the process; 0 = never written
  std::int64_t wall_ns = 0;  ///< when it was handled, nanoseconds since 1970
  std::uint64_t trace = 0;
  std::uint64_t cause = 0;
  std::uint64_t incarnation = 0;
  std::uint32_t verb = 0;
  std::uint32_t letters = 0;  ///< how many letters its step sent
  char from[40] = {};
  char to[40] = {};
};
static_assert(sizeof(ring_event) == 128, "the ring's file format");

/// The last events of this process, in fixed slots of a memory-mapped file: it survives the process, not a reboot.
/// Writing never waits for another writer; a reader may see a slot half written, which its id tells (written last,
/// cleared first). Space for the file is taken a mebibyte at a time before it is written to: on a full disk a mapped
/// page without any would end the process. What the disk does not give makes the ring shorter.
class event_ring {
 public:
  /// Maps `path` (made or overwritten; the previous one is kept as `path`.previous) with room for bytes/128 events. An
  /// empty path keeps the ring in memory only. Errors: exhausted (disk full) or io, naming the path.
  static result<std::unique_ptr<event_ring>> open(const std::string& path, std::size_t bytes);

  ~event_ring();
  event_ring(const event_ring&) = delete;
  event_ring& operator=(const event_ring&) = delete;

  /// Draws the id of a new event: a random tag of this process in the upper 20 bits, a counter below.
  std::uint64_t next_id() { return tag_ | (counter_.fetch_add(1) + 1); }
  /// Stores an event under its id.
  void record(const Envelope& head, std::uint64_t id, std::int64_t wall_ns, std::uint32_t letters);

  /// The events present, oldest first.
  std::vector<ring_event> events() const;
  /// The same from a file, of a live or a dead process.
  static result<std::vector<ring_event>> read(const std::string& path);

 private:
  event_ring(ring_event* slots, std::size_t mapped_bytes, file_descriptor file, std::uint64_t tag);
  bool take_space(std::size_t slots);
  ring_event& next_slot();

  ring_event* slots_;
  std::size_t mapped_bytes_;
  file_descriptor file_;                ///< none: in memory
  std::atomic<std::size_t> count_;      ///< slots of a full turn
  std::atomic<std::size_t> backed_{0};  ///< slots that have space on the disk; the others are never touched by writers
  std::uint64_t tag_;
  std::atomic<std::uint64_t> counter_{0};
  std::atomic<std::uint64_t> cursor_{0};
};

}  // namespace troupe
