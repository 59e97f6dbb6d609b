#pragma once

#include <chrono>
#include <cstddef>
#include <sstream>
#include <string>
#include <vector>

/// How figures are measured and printed: pairs of runs, ours and a peer's in turn, one line a figure.
namespace troupe::bench {

/// The middle of the values, and other ranks: `rank(v, 0.99)` is the 99th percentile. 0 of none.
double rank(std::vector<double> values, double portion);
inline double median(std::vector<double> values) {
  return rank(std::move(values), 0.5);
}

/// How many times `count` fits into a second at the pace of `run`.
template <class Run>
double per_second(std::size_t count, Run run) {
  const auto begin = std::chrono::steady_clock::now();
  run();
  return static_cast<double>(count) / std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

/// Processor time of this process and of its children that have ended. What a run adds to it says more than its pace
/// where others keep the machine busy.
double cpu_seconds();

/// Processor time that `run` takes, its children included, in microseconds for each of `count`.
template <class Run>
double cpu_us_each(std::size_t count, Run run) {
  const auto before = cpu_seconds();
  run();
  return 1e6 * (cpu_seconds() - before) / static_cast<double>(count);
}

/// One line on stdout when it ends: `links.rpc clients=8 per_s=512000`.
class figure {
 public:
  explicit figure(const std::string& name) { line_ << name; }
  ~figure();
  figure(const figure&) = delete;
  figure& operator=(const figure&) = delete;

  figure& with(const std::string& key, const std::string& value);
  figure& with(const std::string& key, std::size_t value) { return with(key, std::to_string(value)); }
  /// Printed with so many digits behind the point.
  figure& with(const std::string& key, double value, int digits);
  /// `ratio_vs_PEER`, `ratio_min` and `ratio_max` of the pairs: each is ours by theirs.
  figure& with_ratio(const std::string& peer, const std::vector<double>& ours, const std::vector<double>& theirs);

 private:
  std::ostringstream line_;
};

/// What a bench was asked for: `--pairs N`, `--scale X` (of the size of each run) and names that its figures' names
/// must hold, all of them when none is given. Ends the program with a usage message when it does not understand.
struct request {
  std::size_t pairs = 7;
  double scale = 1;
  std::vector<std::string> wanted;

  bool wants(const std::string& name) const;
  std::size_t scaled(std::size_t count) const;
};
request parse_request(int argument_count, char** arguments);

}  // namespace troupe::bench
