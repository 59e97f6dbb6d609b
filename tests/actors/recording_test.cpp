#include "storage/recording.hpp"
#include "actors/allocator/allocator_actor.hpp"
#include "actors/master/master_actor.hpp"
#include "tests/actors/shell_world.hpp"
#include "tests/unit/master/master_driver.hpp"
#include "tests/unit/storage/scratch_folder.hpp"
#include "tools/replay/replay.hpp"

#include <sys/resource.h>

#include <catch2/catch.hpp>

#include <chrono>
#include <condition_variable>
#include <csignal>
#include <deque>
#include <mutex>
#include <thread>

using namespace troupe;

namespace {

const Address agent = address(internal::AGENT, "a");
const Address framework = address(internal::FRAMEWORK, "f");

/// A live master with its allocator, recorded; the agent and the framework are played by the test.
class recorded_process {
 public:
  explicit recorded_process(const test::scratch_folder& folder, recording_limits limits = {})
      : recordings_(folder.path().string(), "troupe of the test", limits) {
    process_options options;
    options.name = "test";
    host_ = std::move(process::open(options)).value();
    host_->rt().recordings = &recordings_;
    for (const auto& player : {agent, framework})
      host_->names().add_endpoint(player, [this](const auto&, const directory::body_ptr& body, const auto&) {
        const std::lock_guard<std::mutex> lock(mutex_);
        heard_.push_back(body);
        more_.notify_all();
        return true;
      });
    for (auto* desk : {&masters_, &allocators_}) *desk = std::make_unique<view_desk>(host_->system());
    start_master(*host_, master_options(), *masters_);
    start_allocator(*host_, allocator_options(), *allocators_);
  }
  ~recorded_process() {
    masters_->close();
    allocators_->close();
    host_.reset();
  }

  /// Heard as soon as there is a master.
  template <class Message>
  void say(const Address& from, const Message& message) {
    auto head = std::make_shared<Envelope>();
    *head->mutable_from() = from;
    *head->mutable_to() = leader();
    head->set_verb(verb_number<Message>::value);
    const auto body = std::make_shared<const Message>(message);
    while (!host_->names().deliver(head, body)) std::this_thread::yield();
  }

  /// The next letter of its kind to one of the players.
  template <class Message>
  Message hear() {
    std::unique_lock<std::mutex> lock(mutex_);
    while (true) {
      while (!heard_.empty()) {
        const auto body = heard_.front();
        heard_.pop_front();
        if (const auto* wanted = dynamic_cast<const Message*>(body.get())) return *wanted;
      }
      REQUIRE(more_.wait_for(lock, std::chrono::seconds(60), [this] { return !heard_.empty(); }));
    }
  }

 private:
  const recording_folder recordings_;
  std::mutex mutex_;
  std::condition_variable more_;
  std::deque<directory::body_ptr> heard_;
  std::unique_ptr<view_desk> masters_, allocators_;
  std::unique_ptr<process> host_;
};

/// An agent comes, a framework takes its offer and launches a task, which ends; then both are gone.
void live(recorded_process& world) {
  using namespace troupe::testing;
  internal::RegisterAgent call;
  *call.mutable_info() = agent_info("a", "cpus:4;mem:4096");
  world.say(agent, call);
  const auto id = agent_id(world.hear<internal::AgentRegistered>().agent_id());
  scheduler::Call::Subscribe subscribe;
  *subscribe.mutable_framework_info() = framework_info("f", 0, true);
  world.say(framework, subscribe);
  const auto by = world.hear<scheduler::Event::Subscribed>().framework_id();
  const auto offer = world.hear<scheduler::Event::Offers>().offers(0);
  world.say(framework, accepting({offer}, {launching({command_task("t1", id, "cpus:1;mem:32")})}));
  world.hear<internal::RunTask>();
  internal::StatusUpdated updated;
  *updated.mutable_agent_id() = id.proto();
  *updated.mutable_framework_id() = by;
  updated.mutable_status()->mutable_task_id()->set_value("t1");
  updated.mutable_status()->set_state(v1::TASK_FINISHED);
  updated.mutable_status()->set_uuid(uuid("u"));
  updated.set_latest_state(v1::TASK_FINISHED);
  world.say(agent, updated);
  world.hear<scheduler::Event::Update>();
  world.say(framework, internal::TeardownFramework());
  world.hear<internal::ShutdownFramework>();
}

result<replay_report> replay_of(const std::filesystem::path& path) {
  auto recording = recording_reader::open(path.string());
  REQUIRE(recording.has_value());
  return replay(**recording);
}

}  // namespace

TEST_CASE("a recording begins with what was recovered, and ends with the step that threw") {
  const test::scratch_folder folder;
  const recording_folder recordings(folder.path().string(), "troupe of the test", {});
  shell_world world;
  internal::CounterRecord old;
  old.set_next(41);
  world.stored[keys::path({"echo", "old"})] = encode_record(old);
  world.rt->recordings = &recordings;
  world.start();
  world.ping(42);
  world.run();
  world.ping(13);
  world.run();

  auto recording = recording_reader::open((folder / "master-echo-1.recording").string());
  REQUIRE(recording.has_value());
  internal::CounterRecord state;
  REQUIRE(state.ParseFromString((*recording)->header().state().bytes()));
  CHECK(state.next() == 41);
  std::vector<internal::RecordedStep> steps;
  while (auto step = std::move((*recording)->next()).value()) steps.push_back(std::move(*step));
  REQUIRE(steps.size() == 3);
  CHECK(steps[0].head().verb() == verb_number<internal::Recovered>::value);
  CHECK(steps[1].outbox().letters_size() == 1);
  CHECK(steps[1].event() == world.heads.at(0).cause());
  CHECK(steps[2].failure() == "thirteen");
  CHECK(std::filesystem::exists(folder / "master-echo-2.recording"));
}

TEST_CASE("recordings of a live master and its allocator replay identically") {
  const test::scratch_folder folder;
  {
    recorded_process world(folder);
    live(world);
  }
  for (const auto* name : {"master-leader-1.recording", "allocator-leader-0.recording"}) {
    CAPTURE(name);
    auto report = replay_of(folder / name);
    REQUIRE(report.has_value());
    CHECK_FALSE(report->first.has_value());
    CHECK_FALSE(report->damage.has_value());
    CHECK(report->tail == recording_tail::closed);
    CHECK(report->events >= 5);
    CHECK(report->software == "troupe of the test");
  }
}

TEST_CASE("another life is another file: nothing is written over") {
  const test::scratch_folder folder;
  for (int life = 0; life < 2; ++life) {
    recorded_process world(folder);
    live(world);
  }
  CHECK(std::filesystem::exists(folder / "allocator-leader-0.recording"));
  CHECK(std::filesystem::exists(folder / "allocator-leader-0.2.recording"));
}

TEST_CASE("a recording that reaches its limit ends, and its actor goes on") {
  const test::scratch_folder folder;
  recording_limits limits;
  limits.file_bytes_max = 1500;
  {
    recorded_process world(folder, limits);
    live(world);
  }
  auto report = replay_of(folder / "master-leader-1.recording");
  REQUIRE(report.has_value());
  CHECK(report->tail == recording_tail::size_limit);
  CHECK_FALSE(report->first.has_value());
  CHECK(std::filesystem::file_size(folder / "master-leader-1.recording") <= limits.file_bytes_max);
}

TEST_CASE("a recording that cannot be written ends, and its actor goes on") {
  const test::scratch_folder folder;
  const auto handler = std::signal(SIGXFSZ, SIG_IGN);
  rlimit before{};
  ::getrlimit(RLIMIT_FSIZE, &before);
  {
    recorded_process world(folder);
    const rlimit small{1500, before.rlim_max};
    ::setrlimit(RLIMIT_FSIZE, &small);
    live(world);
    ::setrlimit(RLIMIT_FSIZE, &before);
  }
  std::signal(SIGXFSZ, handler);
  auto report = replay_of(folder / "master-leader-1.recording");
  REQUIRE(report.has_value());
  CHECK(report->tail == recording_tail::torn);
  CHECK_FALSE(report->first.has_value());
}

TEST_CASE("where recordings cannot be made at all, actors live all the same") {
  const test::scratch_folder folder;
  std::filesystem::remove_all(folder.path());
  recorded_process world(folder);
  live(world);
}
