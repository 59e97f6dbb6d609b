// The jobs of a night, ten at a time, each until it has succeeded. docs/simulator.md looks for its mistakes.
#include "frameworks/sdk/program.hpp"
#include "frameworks/sdk/simulated.hpp"
#include "protocol/resources.hpp"
#include "protocol/task_state.hpp"

#include <algorithm>
#include <map>
#include <set>

using namespace troupe;

class nightly : public sdk::scheduler {
 public:
  nightly() {
    for (unsigned job = 1; job <= jobs; ++job) waiting_.insert(job);
  }

  v1::FrameworkInfo describe() const override {
    v1::FrameworkInfo info;
    info.set_name("nightly");
    info.set_user("root");
    info.set_failover_timeout(3600);
    info.add_roles("*");
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    return info;
  }

  void on_subscribed(sdk::calls& call) override {
#ifndef NIGHTLY_NEVER_ASKS
    // A task may have been lost while we were away, and nobody tells us unless we ask.
    std::vector<v1::TaskStatus> unsure;
    for (const auto& [id, last] : tasks_)
      if (!is_terminal(last.state())) unsure.push_back(last);
    if (!unsure.empty()) call.reconcile(unsure);
#endif
    want(call);
  }

  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override {
    for (const auto& offer : offers) {
      auto left = resources::from(offer.resources()).value().unallocated();
      std::vector<v1::TaskInfo> launched;
      while (running_.size() < at_once && !waiting_.empty()) {
        const auto share = left.find_scalars(needs_.amounts());
        if (!share) break;
        left -= *share;
        launched.push_back(begin(call, *waiting_.begin(), offer));
      }
      launched.empty() ? call.decline(offer) : call.launch(offer, std::move(launched));
    }
    want(call);
  }

  void on_status(sdk::calls& call, const v1::TaskStatus& status) override {
    const auto known = tasks_.find(status.task_id().value());
    if (known == tasks_.end() || is_terminal(known->second.state())) return;  // heard twice
    known->second.set_state(status.state());
    call.put(known->first, known->second);
    note(known->first, known->second);
    if (running_.empty() && waiting_.empty()) return call.teardown(0);
    want(call);
  }

  void remember(const std::string& id, std::string_view record) override {
    v1::TaskStatus last;
    if (!decode_record(record, last)) return;
    tasks_[id] = last;
    note(id, last);
#ifndef NIGHTLY_COUNTS_ANEW
    numbered_ = std::max(numbered_, number_of(id));
#endif
  }

 private:
  static constexpr unsigned jobs = 400;
  static constexpr std::size_t at_once = 10;

  // try-NUMBER: a job that has failed is tried again under another number. A task's record says of which job it is.
  static unsigned job_of(const v1::TaskStatus& task) {
    return static_cast<unsigned>(std::stoul(task.data()));
  }
  static unsigned number_of(const std::string& id) {
    return static_cast<unsigned>(std::stoul(id.substr(4)));
  }

  v1::TaskInfo begin(sdk::calls& call, unsigned job, const v1::Offer& offer) {
    v1::TaskStatus last;
    last.mutable_task_id()->set_value("try-" + std::to_string(++numbered_));
    *last.mutable_agent_id() = offer.agent_id();
    last.set_state(v1::TASK_STAGING);
    last.set_data(std::to_string(job));
    const auto& id = last.task_id().value();
    call.put(id, last);  // durable before the launch leaves
    tasks_[id] = last;
    note(id, last);
    v1::TaskInfo task;
    task.set_name("nightly");
    *task.mutable_task_id() = last.task_id();
    task.mutable_command()->set_value("sleep 60");
    needs_.add_to(task.mutable_resources());
    return task;
  }

  /// What a task's state says of its job.
  void note(const std::string& id, const v1::TaskStatus& last) {
    const auto job = job_of(last);
    const bool is_over = is_terminal(last.state());
    if (last.state() == v1::TASK_FINISHED) done_.insert(job);
    if (is_over)
      running_.erase(id);
    else
      running_.insert(id);
    const bool runs = std::any_of(running_.begin(), running_.end(),
                                  [&](const auto& other) { return job_of(tasks_.at(other)) == job; });
    if (runs || done_.count(job) != 0)
      waiting_.erase(job);
    else
      waiting_.insert(job);
  }

  void want(sdk::calls& call) {
    const bool wants = !waiting_.empty() && running_.size() < at_once;
    wants ? call.revive() : call.suppress();
  }

  const resources needs_ = resources::parse("cpus:0.5;mem:64").value();
  std::map<std::string, v1::TaskStatus> tasks_;  // with the last we heard of each
  std::set<std::string> running_;                // of whose end we have not heard
  std::set<unsigned> waiting_, done_;            // jobs
  unsigned numbered_ = 0;
};

TROUPE_SIMULATED_FRAMEWORK(std::make_shared<nightly>)

int main(int argc, char** argv) {
  sdk::program_options options;  // the master is in TROUPE_MASTER
  if (argc > 1) options.state_dir = argv[1];
  return sdk::run_scheduler_program(std::make_shared<nightly>(), options);
}
