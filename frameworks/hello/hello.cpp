// The smallest framework that is still correct: five tasks, each run until it has finished, through crashes of
// anything.
#include "frameworks/sdk/program.hpp"
#include "frameworks/sdk/simulated.hpp"
#include "protocol/resources.hpp"
#include "protocol/task_state.hpp"

#include <iostream>

using namespace troupe;
class hello : public sdk::scheduler {
 public:
  v1::FrameworkInfo describe() const override {
    v1::FrameworkInfo info;
    info.set_name("hello");
    info.set_user("root");
    info.set_failover_timeout(60);  // our tasks outlive us by a minute
    info.add_roles("*");
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    return info;
  }

  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override {
    for (const auto& offer : offers) {
      auto left = resources::from(offer.resources()).value().unallocated();
      std::vector<v1::TaskInfo> tasks;
      for (std::optional<resources> share; !waiting_.empty() && (share = left.find_scalars(needs_.amounts()));) {
        left -= *share;
        v1::TaskStatus& status = launched_[waiting_.back()];
        status.mutable_task_id()->set_value(waiting_.back());
        status.set_state(v1::TASK_STAGING);
        call.put(waiting_.back(), status);  // durable before the launch leaves
        v1::TaskInfo& task = tasks.emplace_back();
        task.set_name("hello");
        *task.mutable_task_id() = status.task_id();
        task.mutable_command()->set_value("echo hello from $(hostname)");
        needs_.add_to(task.mutable_resources());
        waiting_.pop_back();
      }
      tasks.empty() ? call.decline(offer) : call.launch(offer, tasks);
    }
  }

  void on_status(sdk::calls& call, const v1::TaskStatus& status) override {
    auto known = launched_.find(status.task_id().value());
    if (known == launched_.end() || is_terminal(known->second.state())) return;  // heard twice
    std::cout << known->first << ' ' << short_name(status.state()) << std::endl;
    call.put(known->first, known->second = status);
    if (failed(status)) waiting_.push_back(known->first + "+");  // a new id, always
    waiting_.empty() ? call.suppress() : call.revive();
    for (const auto& [id, last] : launched_)
      if (!is_terminal(last.state())) return;
    if (waiting_.empty()) call.teardown(0);
  }

  void on_subscribed(sdk::calls& call) override {
    std::vector<v1::TaskStatus> unsure;  // perhaps launched by a former self, perhaps lost with it
    for (const auto& [id, last] : launched_)
      if (!is_terminal(last.state())) unsure.push_back(last);
    if (!unsure.empty()) call.reconcile(unsure);
  }

  void remember(const std::string& id, std::string_view record) override {
    if (!decode_record(record, launched_[id])) return;
    waiting_.erase(std::remove(waiting_.begin(), waiting_.end(), id), waiting_.end());
    if (failed(launched_[id])) waiting_.push_back(id + "+");  // a later record may say that it was launched too
  }

 private:
  static bool failed(const v1::TaskStatus& s) { return is_terminal(s.state()) && s.state() != v1::TASK_FINISHED; }
  const resources needs_ = resources::parse("cpus:0.1;mem:32").value();
  std::vector<std::string> waiting_{"hello-0", "hello-1", "hello-2", "hello-3", "hello-4"};  // to be launched
  std::map<std::string, v1::TaskStatus> launched_;  // with the last we heard of each
};

TROUPE_SIMULATED_FRAMEWORK(std::make_shared<hello>)  // troupe sim hello.so

int main(int argc, char** argv) {
  sdk::program_options options;  // the master is in TROUPE_MASTER
  if (argc > 1) options.state_dir = argv[1];
  return sdk::run_scheduler_program(std::make_shared<hello>(), options);
}
