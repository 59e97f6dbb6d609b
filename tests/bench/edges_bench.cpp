// An ordinary framework on the cluster that TROUPE_MASTER names, that says how long its offers take. For each line with
// a number on stdin it asks so many times for offers, one after the other, or for 20 s if that is shorter, and prints
// the waits in microseconds as a line. Ends with its input.
#include "frameworks/sdk/program.hpp"

#include <chrono>
#include <cstdlib>
#include <iostream>
#include <string>
#include <thread>
#include <vector>

namespace troupe::bench {
namespace {

constexpr std::chrono::milliseconds pause{3};
constexpr std::chrono::seconds patience{20};

class waits_for_offers final : public sdk::scheduler {
 public:
  v1::FrameworkInfo describe() const override {
    v1::FrameworkInfo info;
    info.set_name("edges-bench");
    info.set_user("root");
    info.add_roles("*");
    info.add_capabilities()->set_type(v1::FrameworkInfo::Capability::MULTI_ROLE);
    return info;
  }

  void on_offers(sdk::calls& call, const std::vector<v1::Offer>& offers) override {
    if (asked_at_) {
      waits_us_.push_back(std::chrono::duration_cast<std::chrono::microseconds>(call.now().now - *asked_at_).count());
      asked_at_.reset();
      call.wake_at(call.now().now + pause);
    }
    for (const auto& offer : offers) call.decline(offer, std::chrono::hours(1));
    call.suppress();
  }

  void on_status(sdk::calls&, const v1::TaskStatus&) override {}  // it has no tasks

  void on_timer(sdk::calls& call) override {
    if (wanted_ == 0 || asked_at_) return;
    const bool late = !waits_us_.empty() && call.now().now > begun_at_ + patience;
    if (waits_us_.size() < wanted_ && !late) return ask(call);
    wanted_ = 0;
    for (std::size_t i = 0; i < waits_us_.size(); ++i) std::cout << (i == 0 ? "" : " ") << waits_us_[i];
    std::cout << std::endl;
  }

  void on_program_event(sdk::calls& call, const std::string& name, const std::string& data) override {
    if (name != "measure") return call.teardown(0);
    wanted_ = static_cast<std::size_t>(std::atoi(data.c_str()));
    waits_us_.clear();
    begun_at_ = call.now().now;
    call.wake_at(call.now().now);
  }

 private:
  void ask(sdk::calls& call) {
    asked_at_ = call.now().now;
    call.revive();
  }

  std::size_t wanted_ = 0;
  std::vector<std::int64_t> waits_us_;
  std::optional<monotonic_time> asked_at_;
  monotonic_time begun_at_{};
};

}  // namespace
}  // namespace troupe::bench

int main() {
  using namespace troupe;
  sdk::program_options options;
  options.name = "edges_bench";
  auto program = sdk::scheduler_program::start(std::make_shared<bench::waits_for_offers>(), options);
  if (!program) {
    std::cerr << "edges_bench: " << program.error().message << std::endl;
    return 1;
  }
  std::thread reader([&] {
    for (std::string line; std::getline(std::cin, line);) (*program)->tell("measure", line);
    (*program)->tell("interrupt");
  });
  const int code = (*program)->run();
  reader.join();
  return code;
}
