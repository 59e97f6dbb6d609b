#include "frameworks/wordcount/wordcount_scheduler.hpp"

#include "frameworks/sdk/http_get.hpp"
#include "frameworks/sdk/typed_message.hpp"
#include "protocol/task_state.hpp"
#include "storage/records.hpp"

#include <algorithm>

namespace troupe::wordcount {

namespace {

constexpr unsigned attempts_max = 10;
constexpr unsigned report_every_files = 50;
const char* const executor_name = "wordcount";

resources sized(double cpus, double mem) {
  auto text = "cpus:" + std::to_string(cpus) + ";mem:" + std::to_string(mem);
  return resources::parse(text).value();
}

const resources& task_needs() {
  static const resources needs = sized(0.2, 32);
  return needs;
}

const resources& executor_needs() {
  static const resources needs = sized(0.1, 64);
  return needs;
}

std::string url_of(const v1::Offer& offer) {
  const auto& address = offer.url().address();
  const auto& host = address.ip().empty() ? address.hostname() : address.ip();
  return sdk::http_url(host, address.port(), offer.url().scheme());
}

/// Whether a piece's output is all that others will ask of it: one file for each reduce, or one.
bool is_whole(const Output& output, bool of_reduce, unsigned reduces) {
  return output.paths_size() == (of_reduce ? 1 : static_cast<int>(reduces));
}

}  // namespace

std::vector<std::vector<text_file>> cut(const std::vector<text_file>& files, unsigned pieces) {
  std::uint64_t bytes = 0;
  for (const auto& file : files) bytes += file.bytes;
  std::vector<std::vector<text_file>> cuts(1);
  std::uint64_t taken = 0;
  for (const auto& file : files) {
    if (taken * pieces >= bytes * cuts.size() && cuts.size() < pieces) cuts.emplace_back();
    cuts.back().push_back(file);
    taken += file.bytes;
  }
  return cuts;
}

wordcount_scheduler::wordcount_scheduler(plan work, std::function<void(const job_progress&)> changed)
    : plan_(std::move(work)), changed_(std::move(changed)), maps_(plan_.maps.size()), reduces_(plan_.reduces) {
  for (auto* list : {&maps_, &reduces_})
    for (std::size_t i = 0; i < list->size(); ++i) {
      (*list)[i].record.set_index(static_cast<std::uint32_t>(i));
      (*list)[i].record.set_reduce(list == &reduces_);
      (*list)[i].record.set_maps(static_cast<std::uint32_t>(maps_.size()));
      (*list)[i].record.set_reduces(plan_.reduces);
    }
}

v1::FrameworkInfo wordcount_scheduler::describe() const {
  v1::FrameworkInfo info;
  info.set_user(plan_.user);
  info.set_name("wordcount");
  info.add_roles("*");
  info.set_failover_timeout(300);
  info.set_checkpoint(true);
  for (auto capability : {v1::FrameworkInfo::Capability::MULTI_ROLE, v1::FrameworkInfo::Capability::PARTITION_AWARE,
                          v1::FrameworkInfo::Capability::RESERVATION_REFINEMENT})
    info.add_capabilities()->set_type(capability);
  return info;
}

wordcount_scheduler::pieces& wordcount_scheduler::current() {
  return maps_done() ? reduces_ : maps_;
}

bool wordcount_scheduler::maps_done() const {
  return std::all_of(maps_.begin(), maps_.end(), [](const piece& p) { return p.done(); });
}

wordcount_scheduler::piece* wordcount_scheduler::find(const std::string& task) {
  for (auto* list : {&maps_, &reduces_})
    for (auto& p : *list)
      if (p.launched && p.record.task_id() == task) return &p;
  return nullptr;
}

unsigned wordcount_scheduler::most_on_one_agent() const {
  auto count = static_cast<unsigned>(maps_done() ? reduces_.size() : maps_.size());
  return (count + plan_.spread - 1) / plan_.spread;
}

unsigned wordcount_scheduler::launched_on(const std::string& agent) const {
  const auto& list = maps_done() ? reduces_ : maps_;
  return static_cast<unsigned>(std::count_if(
      list.begin(), list.end(), [&](const piece& p) { return p.launched && p.record.agent_id() == agent; }));
}

Work wordcount_scheduler::work_of(const piece& p) const {
  Work work;
  if (!p.record.reduce()) {
    for (const auto& file : plan_.maps[p.record.index()]) work.mutable_map()->add_files(file.path);
    work.mutable_map()->set_partitions(plan_.reduces);
    return work;
  }
  for (const auto& map : maps_) {
    auto* source = work.mutable_reduce()->add_sources();
    source->set_agent_url(map.record.agent_url());
    source->set_path(map.record.output().paths(static_cast<int>(p.record.index())));
  }
  return work;
}

v1::TaskInfo wordcount_scheduler::task_of(piece& p, const v1::Offer& offer, const std::string& url) {
  auto name = (p.record.reduce() ? "reduce-" : "map-") + std::to_string(p.record.index());
  p.record.set_task_id(name + "." + std::to_string(p.record.attempt()));
  p.record.set_agent_id(offer.agent_id().value());
  p.record.set_agent_url(url);
  p.launched = true;
  v1::TaskInfo task;
  task.set_name(name);
  task.mutable_task_id()->set_value(p.record.task_id());
  task_needs().add_to(task.mutable_resources());
  auto& executor = *task.mutable_executor();
  executor.mutable_executor_id()->set_value(executor_name);
  executor.set_name(executor_name);
  executor.set_type(v1::ExecutorInfo::CUSTOM);
  executor.mutable_command()->set_value(plan_.executor_command);
  executor_needs().add_to(executor.mutable_resources());
  task.set_data(work_of(p).SerializeAsString());
  return task;
}

void wordcount_scheduler::on_subscribed(sdk::calls& call) {
  // Launches that were lost with a former self are asked about by name; the master's answer sends them back to be
  // launched again.
  std::vector<v1::TaskStatus> unsure;
  for (auto* list : {&maps_, &reduces_})
    for (const auto& p : *list) {
      if (!p.launched || p.done()) continue;
      v1::TaskStatus status;
      status.mutable_task_id()->set_value(p.record.task_id());
      status.mutable_agent_id()->set_value(p.record.agent_id());
      unsure.push_back(status);
    }
  if (!unsure.empty()) call.reconcile(unsure);
}

void wordcount_scheduler::on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) {
  for (const auto& offer : offers) {
    auto offered = resources::from(offer.resources());
    auto left = offered ? offered->unallocated().unreserved().nonrevocable() : resources();
    bool executor_runs = std::any_of(offer.executor_ids().begin(), offer.executor_ids().end(),
                                     [](const auto& id) { return id.value() == executor_name; });
    if (!executor_runs) {
      auto share = left.find_scalars(executor_needs().amounts());
      left = share ? left - *share : resources();
    }
    std::vector<v1::TaskInfo> tasks;
    for (auto& p : current()) {
      if (p.launched || launched_on(offer.agent_id().value()) >= most_on_one_agent()) continue;
      auto share = left.find_scalars(task_needs().amounts());
      if (!share) break;
      left -= *share;
      tasks.push_back(task_of(p, offer, url_of(offer)));
      call.put(tasks.back().name(), p.record);
    }
    v1::Filters filters;
    filters.set_refuse_seconds(1);
    if (tasks.empty())
      call.decline(offer, std::chrono::seconds(1));
    else
      call.launch(offer, std::move(tasks), filters);
  }
}

void wordcount_scheduler::launch_again(sdk::calls& call, piece& p) {
  p.launched = false;
  p.record.clear_output();
  p.record.set_attempt(p.record.attempt() + 1);
  call.revive();
}

void wordcount_scheduler::on_status(sdk::calls& call, const v1::TaskStatus& status) {
  auto* p = find(status.task_id().value());
  if (!p || p->done() || !is_terminal(status.state())) return;
  auto name = (p->record.reduce() ? "reduce-" : "map-") + std::to_string(p->record.index());
  Output output;
  if (status.state() == v1::TASK_FINISHED && output.ParseFromString(status.data()) &&
      is_whole(output, p->record.reduce(), plan_.reduces)) {
    *p->record.mutable_output() = output;
    p->files_reported = output.files();
    call.put(name, p->record);
    if (!p->record.reduce() && maps_done()) call.revive();
  } else {
    call.log("wordcount.piece_failed task=" + status.task_id().value() +
             " state=" + std::string(short_name(status.state())) + " message=" + status.message());
    if (p->record.attempt() + 1 >= attempts_max) {
      call.teardown(1);
      return;
    }
    launch_again(call, *p);
  }
  report();
  if (std::all_of(reduces_.begin(), reduces_.end(), [](const piece& r) { return r.done(); })) call.teardown(0);
}

void wordcount_scheduler::on_message(sdk::calls& call, const agent_id& agent, const executor_id& executor,
                                     const std::string& bytes) {
  if (sdk::unpack<ExecutorReady>(bytes)) {
    Settings settings;
    settings.set_report_every_files(report_every_files);
    call.send(agent, executor, settings);
  } else if (auto progress = sdk::unpack<Progress>(bytes)) {
    auto* p = find(progress->task_id());
    if (!p || p->done()) return;
    p->files_reported = progress->files();
    report();
  }
}

/// What a lost agent's maps wrote is gone with it while reduces still need it.
void wordcount_scheduler::on_failure(sdk::calls& call, const v1::scheduler::Event::Failure& failure) {
  if (failure.has_executor_id()) return;
  for (auto& p : maps_)
    if (p.done() && p.record.agent_id() == failure.agent_id().value()) launch_again(call, p);
}

void wordcount_scheduler::on_program_event(sdk::calls& call, const std::string& name, const std::string&) {
  if (name == "interrupt") call.teardown(130);
}

void wordcount_scheduler::remember(const std::string& key, std::string_view record) {
  PieceRecord found;
  if (!decode_record(record, found)) return;
  auto& list = found.reduce() ? reduces_ : maps_;
  if (found.index() >= list.size() || key.empty()) return;
  auto& p = list[found.index()];
  p.launched = found.maps() == maps_.size() && found.reduces() == reduces_.size();
  if (p.launched)
    p.record = found;
  else  // of a job that was cut otherwise: to be done again, under a new name
    p.record.set_attempt(found.attempt() + 1);
}

void wordcount_scheduler::report() {
  job_progress progress;
  for (auto* list : {&maps_, &reduces_})
    for (const auto& p : *list) {
      progress.files_done += p.record.reduce() ? 0 : p.files_reported;
      if (!p.done()) continue;
      ++(p.record.reduce() ? progress.reduces_done : progress.maps_done);
      ++progress.tasks_by_agent[p.record.agent_id()];
    }
  changed_(progress);
}

std::vector<Work::Reduce::Source> wordcount_scheduler::outputs() const {
  std::vector<Work::Reduce::Source> sources;
  for (const auto& p : reduces_) {
    Work::Reduce::Source source;
    source.set_agent_url(p.record.agent_url());
    if (p.done()) source.set_path(p.record.output().paths(0));
    sources.push_back(source);
  }
  return sources;
}

}  // namespace troupe::wordcount
