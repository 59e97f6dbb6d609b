#include "tools/run_view.hpp"

#include "frameworks/sdk/http_get.hpp"
#include "protocol/json_text.hpp"
#include "protocol/task_state.hpp"

#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <utility>

namespace troupe {

namespace {

constexpr std::chrono::seconds report_pause{5};
constexpr std::uint64_t piece_bytes = 64 * 1024;
const char* const file_names[] = {"stdout", "stderr"};

std::string colour(v1::TaskState state) {
  if (!::isatty(STDERR_FILENO)) return {};
  if (state == v1::TASK_FINISHED) return "\x1b[32m";
  return is_terminal(state) ? "\x1b[31m" : "\x1b[2m";
}

void append_json_status(const run_instance& instance, std::string& out) {
  json_object_writer object(out);
  object.field("task", instance.task.value()).field("state", v1::TaskState_Name(instance.status.state()));
  object.field("agent", instance.status.agent_id().value()).field("agent_url", instance.agent_url);
  if (instance.status.has_reason()) object.field("reason", v1::TaskStatus::Reason_Name(instance.status.reason()));
  if (instance.status.has_message()) object.field("message", instance.status.message());
  if (instance.status.has_exit_status()) object.field("exit_code", exit_code_of(instance.status));
}

/// Where an agent serves the sandbox of a command task: its executor has the task's id.
std::string sandbox_of(const run_instance& instance) {
  return "/frameworks/" + instance.framework.value() + "/executors/" + instance.task.value() + "/runs/" +
         instance.status.container_status().container_id().value();
}

}  // namespace

int exit_code_of(const v1::TaskStatus& status) {
  if (status.state() == v1::TASK_FINISHED) return 0;
  if (!status.has_exit_status()) return 1;
  int raw = status.exit_status();
  if (WIFEXITED(raw)) return WEXITSTATUS(raw) == 0 ? 1 : WEXITSTATUS(raw);
  return WIFSIGNALED(raw) ? 128 + WTERMSIG(raw) : 1;
}

run_view::run_view(options chosen, std::function<void()> on_closed)
    : options_(std::move(chosen)),
      on_closed_(std::move(on_closed)),
      next_report_(std::chrono::steady_clock::now() + report_pause),
      thread_([this] { follow(); }) {}

run_view::~run_view() {
  finish();
}

void run_view::changed(const run_instance& instance) {
  std::lock_guard<std::mutex> lock(mutex_);
  auto& known = all_[instance.index];
  bool news = known.instance.status.state() != instance.status.state() || known.instance.task.empty();
  known.instance = instance;
  changed_ = true;
  wake_.notify_all();
  if (news) announce(instance);
}

void run_view::announce(const run_instance& instance) {
  const auto& status = instance.status;
  if (options_.json) {
    std::string line;
    append_json_status(instance, line);
    std::cout << line << std::endl;
    notice_closed();
    return;
  }
  bool bad = is_terminal(status.state()) && status.state() != v1::TASK_FINISHED;
  // Of many instances only what went wrong is worth a line each.
  if (options_.quiet || (options_.prefix && !bad)) return;
  auto tint = colour(status.state());
  std::string line = "troupe: task " + instance.task.value() + " " + std::string(short_name(status.state()));
  if (!instance.agent_hostname.empty()) line += " on " + instance.agent_url;
  if (status.has_message()) line += ": " + status.message();
  if (bad && status.has_reason()) line += " (" + v1::TaskStatus::Reason_Name(status.reason()) + ")";
  std::cerr << tint << line << (tint.empty() ? "" : "\x1b[0m") << std::endl;
}

void run_view::follow() {
  std::unique_lock<std::mutex> lock(mutex_);
  while (true) {
    wake_.wait_for(lock, std::chrono::milliseconds(100), [this] { return changed_ || finishing_; });
    changed_ = false;
    bool last = finishing_;
    for (auto& [index, f] : all_) {
      if (f.complete || options_.json || !f.instance.status.has_container_status() || f.instance.agent_url.empty()) {
        f.complete = f.complete || is_terminal(f.instance.status.state());
        continue;
      }
      // Read after the state was seen: when the task has ended, everything it wrote is there.
      bool ended = is_terminal(f.instance.status.state());
      auto snapshot = f;
      lock.unlock();
      bool read_all = drain(snapshot);
      lock.lock();
      auto& now = all_[index];
      for (int stream : {0, 1}) {
        now.read[stream] = snapshot.read[stream];
        now.held[stream] = snapshot.held[stream];
      }
      now.complete = ended && read_all;
    }
    if (last) return;
    report_progress();
  }
}

/// For whoever waits and would see nothing: that nothing fits, or how far many instances are.
void run_view::report_progress() {
  const auto now = std::chrono::steady_clock::now();
  if (options_.quiet || options_.json || now < next_report_) return;
  next_report_ = now + report_pause;
  std::string news;
  if (all_.empty())
    news = "no offer with " + options_.needs + " has come yet; `troupe agents` shows what there is. Waiting";
  else if (options_.prefix)
    news = counts();
  if (news.empty() || std::exchange(last_report_, news) == news) return;
  std::cerr << "troupe: " << news << std::endl;
}

/// Reads both files to their present end; false if the agent could not be asked.
bool run_view::drain(followed& f) {
  auto folder = sandbox_of(f.instance);
  for (int stream : {0, 1}) {
    while (true) {
      auto bytes = sdk::download_sandbox_range(f.instance.agent_url, folder + "/" + file_names[stream], f.read[stream],
                                               piece_bytes);
      if (!bytes && bytes.error().code == errc::not_found) break;
      if (!bytes) return false;
      f.read[stream] += bytes->size();
      print(f, stream, *bytes);
      if (bytes->size() < piece_bytes) break;
    }
    if (is_terminal(f.instance.status.state()) && !f.held[stream].empty()) print(f, stream, "\n");
  }
  return true;
}

void run_view::print(followed& f, int stream, const std::string& bytes) {
  auto& out = stream == 0 ? std::cout : std::cerr;
  if (!options_.prefix) {
    out << bytes << std::flush;
    return notice_closed();
  }
  auto& held = f.held[stream];
  held += bytes;
  std::size_t end;
  while ((end = held.find('\n')) != std::string::npos) {
    out << f.instance.task.value() << ": " << held.substr(0, end + 1);
    held.erase(0, end + 1);
  }
  out << std::flush;
  notice_closed();
}

void run_view::notice_closed() {
  if (!std::cout && !closed_.exchange(true) && on_closed_) on_closed_();
}

void run_view::finish() {
  {
    std::lock_guard<std::mutex> lock(mutex_);
    finishing_ = true;
  }
  wake_.notify_all();
  if (thread_.joinable()) thread_.join();
}

int run_view::exit_code() const {
  std::lock_guard<std::mutex> lock(mutex_);
  for (const auto& [index, f] : all_)
    if (int code = exit_code_of(f.instance.status); code != 0) return code;
  return 0;
}

bool run_view::all_ended() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return std::all_of(all_.begin(), all_.end(),
                     [](const auto& each) { return is_terminal(each.second.instance.status.state()); });
}

std::string run_view::summary() const {
  std::lock_guard<std::mutex> lock(mutex_);
  return counts();
}

std::string run_view::counts() const {
  std::map<std::string, unsigned> counts;
  for (const auto& [index, f] : all_) ++counts[std::string(short_name(f.instance.status.state()))];
  std::string text;
  for (const auto& [state, count] : counts) text += (text.empty() ? "" : ", ") + std::to_string(count) + " " + state;
  return text;
}

}  // namespace troupe
