#pragma once

#include "tools/run_scheduler.hpp"

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <mutex>
#include <string>
#include <thread>

namespace troupe {

/// What a person at the terminal sees of a run: state changes on stderr, the tasks' own output on stdout and stderr.
/// Follows the output on a thread of its own, by reading the sandboxes' files from the agents.
class run_view {
 public:
  struct options {
    bool prefix = false;  ///< begin each line of output with the instance's name
    bool quiet = false;   ///< no state changes
    bool json = false;    ///< state changes as JSON lines on stdout, and no output
    std::string needs;    ///< what an instance needs, for whoever waits for an offer of it
  };

  /// `on_closed` is called once if nobody reads stdout any more; any thread.
  explicit run_view(options chosen, std::function<void()> on_closed = {});
  ~run_view();

  /// Takes note of an instance; any thread.
  void changed(const run_instance& instance);

  /// Reads what is left of all output, then ends the thread.
  void finish();

  /// The command's own exit code for one instance; for several 0 if all finished, else that of the first that did not.
  int exit_code() const;

  /// Nobody reads stdout any more.
  bool closed() const { return closed_; }

  /// All that were launched.
  bool all_ended() const;

  /// How many instances are in each state, as `200 FINISHED`.
  std::string summary() const;

 private:
  struct followed {
    run_instance instance;
    std::uint64_t read[2] = {0, 0};  // of stdout and stderr
    std::string held[2];             // an unfinished line, where lines are prefixed
    bool complete = false;           // ended, and all output read
  };

  void announce(const run_instance& instance);
  void follow();
  void report_progress();
  std::string counts() const;
  bool drain(followed& f);
  void print(followed& f, int stream, const std::string& bytes);
  void notice_closed();

  const options options_;
  const std::function<void()> on_closed_;
  std::atomic<bool> closed_{false};
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::map<unsigned, followed> all_;  // by run_instance::index
  bool changed_ = false;
  bool finishing_ = false;
  std::chrono::steady_clock::time_point next_report_;
  std::string last_report_;
  std::thread thread_;
};

/// The exit code a shell would see: the status's own, 128 + signal, or 1 where nobody knows.
int exit_code_of(const v1::TaskStatus& status);

}  // namespace troupe
