#include "isolators/containerizer_actor.hpp"

#include "tests/isolators/container_lab.hpp"

#include <signal.h>
#include <caf/actor_system_config.hpp>
#include <caf/send.hpp>
#include <catch2/catch.hpp>

#include <deque>

namespace troupe {
namespace {

/// A process with a containerizer in it, and ears at other addresses.
class small_process {
 public:
  small_process() {
    ring_ = event_ring::open("", 1 << 16).value();
    rt_ = std::make_unique<services>(names_, board_, *ring_, journal_actor());
    lab_.close();
    containerizer_ = containerizer_child(system_, *rt_, lab_.options()).start();
  }
  ~small_process() {
    end();
    names_.clear();
  }

  struct letter {
    directory::head_ptr head;
    directory::body_ptr body;
  };

  void listen_at(const Address& at) {
    names_.add_endpoint(at, [this](const directory::head_ptr& head, const directory::body_ptr& body, const auto&) {
      std::lock_guard<std::mutex> lock(mutex_);
      letters_.push_back({head, body});
      heard_.notify_all();
      return true;
    });
  }

  template <class Message>
  void say(const Address& from, const Message& message) {
    auto head = std::make_shared<Envelope>();
    *head->mutable_from() = from;
    *head->mutable_to() = containerizer_address();
    head->set_verb(verb_number<Message>::value);
    head->set_trace(77);
    REQUIRE(names_.deliver(head, std::make_shared<const Message>(message)));
  }

  letter hear() {
    std::unique_lock<std::mutex> lock(mutex_);
    REQUIRE(heard_.wait_for(lock, std::chrono::seconds(60), [this] { return !letters_.empty(); }));
    auto next = letters_.front();
    letters_.pop_front();
    return next;
  }

  /// Ends the actor as its supervisor would.
  void end() {
    if (!containerizer_) return;
    caf::anon_send_exit(containerizer_, caf::exit_reason::user_shutdown);
    names_.remove(containerizer_address());
    containerizer_ = nullptr;
    system_.await_all_actors_done();
  }

  const container_lab& lab() const { return lab_; }
  status_board& board() { return board_; }

 private:
  container_lab lab_;  // for its folder, options and launches; its own containerizer is closed
  status_board board_;
  directory names_{board_};
  std::unique_ptr<event_ring> ring_;
  std::unique_ptr<services> rt_;
  std::mutex mutex_;
  std::condition_variable heard_;
  std::deque<letter> letters_;
  caf::actor_system_config config_;
  caf::actor_system system_{config_};
  caf::strong_actor_ptr containerizer_;
};

const Address executor_e = address(internal::EXECUTOR, "e");
const Address agent_a = address(internal::AGENT, "a");

}  // namespace

TEST_CASE("what becomes of a container is told to whoever launched it, as caused by that launch") {
  small_process host;
  host.listen_at(executor_e);
  host.say(executor_e, host.lab().shell("c", "exec sleep 1000"));
  auto launched = host.hear();
  CHECK(to_string(launched.head->from()) == "containerizer/local");
  CHECK(to_string(launched.head->to()) == "executor/e");
  CHECK(launched.head->verb() == verb_number<internal::ContainerLaunched>::value);
  CHECK(launched.head->trace() == 77);
  CHECK(launched.head->cause() != 0);

  internal::SignalContainer signal;
  signal.mutable_container_id()->set_value("c");
  signal.set_signal(SIGTERM);
  host.say(agent_a, signal);
  auto exited = host.hear();
  CHECK(to_string(exited.head->to()) == "executor/e");
  CHECK(exited.head->sequence() > launched.head->sequence());
  CHECK(dynamic_cast<const internal::ContainerExited&>(*exited.body).status() == SIGTERM);
}

TEST_CASE("a request about a container that nobody launched is answered to whoever asks") {
  small_process host;
  host.listen_at(agent_a);
  internal::DestroyContainer destroy;
  destroy.mutable_container_id()->set_value("nobody");
  host.say(agent_a, destroy);
  auto answer = host.hear();
  CHECK(to_string(answer.head->to()) == "agent/a");
  CHECK_FALSE(dynamic_cast<const internal::ContainerExited&>(*answer.body).has_status());
}

TEST_CASE("the actor's end ends its containers, and their ends are still told") {
  small_process host;
  host.listen_at(executor_e);
  host.say(executor_e, host.lab().shell("c", "exec sleep 1000"));
  auto launched = host.hear();
  host.end();
  auto exited = host.hear();
  CHECK(dynamic_cast<const internal::ContainerExited&>(*exited.body).status() == SIGKILL);
  CHECK_FALSE(process_runs(dynamic_cast<const internal::ContainerLaunched&>(*launched.body).pid()));
  CHECK(host.board().of("containerizer/local")->depth() == 0);
}

}  // namespace troupe
