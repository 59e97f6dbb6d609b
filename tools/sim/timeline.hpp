#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <utility>
#include <vector>

namespace troupe::sim {

/// What will happen, by its moment; what is due at the same moment happens in the order in which it was planned.
class timeline {
 public:
  using duration = std::chrono::nanoseconds;  ///< since the world began
  using action = std::function<void()>;

  duration now() const { return now_; }
  bool empty() const { return heap_.empty(); }
  std::uint64_t happened() const { return happened_; }

  void at(duration moment, action what);
  void after(duration wait, action what) { at(now_ + wait, std::move(what)); }

  /// The next of what is due by then. False: there is nothing, and it is then.
  bool run_one(duration until);

 private:
  struct planned {
    duration moment;
    std::uint64_t number;
    action what;
  };
  static bool later(const planned& a, const planned& b) {
    return a.moment != b.moment ? a.moment > b.moment : a.number > b.number;
  }

  duration now_{0};
  std::uint64_t planned_ = 0;
  std::uint64_t happened_ = 0;
  std::vector<planned> heap_;
};

}  // namespace troupe::sim
