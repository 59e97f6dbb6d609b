#pragma once

#include "storage/journal_actor.hpp"
#include "tests/crash/faulty_disk.hpp"

#include <cstddef>
#include <map>
#include <string>
#include <vector>

namespace troupe::test {

/// The same commits each time: so many that LevelDB switches logs, writes tables and merges them.
class journal_workload {
 public:
  using contents = std::map<std::string, std::string>;  ///< records by key

  /// `rounds` of two groups each: a request alone, and three that wait for it and become one group.
  explicit journal_workload(int rounds);

  struct progress {
    std::size_t begun = 0;     ///< groups that were asked for
    std::size_t answered = 0;  ///< and those of which every request was answered as committed
    std::string problem;       ///< of the first request or open that failed
  };

  /// Opens the journal in `folder` and commits group after group through the journal's actor, until one fails; closes
  /// it.
  progress run(caf::actor_system& system, const std::filesystem::path& folder, faulty_disk& disk) const;

  /// What is remembered after so many groups.
  const contents& after(std::size_t groups) const { return after_[groups]; }
  std::size_t groups() const { return after_.size() - 1; }

  /// LevelDB's files small, so that few commits take it through all it does.
  static journal::options options(faulty_disk& disk);

 private:
  std::vector<std::vector<edit_batch>> groups_;
  std::vector<contents> after_;
};

}  // namespace troupe::test
