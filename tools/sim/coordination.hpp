#pragma once

#include "storage/memory_coordination.hpp"
#include "storage/registry_store.hpp"
#include "tools/sim/cluster.hpp"

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <vector>

namespace troupe::sim {

class coordination_client;

/// The coordination service of a cluster: one machine, as far as its clients can tell.
class coordination_service {
 public:
  explicit coordination_service(cluster& world, host& home);

  host& home() { return home_; }
  memory_coordination& state() { return state_; }
  memory_coordination::time now() const;

  void add(coordination_client& c) { clients_.push_back(&c); }
  void pass_on(const std::vector<memory_coordination::fired>& watches);
  /// What goes wrong with it: portion of requests whose answers are lost with the connection.
  double loses_answers = 0;
  /// It ends the session of this process before its time.
  void expire(const process& p);

 private:
  void watch_time();

  cluster& world_;
  host& home_;
  memory_coordination state_;
  std::vector<coordination_client*> clients_;
};

/// The line of a process to the service. Requests and answers take their time, in order. While the path is cut nothing
/// arrives, and after a while the line says so: whether what was asked was done, nobody knows.
class coordination_client {
 public:
  coordination_client(cluster& world, coordination_service& service, process& owner);

  /// A new life of its process: the former session is left to expire.
  void start();
  void ask(std::shared_ptr<const google::protobuf::Message> request);
  /// Opens the registry for a new leader, at once. Null: it cannot be.
  std::unique_ptr<registry_store> open_registry(const std::string& root, const leadership& by);
  /// A leader's commit, which travels like any request.
  void commit(registry_store& store, std::vector<edit> edits, disk::done then);

  void hear(const internal::WatchFired& fired);
  std::optional<memory_coordination::session_id> session() const { return session_; }
  const process& owner() const { return owner_; }
  void disconnect();

 private:
  using duration = timeline::duration;
  struct pending {
    std::shared_ptr<const google::protobuf::Message> request;
    std::uint64_t number = 0;
  };

  bool is_path_whole() const;
  bool is_of(std::uint64_t life) const { return owner_.alive && owner_.life == life; }
  void stay_in_touch(std::uint64_t life);
  void serve(const pending& asked);
  void tell(std::shared_ptr<const google::protobuf::Message> news);
  void say_lost(const google::protobuf::Message& request);
  void try_again();
  bool notice_expiry();
  duration next(duration& arrives);

  cluster& world_;
  coordination_service& service_;
  process& owner_;
  chance luck_;
  std::optional<memory_coordination::session_id> session_;
  bool connected_ = true;
  std::deque<pending> asked_;
  std::deque<std::shared_ptr<const google::protobuf::Message>> missed_;
  std::uint64_t numbered_ = 0;
  duration there_{0}, back_{0};                                   // nothing arrives before
  std::vector<std::shared_ptr<memory_coordination_line>> lines_;  // of registries
};

}  // namespace troupe::sim
