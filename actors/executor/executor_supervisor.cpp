#include "actors/executor/executor_supervisor.hpp"

#include "actors/executor/executor.hpp"
#include "actors/runtime/shell.hpp"

#include <map>
#include <mutex>

namespace troupe {

namespace {

/// The executors that were asked for, and the actors that are theirs now. Used from the agent's and the supervisor's
/// threads.
class executor_ward {
 public:
  executor_ward(actor_host host, Address agent) : host_(std::move(host)), agent_(std::move(agent)) {}

  void spawn(const std::shared_ptr<executor_ward>& self, const internal::SpawnExecutor& request) {
    auto id = request.executor().id();
    {
      std::unique_lock<std::mutex> lock(mutex_);
      if (!actors_.emplace(id, nullptr).second) {
        lock.unlock();
        return meet_agent(request.executor());
      }
    }
    child_spec child;
    child.name = to_string(request.executor());
    child.transient = true;
    child.start = [self, request, id] { return self->start(id, request); };
    host_.supervise(std::move(child));
  }

  void retire(const internal::RetireExecutor& request) {
    caf::strong_actor_ptr actor;
    {
      std::lock_guard<std::mutex> lock(mutex_);
      auto it = actors_.find(request.executor().id());
      if (it == actors_.end()) return;
      actor = it->second;
      actors_.erase(it);
    }
    host_.rt.names.remove(request.executor());
    host_.rt.board.forget(to_string(request.executor()));
    if (actor) end(actor);
  }

 private:
  /// Its agent has been restarted beside it, and waits for it to subscribe.
  void meet_agent(const Address& executor) {
    internal::PeerConnected peer;
    *peer.mutable_peer() = agent_;
    auto head = std::make_shared<Envelope>();
    *head->mutable_from() = address(internal::RUNTIME, "local");
    *head->mutable_to() = executor;
    head->set_verb(verb_number<internal::PeerConnected>::value);
    host_.rt.names.deliver(head, std::make_shared<const internal::PeerConnected>(std::move(peer)));
  }

  caf::strong_actor_ptr start(const std::string& id, const internal::SpawnExecutor& request) {
    shell_setup<executor> setup;
    setup.at = request.executor();
    executor_options options;
    options.agent = agent_;
    options.spawn = request;
    setup.make = [options] { return executor(options); };
    if (host_.rt.recordings != nullptr)
      setup.options = std::make_shared<const internal::ExecutorOptions>(options_message(options));
    auto child = shell_child<executor, executor_actor>(host_.system, host_.rt, to_string(setup.at), setup);
    auto actor = child.start();
    std::lock_guard<std::mutex> lock(mutex_);
    auto it = actors_.find(id);
    if (it == actors_.end())
      end(actor);  // retired before it started
    else
      it->second = actor;
    return actor;
  }

  static void end(const caf::strong_actor_ptr& actor) { caf::anon_send_exit(actor, caf::exit_reason::user_shutdown); }

  const actor_host host_;
  Address agent_;
  std::mutex mutex_;
  std::map<std::string, caf::strong_actor_ptr> actors_;
};

}  // namespace

void serve_executors(const actor_host& host, const Address& agent) {
  auto ward = std::make_shared<executor_ward>(host, agent);
  host.rt.names.add_endpoint(
      address(internal::SUPERVISOR, "local"),
      [ward](const directory::head_ptr&, const directory::body_ptr& body, const std::shared_ptr<void>&) {
        if (const auto* spawn = dynamic_cast<const internal::SpawnExecutor*>(body.get())) {
          ward->spawn(ward, *spawn);
          return true;
        }
        if (const auto* retire = dynamic_cast<const internal::RetireExecutor*>(body.get())) {
          ward->retire(*retire);
          return true;
        }
        return false;
      });
}

}  // namespace troupe
