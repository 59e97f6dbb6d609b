// A custom executor whose tasks run from when they are launched until they are killed.
#include "frameworks/sdk/program.hpp"

using namespace troupe;

namespace {

class patient : public sdk::executor {
 public:
  void on_launch(sdk::executor_calls& call, const v1::TaskInfo& task) override {
    call.update(task_id(task.task_id()), v1::TASK_RUNNING);
  }
  void on_kill(sdk::executor_calls& call, const task_id& task) override { call.update(task, v1::TASK_KILLED); }
};

}  // namespace

int main() {
  return sdk::run_executor_program(
      [](const sdk::executor_environment&, const sdk::tell_function&) { return std::make_shared<patient>(); });
}
