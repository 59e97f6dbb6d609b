// Counts words over the cluster; as `wordcount --executor` it is its own executor, which agents start.
#include "frameworks/sdk/http_get.hpp"
#include "frameworks/sdk/program.hpp"
#include "frameworks/wordcount/word_counts.hpp"
#include "frameworks/wordcount/wordcount_executor.hpp"
#include "frameworks/wordcount/wordcount_scheduler.hpp"

#include <CLI/CLI.hpp>

#include <pwd.h>
#include <unistd.h>

#include <chrono>
#include <climits>
#include <condition_variable>
#include <fstream>
#include <iostream>
#include <mutex>
#include <thread>

namespace {

using namespace troupe;
using namespace troupe::wordcount;

struct flags {
  std::string master, state_dir, output;
  std::vector<std::string> roots{"/usr/share/doc", "/usr/share/common-licenses"};
  unsigned maps = 24, reduces = 6, spread = 1, top = 10;
  bool verbose = false, executor = false;
};

/// Shows how far the job is: a bar that redraws itself on a terminal, a line every few seconds elsewhere.
class progress_bar {
 public:
  progress_bar(std::size_t maps, std::size_t reduces, std::size_t files)
      : maps_(maps), reduces_(reduces), files_(files) {}
  ~progress_bar() { finish(); }

  void start() {
    thread_ = std::thread([this] { draw_until_done(); });
  }

  void update(const job_progress& now) {
    std::lock_guard<std::mutex> lock(mutex_);
    now_ = now;
  }

  job_progress finish() {
    {
      std::lock_guard<std::mutex> lock(mutex_);
      done_ = true;
    }
    wake_.notify_all();
    if (thread_.joinable()) thread_.join();
    return now_;
  }

 private:
  std::string line() const {
    constexpr std::size_t width = 30;
    auto all = maps_ + reduces_;
    auto done = now_.maps_done + now_.reduces_done;
    auto filled = all == 0 ? width : width * done / all;
    return "[" + std::string(filled, '#') + std::string(width - filled, '.') + "] maps " +
           std::to_string(now_.maps_done) + "/" + std::to_string(maps_) + " reduces " +
           std::to_string(now_.reduces_done) + "/" + std::to_string(reduces_) + " files " +
           std::to_string(now_.files_done) + "/" + std::to_string(files_);
  }

  void draw_until_done() {
    bool terminal = ::isatty(STDERR_FILENO) != 0;
    auto pause = terminal ? std::chrono::milliseconds(100) : std::chrono::milliseconds(2000);
    std::unique_lock<std::mutex> lock(mutex_);
    while (!wake_.wait_for(lock, pause, [this] { return done_; }))
      std::cerr << (terminal ? "\r" : "") << line() << (terminal ? "" : "\n") << std::flush;
    std::cerr << (terminal ? "\r" : "") << line() << std::endl;
  }

  std::size_t maps_, reduces_, files_;
  std::mutex mutex_;
  std::condition_variable wake_;
  job_progress now_;
  bool done_ = false;
  std::thread thread_;
};

std::string own_path() {
  char path[PATH_MAX];
  auto length = ::readlink("/proc/self/exe", path, sizeof(path));
  return length > 0 ? std::string(path, static_cast<std::size_t>(length)) : "wordcount";
}

std::string own_user() {
  const auto* entry = ::getpwuid(::geteuid());
  return entry ? entry->pw_name : "root";
}

int fail(const std::string& message) {
  std::cerr << "wordcount: " << message << std::endl;
  return 1;
}

result<word_counts> collect(const wordcount_scheduler& scheduler) {
  word_counts all;
  for (const auto& source : scheduler.outputs()) {
    auto lines = sdk::download_sandbox_file(source.agent_url(), source.path());
    if (!lines) return lines.error();
    if (auto added = all.add_counts(*lines); !added) return added.error();
  }
  return all;
}

void print_top(const word_counts& all, std::size_t top) {
  std::vector<std::pair<std::string, std::uint64_t>> words(all.counts().begin(), all.counts().end());
  auto more = [](const auto& a, const auto& b) {
    return a.second != b.second ? a.second > b.second : a.first < b.first;
  };
  auto shown = std::min(top, words.size());
  std::partial_sort(words.begin(), words.begin() + static_cast<std::ptrdiff_t>(shown), words.end(), more);
  for (std::size_t i = 0; i < shown; ++i) std::cout << words[i].second << ' ' << words[i].first << '\n';
}

int count(const flags& given) {
  auto begun = std::chrono::steady_clock::now();
  auto files = find_text_files(given.roots);
  if (files.empty()) return fail("no text, Markdown, HTML or copyright file below the roots");
  plan work;
  work.maps = cut(files, given.maps);
  work.reduces = given.reduces;
  work.spread = given.spread;
  work.executor_command = "exec '" + own_path() + "' --executor";
  work.user = own_user();
  progress_bar bar(work.maps.size(), work.reduces, files.size());
  auto scheduler = std::make_shared<wordcount_scheduler>(work, [&bar](const job_progress& now) { bar.update(now); });
  sdk::program_options options;
  options.name = "wordcount";
  options.master = given.master;
  options.state_dir = given.state_dir;
  options.verbose = given.verbose;
  auto program = sdk::scheduler_program::start(scheduler, options);
  if (!program) return fail(program.error().message);
  bar.start();
  int code = (*program)->run();
  auto last = bar.finish();
  if (code != 0) return fail("the job did not finish; exit code " + std::to_string(code));
  auto all = collect(*scheduler);
  if (!all) return fail(all.error().message);
  if (!given.output.empty()) {
    std::ofstream file(given.output, std::ios::binary);
    file << all->text();
    file.close();
    if (!file) return fail("cannot write " + given.output);
  }
  print_top(*all, given.top);
  unsigned tasks = 0;
  for (const auto& [agent, done] : last.tasks_by_agent) {
    std::cout << "agent " << agent << " ran " << done << " tasks\n";
    tasks += done;
  }
  auto wall = std::chrono::duration<double>(std::chrono::steady_clock::now() - begun).count();
  std::cout << "wordcount: tasks=" << tasks << " agents=" << last.tasks_by_agent.size() << " files=" << files.size()
            << " words=" << all->total() << " distinct=" << all->counts().size() << " wall_s=" << wall << std::endl;
  return 0;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Counts the words of text files over a Troupe cluster."};
  flags given;
  app.add_option("--master", given.master, "The master's address (TROUPE_MASTER)")->envname("TROUPE_MASTER");
  app.add_option("--root", given.roots, "A folder to count below; may be given several times")->capture_default_str();
  app.add_option("--maps", given.maps, "Map tasks")->check(CLI::Range(1, 10000))->capture_default_str();
  app.add_option("--reduces", given.reduces, "Reduce tasks")->check(CLI::Range(1, 1000))->capture_default_str();
  app.add_option("--spread", given.spread, "Use at least so many agents")
      ->check(CLI::Range(1, 10000))
      ->capture_default_str();
  app.add_option("--top", given.top, "How many of the most frequent words to print")->capture_default_str();
  app.add_option("--output", given.output, "Write all counts to this file, `word count` a line, sorted");
  app.add_option("--state-dir", given.state_dir, "Remember the job here, so that it can be resumed after a crash");
  app.add_flag("--verbose", given.verbose, "Log every decision to stderr");
  app.add_flag("--executor", given.executor, "Be the executor (agents do this)");
  app.footer("example: wordcount --master http://127.0.0.1:5050 --spread 3 --output counts.txt");
  CLI11_PARSE(app, argc, argv);
  if (!given.executor) return count(given);
  return sdk::run_executor_program([](const sdk::executor_environment& told, sdk::tell_function tell) {
    return std::make_shared<wordcount_executor>(told.sandbox, std::move(tell));
  });
}
