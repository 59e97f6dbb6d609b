// A framework that keeps three long tasks running and remembers them: what the tests of crashes need.
#include "frameworks/sdk/program.hpp"
#include "protocol/resources.hpp"
#include "protocol/task_state.hpp"

#include <iostream>
#include <set>

using namespace troupe;

namespace {

class steady : public sdk::scheduler {
 public:
  v1::FrameworkInfo describe() const override {
    v1::FrameworkInfo info;
    info.set_name("steady");
    info.set_user("root");
    info.set_failover_timeout(600);
    info.add_roles("*");
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::PARTITION_AWARE);
    return info;
  }

  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override {
    const auto needs = resources::parse("cpus:0.1;mem:32").value();
    for (const auto& offer : offers) {
      std::vector<v1::TaskInfo> tasks;
      while (launched_.size() < 3) {
        auto& task = tasks.emplace_back();
        task.set_name("steady");
        task.mutable_task_id()->set_value("steady-" + std::to_string(launched_.size()));
        task.mutable_command()->set_value("exec sleep 100000.5");
        needs.add_to(task.mutable_resources());
        launched_.insert(task.task_id().value());
        v1::TaskStatus record;
        *record.mutable_task_id() = task.task_id();
        record.set_state(v1::TASK_STAGING);
        call.put(task.task_id().value(), record);
      }
      if (tasks.empty())
        call.decline(offer, std::chrono::hours(1));
      else
        call.launch(offer, tasks);
    }
  }

  void on_status(sdk::calls&, const v1::TaskStatus& status) override {
    std::cout << status.task_id().value() << ' ' << short_name(status.state()) << std::endl;
  }

  void on_program_event(sdk::calls& call, const std::string& name, const std::string&) override {
    if (name == "interrupt") call.teardown(0);
  }

  void remember(const std::string& id, std::string_view) override { launched_.insert(id); }

 private:
  std::set<std::string> launched_;
};

}  // namespace

int main(int argc, char** argv) {
  sdk::program_options options;
  options.name = "steady";
  if (argc > 1) options.state_dir = argv[1];
  return sdk::run_scheduler_program(std::make_shared<steady>(), options);
}
