#pragma once

#include "storage/journal_store.hpp"
#include "tools/sim/chance.hpp"
#include "tools/sim/timeline.hpp"

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace troupe::sim {

/// How a disk behaves. `fails_*`: of so many commits, for as long as it is set.
struct disk_habits {
  timeline::duration sync{std::chrono::microseconds(200)};
  timeline::duration sync_max{std::chrono::milliseconds(50)};
  double fails = 0;   ///< portion of commits that are answered with an I/O error, whatever became of them
  bool full = false;  ///< every commit is answered that the disk is full
};

/// The store of one process, on a disk that takes its time: a commit is durable some time after it was asked for, after
/// all earlier ones. A crash loses what was not; of what was under way a first part, drawn by chance, may have arrived.
class disk {
 public:
  using done = std::function<void(bool durable)>;

  disk(timeline& time, chance luck) : time_(time), luck_(luck) {}

  disk_habits habits;

  /// `then` is called when the commit is durable or has failed; after a failure nothing more is committed until
  /// `open_anew`.
  void commit(std::vector<edit> edits, done then);
  /// Nothing becomes durable for so long.
  void hang(timeline::duration lasts);
  /// Of what was asked for, something is not durable yet.
  bool is_behind() const { return !waiting_.empty(); }
  void crash();
  void open_anew() { failed_ = false; }
  /// Never a failure while the disk is not full: for what a start must write.
  bool commit_now(const std::vector<edit>& edits);

  const std::map<std::string, std::string>& records() const { return records_; }
  void wipe() { records_.clear(); }

 private:
  struct waiting {
    std::vector<edit> edits;
    done then;
  };

  void apply(const std::vector<edit>& edits);
  void finish(std::uint64_t life);

  timeline& time_;
  chance luck_;
  std::uint64_t life_ = 0;
  bool failed_ = false;
  timeline::duration free_at_{0};
  std::vector<waiting> waiting_;
  std::map<std::string, std::string> records_;
};

}  // namespace troupe::sim
