#include "tools/emulate_command.hpp"

#include "isolators/descriptor_limit.hpp"
#include "tools/emulate_options.hpp"
#include "tools/emulate_report.hpp"
#include "tools/master_daemon.hpp"
#include "tools/process_usage.hpp"
#include "tools/try_out_folder.hpp"

#include <spdlog/sinks/stdout_color_sinks.h>
#include <spdlog/spdlog.h>
#include <boost/json/object.hpp>

#include <algorithm>
#include <atomic>
#include <condition_variable>
#include <functional>
#include <future>
#include <iostream>
#include <memory>
#include <mutex>
#include <thread>
#include <utility>

namespace troupe {

namespace {

namespace json = boost::json;
using std::chrono::steady_clock;

constexpr auto patience = std::chrono::seconds(30);

/// What an emulation does, one step after the other, in a thread of its own, while the main thread takes signals.
class rehearsal {
 public:
  explicit rehearsal(process& host) : host_(host) {}

  /// Waits; false once it is interrupted.
  bool pause(std::chrono::nanoseconds time) {
    std::unique_lock<std::mutex> lock(mutex_);
    changed_.wait_for(lock, time, [this] { return interrupted_; });
    return !interrupted_;
  }

  /// The first signal interrupts, the second ends the process.
  int run(const std::function<int(rehearsal&)>& act) {
    host_.on_signal([this](int) {
      std::lock_guard<std::mutex> lock(mutex_);
      if (std::exchange(interrupted_, true)) host_.stop(130);
      changed_.notify_all();
    });
    auto code = std::async(std::launch::async, [&] {
      const int done = act(*this);
      host_.stop(done);
      return done;
    });
    return host_.wait();
  }

 private:
  process& host_;
  std::mutex mutex_;
  std::condition_variable changed_;
  bool interrupted_ = false;
};

void log_to_stderr(const std::string& level) {
  if (!spdlog::get("troupe")) spdlog::set_default_logger(spdlog::stderr_color_mt("troupe"));
  spdlog::set_level(spdlog::level::from_str(level));
}

/// One second after the other, until `time` is over or `goes_on` says no; false if it was interrupted.
bool each_second(rehearsal& play, std::optional<std::chrono::nanoseconds> time, const std::function<void()>& show,
                 const std::function<bool()>& goes_on) {
  const auto begun = steady_clock::now();
  while (goes_on()) {
    std::chrono::nanoseconds wait = std::chrono::seconds(1);
    if (time) {
      const auto left = *time - (steady_clock::now() - begun);
      if (left.count() <= 0) return true;
      wait = std::min<std::chrono::nanoseconds>(wait, left);
    }
    if (!play.pause(wait)) return false;
    show();
  }
  return true;
}

/// What the agents' part of an emulation says about itself.
class agents_part {
 public:
  agents_part(emulation& home, emulated_agents_options options)
      : home_(home), count_(options.count), before_bytes_(usage::resident_bytes()), agents_(home, std::move(options)) {}

  /// False: interrupted. Says why if they cannot get at the master.
  result<bool> start(rehearsal& play, emulate_report& report) {
    auto told = steady_clock::now();
    auto goes_on = [&] {
      if (steady_clock::now() - told >= std::chrono::seconds(1)) {
        told = steady_clock::now();
        report.progress("starting", standing());
      }
      return play.pause(std::chrono::nanoseconds(0));
    };
    if (auto started = agents_.start(goes_on); !started) return started.error();
    bytes_each_ = (usage::resident_bytes() - std::min(before_bytes_, usage::resident_bytes())) / count_;
    return agents_.registered() == count_;
  }

  json::object standing() const {
    json::object now{{"agents", count_}, {"registered", agents_.registered()}};
    if (agents_.dismissed() > 0) now["dismissed"] = agents_.dismissed();
    if (const auto why = home_.last_failure(); !why.empty() && agents_.registered() < count_) now["failure"] = why;
    return now;
  }

  void add_progress(json::object& to) const { to["containers"] = json_of(agents_.containers()); }
  void add_figures(json::object& to) const {
    auto agents = standing();
    agents["bytes_each"] = bytes_each_;
    const auto counts = agents_.containers();
    to["agents"] = agents;
    to["containers"] = json_of(counts);
    to["idle"] = json_of(counts.idle);
  }

  emulated_agents& all() { return agents_; }
  std::size_t dismissed() const { return agents_.dismissed(); }

 private:
  emulation& home_;
  const std::size_t count_;
  const std::uint64_t before_bytes_;
  emulated_agents agents_;
  std::uint64_t bytes_each_ = 0;
};

/// And the frameworks' part.
class frameworks_part {
 public:
  frameworks_part(emulation& home, emulated_frameworks_options options)
      : count_(options.count), frameworks_(home, std::move(options)) {}

  result<void> start() { return frameworks_.start(); }
  bool some_left() const { return frameworks_.ended() < count_; }
  emulated_frameworks& all() { return frameworks_; }

  void begin_measuring() {
    frameworks_.figures().forget_delays();
    first_ = frameworks_.figures().read();
    begun_ = steady_clock::now();
  }
  void end_measuring() {
    last_ = frameworks_.figures().read();
    seconds_ = std::chrono::duration<double>(steady_clock::now() - begun_).count();
  }

  void add_progress(json::object& to) { to["tasks"] = json_of(frameworks_.figures().read()); }
  /// After the end: what was launched, and what became of all of it.
  void add_figures(json::object& to) {
    const auto all = frameworks_.figures().read();
    auto tasks = json_of(all);
    tasks["open"] = all.launched - all.ended();
    to["frameworks"] = json::object{{"frameworks", count_}, {"refused", frameworks_.refused()}};
    to["tasks"] = tasks;
    to["measured"] = json_between(first_, last_, seconds_);
    to["launch_to_running"] = json_of(last_.to_running);
    to["launch_to_end"] = json_of(last_.to_end);
    to["wish_to_running"] = json_of(last_.from_wish);
  }
  /// Whether all that were to end have ended well.
  bool went_well() {
    const auto all = frameworks_.figures().read();
    return frameworks_.refused() == 0 && all.failed == 0 && all.lost == 0;
  }

 private:
  const std::size_t count_;
  emulated_frameworks frameworks_;
  load_counts first_, last_;
  steady_clock::time_point begun_ = steady_clock::now();
  double seconds_ = 0;
};

int emulate_agents(const emulate_flags& flags, const emulate_agents_flags& wanted) {
  auto access = master_access_of(flags);
  if (!access) return fail(access.error());
  auto options = agents_of(wanted);
  if (!options) return fail(options.error());
  log_to_stderr(flags.log_level);
  const raised_descriptor_limit descriptors;
  auto home = emulation::open(flags.work_dir.empty() ? "" : flags.work_dir + "/journal", *access);
  if (!home) return fail(home.error());
  return rehearsal((*home)->host()).run([&](rehearsal& play) {
    emulate_report report(flags.json);
    agents_part part(**home, *options);
    auto up = part.start(play, report);
    if (!up) return fail(up.error());
    const auto show = [&](const char* phase) {
      auto line = part.standing();
      part.add_progress(line);
      report.progress(phase, line);
    };
    const auto some_left = [&] { return part.dismissed() < options->count; };
    if (*up) {
      show("measuring");
      each_second(
          play, flags.duration, [&] { show("measuring"); }, some_left);
    }
    if (flags.work_dir.empty()) part.all().leave(patience);
    json::object figures;
    part.add_figures(figures);
    report.figures(figures);
    return *up && part.dismissed() == 0 ? 0 : 1;
  });
}

/// Warms up, measures, and ends the frameworks; `show` prints where it stands.
void perform(rehearsal& play, const emulate_flags& flags, frameworks_part& part,
             const std::function<void(const char*)>& show, const std::function<void()>& on_begin,
             const std::function<void()>& on_end) {
  const auto some_left = [&] { return part.some_left(); };
  bool on = true;
  if (flags.warm_up.count() > 0)
    on = each_second(
        play, flags.warm_up, [&] { show("warming_up"); }, some_left);
  part.begin_measuring();
  on_begin();
  show("measuring");
  if (on)
    each_second(
        play, flags.duration, [&] { show("measuring"); }, some_left);
  part.end_measuring();
  on_end();
  show("ending");
  if (part.some_left()) part.all().finish(patience);
}

int emulate_frameworks(const emulate_flags& flags, const emulate_frameworks_flags& wanted) {
  auto access = master_access_of(flags);
  if (!access) return fail(access.error());
  auto options = frameworks_of(wanted);
  if (!options) return fail(options.error());
  log_to_stderr(flags.log_level);
  const raised_descriptor_limit descriptors;
  auto home = emulation::open(flags.work_dir.empty() ? "" : flags.work_dir + "/journal", *access);
  if (!home) return fail(home.error());
  return rehearsal((*home)->host()).run([&](rehearsal& play) {
    emulate_report report(flags.json);
    frameworks_part part(**home, *options);
    if (auto started = part.start(); !started) return fail(started.error());
    const auto show = [&](const char* phase) {
      json::object line;
      part.add_progress(line);
      if (const auto why = (*home)->last_failure(); !why.empty()) line["failure"] = why;
      report.progress(phase, line);
    };
    perform(
        play, flags, part, show, [] {}, [] {});
    json::object figures;
    part.add_figures(figures);
    report.figures(figures);
    return part.went_well() ? 0 : 1;
  });
}

/// A master in this process, and which of its threads are that master's.
struct master_within {
  std::unique_ptr<master_daemon> daemon;
  std::set<int> threads;
};

result<master_within> start_master_within(const emulate_flags& flags, const std::string& folder, std::uint16_t port) {
  master_daemon_options options;
  options.common.port = port;
  options.common.work_dir = folder + "/master";
  options.common.runtime_dir = folder + "/run/master";
  options.common.log_level = flags.log_level;
  master_within made;
  const auto before = usage::threads();
  auto started = master_daemon::start(options, {});
  if (!started) return started.error();
  made.daemon = std::move(*started);
  const auto after = usage::threads();
  std::set_difference(after.begin(), after.end(), before.begin(), before.end(),
                      std::inserter(made.threads, made.threads.end()));
  return made;
}

int emulate_cluster(const emulate_flags& flags, const emulate_agents_flags& agents,
                    const emulate_frameworks_flags& frameworks, std::uint16_t port) {
  auto for_agents = agents_of(agents);
  if (!for_agents) return fail(for_agents.error());
  auto for_frameworks = frameworks_of(frameworks);
  if (!for_frameworks) return fail(for_frameworks.error());
  log_to_stderr(flags.log_level);
  process::block_signals();
  try_out_folder folder("troupe-emulate", flags.work_dir);
  if (folder.path().empty()) return fail({errc::io, "no folder can be made in /tmp; name one with --work-dir"});
  auto master = start_master_within(flags, folder.path(), port);
  if (!master) return fail(master.error());
  master_access access;
  access.in_process = master->daemon->links();
  access.master = master->daemon->identity();
  auto home = emulation::open(flags.work_dir.empty() ? "" : flags.work_dir + "/journal", access);
  if (!home) return fail(home.error());
  std::cerr << "the master listens at " << master->daemon->url() << std::endl;
  return rehearsal((*home)->host()).run([&](rehearsal& play) {
    emulate_report report(flags.json);
    agents_part hosts(**home, *for_agents);
    auto up = hosts.start(play, report);
    if (!up) return fail(up.error());
    frameworks_part load(**home, *for_frameworks);
    if (*up)
      if (auto started = load.start(); !started) return fail(started.error());
    const auto show = [&](const char* phase) {
      auto line = hosts.standing();
      load.add_progress(line);
      report.progress(phase, line);
    };
    double begun = 0, begun_all = 0, cores = 0, cores_of_all = 0;
    auto since = steady_clock::now();
    if (*up)
      perform(
          play, flags, load, show,
          [&] {
            begun = usage::cpu_seconds(master->threads);
            begun_all = usage::cpu_seconds(usage::threads());
            since = steady_clock::now();
          },
          [&] {
            const auto seconds = std::max(std::chrono::duration<double>(steady_clock::now() - since).count(), 1e-9);
            cores = (usage::cpu_seconds(master->threads) - begun) / seconds;
            cores_of_all = (usage::cpu_seconds(usage::threads()) - begun_all) / seconds;
          });
    json::object figures;
    hosts.add_figures(figures);
    load.add_figures(figures);
    figures["process"] = json::object{{"cores", cores_of_all}, {"resident_bytes", usage::resident_bytes()}};
    figures["master"] = json::object{{"cores", cores}};
    report.figures(figures);
    return *up && load.went_well() && hosts.dismissed() == 0 ? 0 : 1;
  });
}

}  // namespace

void add_emulate_command(CLI::App& app, int& exit_code) {
  auto* emulate = app.add_subcommand("emulate", "Thousands of agents or frameworks in one process, to size a master");
  emulate->require_subcommand(1);
  emulate->footer(
      "Everything is as in a real cluster, links and records included, but for the tasks: they start no process and "
      "last\nas long as --task-seconds says. `troupe emulate COMMAND --help` explains a command, with examples.");

  auto flags = std::make_shared<emulate_flags>();
  auto agents = std::make_shared<emulate_agents_flags>();
  auto* command = emulate->add_subcommand("agents", "Agents whose tasks last a given time");
  add_emulate_options(*command, *flags, true);
  add_emulate_agents_options(*command, *agents, "--count");
  command->footer(
      "Without --work-dir they leave the cluster at the end. At the end it prints `idle`: how long what a task had\n"
      "lay idle from its end to the next launch on the same agent, which is the delay that scheduling adds.\n\n"
      "examples:\n"
      "  troupe emulate agents --count 5000 --master http://127.0.0.1:5050\n"
      "  troupe emulate agents --count 100 --task-seconds 0 --resources 'cpus:40;mem:40960' --json");
  command->callback([=, &exit_code] { exit_code = emulate_agents(*flags, *agents); });

  flags = std::make_shared<emulate_flags>();
  auto frameworks = std::make_shared<emulate_frameworks_flags>();
  command = emulate->add_subcommand("frameworks", "Frameworks that launch tasks as fast as they are asked to");
  add_emulate_options(*command, *flags, true);
  add_warm_up_option(*command, *flags);
  add_emulate_frameworks_options(*command, *frameworks, "--count");
  command->footer(
      "They run on emulated agents and on real ones, where each task is `true`. At the end they tear themselves down.\n"
      "The exit code is 0 if no task failed or was lost.\n\n"
      "examples:\n"
      "  troupe emulate frameworks --count 200 --duration 60s      the agents stay full\n"
      "  troupe emulate frameworks --count 10 --rate 500 --warm-up 5s --duration 30s --json\n"
      "  troupe emulate frameworks --count 2 --tasks 1000          a thousand tasks, then the end");
  command->callback([=, &exit_code] { exit_code = emulate_frameworks(*flags, *frameworks); });

  flags = std::make_shared<emulate_flags>();
  agents = std::make_shared<emulate_agents_flags>();
  frameworks = std::make_shared<emulate_frameworks_flags>();
  auto port = std::make_shared<std::uint16_t>(0);
  command = emulate->add_subcommand("cluster", "A master, agents and frameworks in one process, over in-process links");
  add_emulate_options(*command, *flags, false);
  add_warm_up_option(*command, *flags);
  add_emulate_agents_options(*command, *agents, "--agents");
  add_emulate_frameworks_options(*command, *frameworks, "--frameworks");
  command->add_option("--port", *port, "The master's port, for a look at it; 0 picks a free one")
      ->capture_default_str();
  command->add_option(
      "--work-dir", flags->work_dir,
      "Keep the master's records here, and those of all others; without it the master's are in a folder "
      "that is removed at the end, and the others' in memory");
  command->footer(
      "For more agents than one process may have descriptors. There are no sockets, so what those cost is not in the\n"
      "figures; `master` counts its threads alone, though a letter to it is parsed by whoever sends it.\n\n"
      "example: troupe emulate cluster --agents 50000 --frameworks 200 --warm-up 30s --duration 60s");
  command->callback([=, &exit_code] { exit_code = emulate_cluster(*flags, *agents, *frameworks, *port); });
}

}  // namespace troupe
