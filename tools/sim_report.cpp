#include "tools/sim_report.hpp"

#include "protocol/json_text.hpp"

#include <spdlog/fmt/fmt.h>

#include <algorithm>
#include <utility>
#include <vector>

namespace troupe {

namespace {

using sim::framework_figures;
using delays = std::vector<std::chrono::nanoseconds>;

double seconds_of(std::chrono::nanoseconds span) {
  return std::chrono::duration<double>(span).count();
}

delays all_of(const std::vector<framework_figures>& frameworks, delays framework_figures::*which) {
  delays all;
  for (const auto& f : frameworks) all.insert(all.end(), (f.*which).begin(), (f.*which).end());
  return all;
}

struct quantiles {
  std::size_t count;
  double p50, p99, most;
};

quantiles quantiles_of(delays all) {
  const auto p50 = seconds_of(sim::quantile(all, 0.5));
  const auto p99 = seconds_of(sim::quantile(all, 0.99));
  return {all.size(), p50, p99, all.empty() ? 0 : seconds_of(all.back())};
}

std::string text_of(const quantiles& q) {
  return q.count == 0 ? "none"
                      : fmt::format("p50 {:.3f} s, p99 {:.3f} s, max {:.3f} s, of {}", q.p50, q.p99, q.most, q.count);
}

/// The least and the most that a framework got.
std::pair<double, double> shares_of(const std::vector<framework_figures>& frameworks) {
  if (frameworks.empty()) return {0, 0};
  const auto [least, most] =
      std::minmax_element(frameworks.begin(), frameworks.end(),
                          [](const auto& a, const auto& b) { return a.dominant_share < b.dominant_share; });
  return {least->dominant_share, most->dominant_share};
}

const char* waits_text(const sim::trial_report& report) {
  return report.waits_are_of_tasks ? "from wanting a task to launching it"
                                   : "from asking for offers to the next launch";
}

void add_quantiles(json_object_writer& out, std::string_view name, const quantiles& q) {
  json_object_writer(out.key(name))
      .field("count", std::uint64_t(q.count))
      .field("p50_s", q.p50)
      .field("p99_s", q.p99)
      .field("max_s", q.most);
}

}  // namespace

std::string sim_text(const sim_summary& of) {
  auto& r = of.report;
  const auto lasted = seconds_of(r.lasted);
  std::string out;
  const auto line = [&](const char* head, const std::string& rest) { out += fmt::format("{:<10}{}\n", head, rest); };
  line("trial",
       fmt::format("seed {}, {} agents, {} {}, faults {}: {:.2f} h of theirs in {:.1f} s, {:.0f}x", of.options.seed,
                   of.options.agents, of.options.masters, of.options.masters == 1 ? "master" : "masters", of.faults,
                   lasted / 3600, of.real.count(), lasted / std::max(of.real.count(), 1e-9)));
  line("events", fmt::format("{} steps of actors, hash {:016x}", r.steps, r.hash));
  line("tasks",
       fmt::format("{}{} launched, {} finished, {} failed, {} killed, {} lost; {} run now, {} at most",
                   r.wanted == 0 ? "" : fmt::format("{} wanted, ", r.wanted), r.sum(&framework_figures::placed),
                   r.sum(&framework_figures::finished), r.sum(&framework_figures::failed),
                   r.sum(&framework_figures::killed), r.sum(&framework_figures::lost), r.running, r.running_max));
  line("used",
       fmt::format("{:.1f} % of the cpus, {:.1f} % of the memory, on average", r.cpus_used * 100, r.mem_used * 100));
  line("waits",
       fmt::format("{}: {}", waits_text(r), text_of(quantiles_of(all_of(r.frameworks, &framework_figures::waits)))));
  line("starts", fmt::format("from a launch to the news that it runs: {}",
                             text_of(quantiles_of(all_of(r.frameworks, &framework_figures::starts)))));
  std::string shares;
  for (const auto& f : r.frameworks)
    shares += fmt::format("{}{} {:.2f} %", shares.empty() ? "" : ", ", f.name, f.dominant_share * 100);
  const auto [least, most] = shares_of(r.frameworks);
  line("fairness",
       fmt::format("dominant shares, on average: {}; min {:.2f} %, max {:.2f} %", shares, least * 100, most * 100));
  for (const auto& f : r.frameworks) {
    if (!f.refused.empty())
      line("ended", f.name + ", whom the master refused: " + f.refused);
    else if (f.exit_code)
      line("ended", fmt::format("{}, by itself, exit code {}", f.name, *f.exit_code));
  }
  std::string faults;
  std::size_t happened = 0;
  for (const auto& [kind, times] : r.faults) {
    faults += fmt::format("{}{} {}", faults.empty() ? ": " : ", ", name_of(kind), times);
    happened += times;
  }
  line("faults", std::to_string(happened) + faults);
  line("breaks", std::to_string(r.breaks.size()));
  for (const auto& b : r.breaks) out += "  " + b.what + "\n";
  if (!r.breaks.empty()) out += "  replay: " + of.command + " --trace story.txt\n";
  return out;
}

std::string sim_json(const sim_summary& of) {
  auto& r = of.report;
  std::string out;
  {
    json_object_writer all(out);
    all.field("seed", of.options.seed).field("agents", of.options.agents).field("masters", of.options.masters);
    all.field("fault_level", of.faults).field("command", of.command);
    all.field("virtual_s", seconds_of(r.lasted)).field("real_s", of.real.count());
    all.field("steps", r.steps).field("hash", fmt::format("{:016x}", r.hash)).field("letters_lost", r.letters_lost);
    {
      json_object_writer tasks(all.key("tasks"));
      if (r.wanted != 0) tasks.field("wanted", r.wanted);
      tasks.field("placed", r.sum(&framework_figures::placed)).field("finished", r.sum(&framework_figures::finished));
      tasks.field("failed", r.sum(&framework_figures::failed)).field("killed", r.sum(&framework_figures::killed));
      tasks.field("lost", r.sum(&framework_figures::lost));
      tasks.field("running", r.running).field("running_max", r.running_max);
    }
    json_object_writer(all.key("used")).field("cpus", r.cpus_used).field("mem", r.mem_used);
    all.field("waits_are", std::string_view(waits_text(r)));
    add_quantiles(all, "waits", quantiles_of(all_of(r.frameworks, &framework_figures::waits)));
    add_quantiles(all, "starts", quantiles_of(all_of(r.frameworks, &framework_figures::starts)));
    const auto [least, most] = shares_of(r.frameworks);
    json_object_writer(all.key("dominant_share")).field("min", least).field("max", most);
    {
      json_array_writer frameworks(all.key("frameworks"));
      for (const auto& f : r.frameworks) {
        json_object_writer one(frameworks.element());
        one.field("name", f.name).field("dominant_share", f.dominant_share).field("placed", f.placed);
        one.field("finished", f.finished).field("failed", f.failed).field("killed", f.killed).field("lost", f.lost);
        one.field("offers", f.offers).field("restarts", f.restarts);
        if (f.exit_code) one.field("exit_code", *f.exit_code);
        if (!f.refused.empty()) one.field("refused", f.refused);
        add_quantiles(one, "waits", quantiles_of(f.waits));
      }
    }
    {
      json_object_writer faults(all.key("faults"));
      for (const auto& [kind, times] : r.faults) faults.field(name_of(kind), std::uint64_t(times));
    }
    {
      json_object_writer checks(all.key("checked"));
      for (const auto& [name, times] : r.looked_at) checks.field(name, times);
    }
    json_array_writer breaks(all.key("breaks"));
    for (const auto& b : r.breaks)
      json_object_writer(breaks.element())
          .field("invariant", b.invariant)
          .field("what", b.what)
          .field("replay", of.command);
  }
  return out + "\n";
}

}  // namespace troupe
