#include "tools/emulator/load_scheduler.hpp"

#include "protocol/verbs.hpp"
#include "storage/records.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using std::chrono::milliseconds;
using std::chrono::seconds;

namespace {

load_wish wish() {
  load_wish wanted;
  wanted.name = "load";
  wanted.user = "nobody";
  wanted.needs = resources::parse("cpus:1;mem:100").value();
  return wanted;
}

/// A scheduler and its master, played by the test.
struct stage {
  explicit stage(load_wish wanted) : scheduler(std::move(wanted), figures) { now.incarnation = 3; }

  std::shared_ptr<load_figures> figures = std::make_shared<load_figures>();
  load_scheduler scheduler;
  context now;
  outbox last;
  framework_id framework{"f"};
  std::optional<monotonic_time> wake;
  std::optional<int> exit_code;
  int offers = 0;

  template <class Act>
  void act(Act act) {
    last = {};
    Envelope head;
    step s{head, now, last};
    sdk::calls call(s, framework, wake, exit_code);
    act(call);
  }
  void subscribed() {
    act([&](sdk::calls& call) { scheduler.on_subscribed(call); });
  }
  /// The ids of the tasks that it launches on this.
  std::vector<std::string> offer(const std::string& text) {
    v1::Offer one;
    one.mutable_id()->set_value("o" + std::to_string(++offers));
    one.mutable_agent_id()->set_value("a");
    resources::parse(text).value().allocated_to("*").add_to(one.mutable_resources());
    act([&](sdk::calls& call) { scheduler.on_offers(call, {one}); });
    std::vector<std::string> ids;
    for (const auto& accept : said<v1::scheduler::Call::Accept>())
      for (const auto& task : accept.operations(0).launch().task_infos()) ids.push_back(task.task_id().value());
    return ids;
  }
  void report(const std::string& task, v1::TaskState state) {
    v1::TaskStatus status;
    status.mutable_task_id()->set_value(task);
    status.set_state(state);
    act([&](sdk::calls& call) { scheduler.on_status(call, status); });
  }
  void tick() {
    act([&](sdk::calls& call) { scheduler.on_timer(call); });
  }
  template <class Message>
  std::vector<Message> said() const {
    std::vector<Message> found;
    for (const auto& letter : last.letters)
      if (letter.verb == verb_number<Message>::value) found.push_back(static_cast<const Message&>(*letter.body));
    return found;
  }
  template <class Message>
  std::size_t count() const {
    return said<Message>().size();
  }
};

using revived = v1::scheduler::Call::Revive;
using suppressed = v1::scheduler::Call::Suppress;
using declined = v1::scheduler::Call::Decline;

}  // namespace

TEST_CASE("a scheduler without bounds fills whatever it is offered, each task recorded before its launch leaves") {
  stage play(wish());
  play.subscribed();
  CHECK(play.last.letters.empty());
  const auto tasks = play.offer("cpus:3;mem:250");
  CHECK(tasks == std::vector<std::string>{"load.3.1", "load.3.2"});
  CHECK(play.last.edits.size() == 2);
  CHECK(play.count<suppressed>() == 0);
  CHECK(play.offer("cpus:1;mem:99").empty());
  CHECK(play.count<declined>() == 1);
}

TEST_CASE("a scheduler that keeps a number running asks for offers only while some are missing") {
  auto wanted = wish();
  wanted.at_once = 2;
  stage play(wanted);
  play.subscribed();
  const auto tasks = play.offer("cpus:5;mem:500");
  REQUIRE(tasks.size() == 2);
  CHECK(play.count<suppressed>() == 1);
  play.report(tasks[0], v1::TASK_RUNNING);
  CHECK(play.last.letters.empty());
  play.report(tasks[0], v1::TASK_FINISHED);
  CHECK(play.count<revived>() == 1);
  CHECK(play.last.edits.size() == 1);  // its record goes
  CHECK(play.offer("cpus:5;mem:500").size() == 1);
  CHECK(play.count<suppressed>() == 1);
}

TEST_CASE("tasks are timed from the wish and from the launch until it is heard that they run and end") {
  auto wanted = wish();
  wanted.at_once = 1;
  stage play(wanted);
  play.subscribed();
  play.now.now += milliseconds(10);
  const auto task = play.offer("cpus:1;mem:100").at(0);
  play.now.now += milliseconds(5);
  play.report(task, v1::TASK_RUNNING);
  play.report(task, v1::TASK_RUNNING);  // heard twice
  play.now.now += milliseconds(40);
  play.report(task, v1::TASK_FINISHED);
  play.report(task, v1::TASK_FINISHED);
  const auto counts = play.figures->read();
  CHECK(counts.launched == 1);
  CHECK(counts.running == 1);
  CHECK(counts.finished == 1);
  CHECK(counts.ended() == 1);
  CHECK(counts.to_running.most() == milliseconds(5));
  CHECK(counts.from_wish.most() == milliseconds(15));
  CHECK(counts.to_end.most() == milliseconds(45));
  CHECK(counts.to_running.count() == 1);
}

TEST_CASE("a scheduler with so many tasks in all tears itself down when the last of them has ended") {
  auto wanted = wish();
  wanted.in_all = 3;
  stage play(wanted);
  play.subscribed();
  const auto tasks = play.offer("cpus:9;mem:900");
  REQUIRE(tasks.size() == 3);
  CHECK(play.count<suppressed>() == 1);
  play.report(tasks[0], v1::TASK_FINISHED);
  play.report(tasks[1], v1::TASK_LOST);
  CHECK_FALSE(play.exit_code);
  play.report(tasks[2], v1::TASK_FAILED);
  CHECK(play.count<internal::TeardownFramework>() == 1);
  CHECK(play.exit_code == 0);
  const auto counts = play.figures->read();
  CHECK(counts.finished == 1);
  CHECK(counts.lost == 1);
  CHECK(counts.failed == 1);
  CHECK(counts.launched == counts.ended());
}

TEST_CASE("a scheduler by the clock wants one task a beat, since that beat") {
  auto wanted = wish();
  wanted.per_second = 10;
  wanted.first_after_s = 0.05;
  stage play(wanted);
  play.subscribed();
  CHECK(play.count<suppressed>() == 1);
  REQUIRE(play.wake == play.now.now + milliseconds(50));
  CHECK(play.offer("cpus:9;mem:900").empty());
  play.now.now += milliseconds(260);  // late: three beats, at 50, 150 and 250 ms
  play.wake.reset();
  play.tick();
  CHECK(play.count<revived>() == 1);
  CHECK(play.wake == play.now.now + milliseconds(90));
  const auto tasks = play.offer("cpus:9;mem:900");
  REQUIRE(tasks.size() == 3);
  CHECK(play.count<suppressed>() == 1);
  play.report(tasks[0], v1::TASK_RUNNING);
  CHECK(play.figures->read().from_wish.most() == milliseconds(210));
}

TEST_CASE("a scheduler that comes back asks what became of its tasks and never uses an id twice") {
  auto wanted = wish();
  wanted.at_once = 2;
  stage play(wanted);
  v1::TaskStatus staging;
  staging.mutable_task_id()->set_value("load.2.7");
  staging.set_state(v1::TASK_STAGING);
  play.scheduler.remember("load.2.7", encode_record(staging));
  play.subscribed();
  REQUIRE(play.count<v1::scheduler::Call::Reconcile>() == 1);
  CHECK(play.said<v1::scheduler::Call::Reconcile>()[0].tasks(0).task_id().value() == "load.2.7");
  CHECK(play.offer("cpus:9;mem:900") == std::vector<std::string>{"load.3.1"});
  play.report("load.2.7", v1::TASK_UNKNOWN);  // its launch had never arrived
  CHECK(play.scheduler.open() == 1);
  CHECK(play.count<revived>() == 1);
}

TEST_CASE("told to finish, a scheduler tears itself down whatever runs") {
  stage play(wish());
  play.subscribed();
  play.offer("cpus:1;mem:100");
  play.act([&](sdk::calls& call) { play.scheduler.on_program_event(call, "finish", ""); });
  CHECK(play.count<internal::TeardownFramework>() == 1);
  CHECK(play.exit_code == 0);
}
