#pragma once

#include "tools/emulator/emulated_containerizer.hpp"
#include "tools/emulator/load_figures.hpp"

#include <boost/json/object.hpp>

#include <string>

namespace troupe {

/// What an emulation prints: JSON lines for programs; for people progress on stderr, and at the end a figure a line on
/// stdout.
class emulate_report {
 public:
  explicit emulate_report(bool json) : json_(json) {}

  /// `phase`: starting, warming_up, measuring, ending. For people only when it says something new.
  void progress(const std::string& phase, const boost::json::object& figures);
  void figures(const boost::json::object& figures);

 private:
  const bool json_;
  std::string last_;
};

boost::json::object json_of(const delay_histogram& delays);
boost::json::object json_of(const container_figures::counts& counts);
boost::json::object json_of(const load_counts& counts);

/// What was counted from one moment to another.
boost::json::object json_between(const load_counts& from, const load_counts& to, double seconds);

}  // namespace troupe
