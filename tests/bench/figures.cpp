#include "tests/bench/figures.hpp"

#include <sys/resource.h>

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <iomanip>
#include <string_view>

namespace troupe::bench {

double rank(std::vector<double> values, double portion) {
  if (values.empty()) return 0;
  std::sort(values.begin(), values.end());
  const auto at = static_cast<std::size_t>(portion * static_cast<double>(values.size()));
  return values[std::min(at, values.size() - 1)];
}

double cpu_seconds() {
  double sum = 0;
  for (const auto whose : {RUSAGE_SELF, RUSAGE_CHILDREN}) {
    rusage used{};
    ::getrusage(whose, &used);
    for (const auto& time : {used.ru_utime, used.ru_stime}) {
      sum += static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
    }
  }
  return sum;
}

figure::~figure() {
  std::puts(line_.str().c_str());
  std::fflush(stdout);
}

figure& figure::with(const std::string& key, const std::string& value) {
  line_ << ' ' << key << '=' << value;
  return *this;
}

figure& figure::with(const std::string& key, double value, int digits) {
  std::ostringstream text;
  text << std::fixed << std::setprecision(digits) << value;
  return with(key, text.str());
}

figure& figure::with_ratio(const std::string& peer, const std::vector<double>& ours,
                           const std::vector<double>& theirs) {
  std::vector<double> ratios;
  for (std::size_t i = 0; i < ours.size() && i < theirs.size(); ++i) ratios.push_back(ours[i] / theirs[i]);
  constexpr int digits = 3;
  with("ratio_vs_" + peer, median(ratios), digits);
  with("ratio_min", rank(ratios, 0), digits);
  return with("ratio_max", rank(ratios, 1), digits).with("pairs", ratios.size());
}

bool request::wants(const std::string& name) const {
  return wanted.empty() || std::any_of(wanted.begin(), wanted.end(),
                                       [&](const std::string& part) { return name.find(part) != std::string::npos; });
}

std::size_t request::scaled(std::size_t count) const {
  return std::max<std::size_t>(1, static_cast<std::size_t>(scale * static_cast<double>(count)));
}

request parse_request(int argument_count, char** arguments) {
  request asked;
  for (int i = 1; i < argument_count; ++i) {
    const std::string_view argument = arguments[i];
    const bool takes_value = argument == "--pairs" || argument == "--scale";
    const double value = takes_value && i + 1 < argument_count ? std::atof(arguments[++i]) : 0;
    if (takes_value ? value <= 0 : argument.substr(0, 1) == "-") {
      std::fprintf(stderr, "usage: %s [--pairs N] [--scale X] [FIGURE …]; N and X are above 0\n", arguments[0]);
      std::exit(2);
    }
    if (argument == "--pairs") asked.pairs = std::max<std::size_t>(1, static_cast<std::size_t>(value));
    if (argument == "--scale") asked.scale = value;
    if (!takes_value) asked.wanted.emplace_back(argument);
  }
  return asked;
}

}  // namespace troupe::bench
