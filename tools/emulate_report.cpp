#include "tools/emulate_report.hpp"

#include <spdlog/fmt/fmt.h>
#include <boost/json.hpp>

#include <cmath>
#include <iostream>

namespace troupe {

namespace {

namespace json = boost::json;

double rounded(double value) {
  return std::round(value * 1000) / 1000;
}

double milliseconds(std::chrono::nanoseconds time) {
  return rounded(static_cast<double>(time.count()) / 1e6);
}

/// Numbers as people write them.
std::string text_of(const json::value& value) {
  if (value.is_double()) return fmt::format("{:.3f}", value.get_double());
  return value.is_string() ? std::string(value.get_string()) : json::serialize(value);
}

/// `name=value name.part=value …`.
std::string flat(const json::object& figures, const std::string& before = {}) {
  std::string line;
  for (const auto& [key, value] : figures) {
    if (!line.empty()) line += ' ';
    const auto name = before + std::string(key);
    line += value.is_object() ? flat(value.get_object(), name + ".") : name + '=' + text_of(value);
  }
  return line;
}

}  // namespace

void emulate_report::progress(const std::string& phase, const json::object& figures) {
  if (json_) {
    json::object line{{"phase", phase}};
    for (const auto& [key, value] : figures) line[key] = value;
    std::cout << json::serialize(line) << std::endl;
    return;
  }
  const auto line = phase + " " + flat(figures);
  if (line != last_) std::cerr << line << std::endl;
  last_ = line;
}

void emulate_report::figures(const json::object& figures) {
  if (json_) return progress("done", figures);
  for (const auto& [key, value] : figures) {
    const std::string name(key);
    std::cout << (value.is_object() ? name + " " + flat(value.get_object()) : name + " " + text_of(value)) << '\n';
  }
  std::cout.flush();
}

json::object json_of(const delay_histogram& delays) {
  return {{"count", delays.count()},
          {"mean_ms", milliseconds(delays.mean())},
          {"p50_ms", milliseconds(delays.rank(0.5))},
          {"p99_ms", milliseconds(delays.rank(0.99))},
          {"max_ms", milliseconds(delays.most())}};
}

json::object json_of(const container_figures::counts& counts) {
  return {{"launched", counts.launched}, {"running", counts.launched - counts.ended}, {"ended", counts.ended}};
}

json::object json_of(const load_counts& counts) {
  return {{"launched", counts.launched}, {"running", counts.running}, {"finished", counts.finished},
          {"failed", counts.failed},     {"killed", counts.killed},   {"lost", counts.lost}};
}

json::object json_between(const load_counts& from, const load_counts& to, double seconds) {
  const auto a_second = [&](std::uint64_t before, std::uint64_t after) {
    return seconds > 0 ? rounded(static_cast<double>(after - before) / seconds) : 0;
  };
  return {{"seconds", rounded(seconds)},
          {"launched", to.launched - from.launched},
          {"ended", to.ended() - from.ended()},
          {"launched_per_s", a_second(from.launched, to.launched)},
          {"ended_per_s", a_second(from.ended(), to.ended())}};
}

}  // namespace troupe
