#include "frameworks/wordcount/wordcount_executor.hpp"

#include "frameworks/sdk/http_get.hpp"
#include "frameworks/sdk/typed_message.hpp"
#include "frameworks/wordcount/word_counts.hpp"

#include <fstream>
#include <stdexcept>

namespace troupe::wordcount {

wordcount_executor::wordcount_executor(std::string sandbox,
                                       std::function<void(const std::string&, const std::string&)> tell)
    : sandbox_(std::move(sandbox)), tell_(std::move(tell)) {}

wordcount_executor::~wordcount_executor() {
  for (auto& [task, j] : jobs_) j->cancelled = true;
  for (auto& [task, j] : jobs_) j->thread.join();
}

void wordcount_executor::on_subscribed(sdk::executor_calls& call, const v1::executor::Event::Subscribed&) {
  ExecutorReady ready;
  ready.set_threads(std::thread::hardware_concurrency());
  call.send(ready);
}

void wordcount_executor::on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) {
  Work work;
  if (!work.ParseFromString(task.data()) || (!work.has_map() && !work.has_reduce())) {
    call.update(task.task_id(), v1::TASK_FAILED, "the task's data is no work of a word count");
    return;
  }
  call.update(task.task_id(), v1::TASK_RUNNING);
  auto id = task.task_id().value();
  auto& j = *(jobs_[id] = std::make_unique<job>());
  j.thread = std::thread([this, id, work, &j] {
    try {
      if (work.has_map())
        run_map(id, work.map(), j);
      else
        run_reduce(id, work.reduce(), j);
    } catch (const std::exception& e) {
      fail(id, e.what());
    }
  });
}

void wordcount_executor::run_map(const std::string& task, const Work::Map& work, job& j) {
  word_counts counts;
  Output output;
  for (int i = 0; i < work.files_size() && !j.cancelled; ++i) {
    counts.add_file(work.files(i)).value();
    auto every = report_every_files_.load();
    if (every == 0 || (i + 1) % static_cast<int>(every) != 0) continue;
    Progress progress;
    progress.set_task_id(task);
    progress.set_files(static_cast<std::uint64_t>(i + 1));
    tell_("progress", progress.SerializeAsString());
  }
  for (unsigned part = 0; part < work.partitions(); ++part)
    output.add_paths(write_output(task + ".part-" + std::to_string(part), counts.part(part, work.partitions()).text()));
  output.set_files(static_cast<std::uint64_t>(work.files_size()));
  output.set_words(counts.total());
  finish(task, output);
}

void wordcount_executor::run_reduce(const std::string& task, const Work::Reduce& work, job& j) {
  word_counts counts;
  for (const auto& source : work.sources()) {
    if (j.cancelled) return;
    auto lines = sdk::download_sandbox_file(source.agent_url(), source.path());
    if (!lines) throw std::runtime_error(lines.error().message);
    auto added = counts.add_counts(*lines);
    if (!added) throw std::runtime_error(source.agent_url() + source.path() + ": " + added.error().message);
  }
  Output output;
  output.add_paths(write_output(task + ".counts", counts.text()));
  output.set_words(counts.total());
  finish(task, output);
}

std::string wordcount_executor::write_output(const std::string& name, const std::string& text) {
  auto path = sandbox_ + "/" + name;
  std::ofstream file(path, std::ios::binary);
  file << text;
  file.close();
  if (!file) throw std::runtime_error("cannot write " + path);
  return path;
}

namespace {

constexpr char separator = '\n';  // task ids hold no control characters

std::pair<std::string, std::string> split(const std::string& data) {
  auto at = data.find(separator);
  return {data.substr(0, at), at == std::string::npos ? "" : data.substr(at + 1)};
}

}  // namespace

void wordcount_executor::finish(const std::string& task, const Output& output) {
  tell_("finished", task + separator + output.SerializeAsString());
}

void wordcount_executor::fail(const std::string& task, const std::string& message) {
  tell_("failed", task + separator + message);
}

void wordcount_executor::on_program_event(sdk::executor_calls& call, const std::string& name, const std::string& data) {
  if (name == "progress") {
    Progress progress;
    if (progress.ParseFromString(data)) call.send(progress);
    return;
  }
  auto [task, rest] = split(data);
  auto it = jobs_.find(task);
  if (it == jobs_.end()) return;
  bool cancelled = it->second->cancelled;
  it->second->thread.join();
  jobs_.erase(it);
  if (cancelled) return;  // reported as killed
  if (name == "finished")
    call.update(task_id(task), v1::TASK_FINISHED, "", rest);
  else
    call.update(task_id(task), v1::TASK_FAILED, rest);
}

void wordcount_executor::on_kill(sdk::executor_calls& call, const task_id& task) {
  auto it = jobs_.find(task.value());
  if (it == jobs_.end() || it->second->cancelled) return;
  it->second->cancelled = true;
  call.update(task, v1::TASK_KILLED, "killed on request");
}

void wordcount_executor::on_message(sdk::executor_calls&, const std::string& bytes) {
  if (auto settings = sdk::unpack<Settings>(bytes)) report_every_files_ = settings->report_every_files();
}

void wordcount_executor::on_shutdown(sdk::executor_calls& call) {
  for (auto& [task, j] : jobs_) {
    if (j->cancelled) continue;
    j->cancelled = true;
    call.update(task_id(task), v1::TASK_KILLED, "the executor was shut down");
  }
}

}  // namespace troupe::wordcount
