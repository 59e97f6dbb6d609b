#pragma once

#include "frameworks/sdk/scheduler.hpp"
#include "protocol/resources.hpp"
#include "tools/emulator/load_figures.hpp"

#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>

namespace troupe {

/// What one emulated framework wants.
struct load_wish {
  std::string name;
  std::string role = "*";
  std::string user;
  resources needs;           ///< of one task
  std::size_t at_once = 0;   ///< so many tasks at any time; 0: as many as it is offered room for
  std::size_t in_all = 0;    ///< then it tears itself down; 0: it goes on
  double per_second = 0;     ///< new tasks, wherever there is room; 0: not by the clock
  double first_after_s = 0;  ///< where by the clock: until the first
  std::size_t labels = 0;    ///< of each task
};

/// The scheduler of an emulated framework: launches tasks that do nothing, as many and as fast as it is asked to, and
/// takes note of how long that takes. Each task is recorded before its launch leaves.
class load_scheduler final : public sdk::scheduler {
 public:
  load_scheduler(load_wish wish, std::shared_ptr<load_figures> figures);

  v1::FrameworkInfo describe() const override;
  void on_subscribed(sdk::calls& call) override;
  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override;
  void on_status(sdk::calls& call, const v1::TaskStatus& status) override;
  void on_timer(sdk::calls& call) override;
  void on_error(sdk::calls& call, const std::string& message) override;
  /// "finish": tears the framework down, whatever runs.
  void on_program_event(sdk::calls& call, const std::string& name, const std::string& data) override;
  void remember(const std::string& key, std::string_view record) override;

  /// How many it has launched that have not ended.
  std::size_t open() const { return open_.size(); }
  const std::string& refusal() const { return refusal_; }

 private:
  struct task {
    std::optional<monotonic_time> wanted, launched;  ///< not of those of an earlier incarnation
    bool running = false;
  };

  /// How many it would launch now.
  std::size_t room() const;
  bool by_the_clock() const { return wish_.per_second > 0; }
  bool spent() const { return wish_.in_all > 0 && launched_ >= wish_.in_all; }
  v1::TaskInfo next_task(sdk::calls& call);
  void tick(sdk::calls& call);
  void ask_or_rest(sdk::calls& call);
  void count_end(const v1::TaskStatus& status, const task& ended, monotonic_time now);

  const load_wish wish_;
  const std::shared_ptr<load_figures> figures_;
  std::map<std::string, task> open_;    ///< by id
  std::deque<monotonic_time> wanted_;   ///< since when; of what is wanted and not launched, where that is bounded
  std::optional<monotonic_time> next_;  ///< when the clock wants one more
  std::size_t launched_ = 0;
  bool resting_ = false;  ///< suppressed
  std::string refusal_;
};

}  // namespace troupe
