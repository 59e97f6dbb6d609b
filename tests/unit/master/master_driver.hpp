#pragma once

#include "actors/master/master.hpp"

#include <map>
#include <optional>
#include <string>
#include <vector>

namespace troupe::testing {

/// A master with its store, and everybody else played by the test. Every step is taken twice, by the master and by
/// load(save(master)); both must decide the same, and the invariants must hold.
class master_driver {
 public:
  explicit master_driver(master_options options = {}, std::string cluster = "c");

  /// One step. What it said is kept until the next one.
  template <class Message>
  void hear(const Address& from, const Message& message) {
    take_step(from, message);
  }
  /// Lets time pass, timer by timer. What all of them said is kept.
  void pass(std::chrono::nanoseconds time);
  /// The master ends and comes up again from its store.
  void restart();
  /// The same for a master that was away for some time.
  void restart_after(std::chrono::nanoseconds time);

  /// The letters of the last step to that address.
  template <class Message>
  std::vector<Message> said(const Address& to) const {
    std::vector<Message> found;
    for (const auto& letter : last_.letters)
      if (letter.verb == verb_number<Message>::value && same(letter.to, to))
        found.push_back(static_cast<const Message&>(*letter.body));
    return found;
  }
  /// The only such letter; fails the test if there is not exactly one.
  template <class Message>
  Message one(const Address& to) const {
    auto found = said<Message>(to);
    fail_unless(found.size() == 1, Message::descriptor()->full_name(), found.size());
    return found.front();
  }
  template <class Message>
  std::size_t count() const {
    std::size_t found = 0;
    for (const auto& letter : last_.letters) found += letter.verb == verb_number<Message>::value ? 1 : 0;
    return found;
  }
  bool silent() const { return last_.letters.empty(); }
  const outbox& last() const { return last_; }
  /// Is there a line of the last step that begins so?
  bool logged(const std::string& beginning) const;

  template <class Record>
  std::optional<Record> stored(const std::string& key) const {
    auto found = store_.find(key);
    Record record;
    if (found == store_.end() || !decode_record(found->second, record)) return std::nullopt;
    return record;
  }
  void store(const std::string& key, const google::protobuf::Message& record) { store_[key] = encode_record(record); }
  void store_bytes(const std::string& key, const std::string& bytes) { store_[key] = bytes; }

  internal::MasterView view() const;
  const master& core() const { return core_; }
  const context& now() const { return now_; }

  // --- what most tests begin with ----------------------------------------------------------------------------------
  /// Registers an agent that writes from agent/<name>; its id.
  agent_id register_agent(const std::string& name,
                          const std::string& resources = "cpus:4;mem:4096;ports:[31000-32000]");
  /// Subscribes a framework that writes from framework/<name>; its id.
  framework_id subscribe(const std::string& name, double failover_timeout = 3600, bool partition_aware = true);
  /// The allocator offers part of an agent; the offer that the framework gets.
  v1::Offer offer(const framework_id& to, const agent_id& on, const std::string& resources = "cpus:2;mem:1024");
  /// Offers, accepts and launches one command task.
  void launch(const std::string& framework_name, const framework_id& by, const agent_id& on, const std::string& task,
              const std::string& resources = "cpus:1;mem:512");
  /// The agent reports a state of a task with this uuid (a short name for 16 bytes).
  void report(const std::string& agent_name, const agent_id& on, const framework_id& of, const std::string& task,
              v1::TaskState state, const std::string& uuid);
  void acknowledge(const std::string& framework_name, const agent_id& on, const std::string& task,
                   const std::string& uuid);
  void lose_link(const Address& peer);

 private:
  void take_step(const Address& from, const google::protobuf::Message& message);
  static void fail_unless(bool holds, const std::string& what, std::size_t count);

  master_options options_;
  std::string cluster_;
  master core_;
  context now_;
  outbox last_;
  std::map<std::string, std::string> store_;
};

// --- addresses and messages ----------------------------------------------------------------------------------------

inline Address agent_at(const std::string& name) {
  return address(internal::AGENT, name);
}
inline Address framework_at(const std::string& name) {
  return address(internal::FRAMEWORK, name);
}
inline Address runtime() {
  return address(internal::RUNTIME, "local");
}

v1::AgentInfo agent_info(const std::string& hostname, const std::string& resources);
v1::FrameworkInfo framework_info(const std::string& name, double failover_timeout = 3600, bool partition_aware = true);
v1::TaskInfo command_task(const std::string& id, const agent_id& on, const std::string& resources);
v1::TaskInfo executor_task(const std::string& id, const agent_id& on, const std::string& resources,
                           const std::string& executor, const std::string& executor_resources);
v1::Offer::Operation launching(const std::vector<v1::TaskInfo>& tasks);
scheduler::Call::Accept accepting(const std::vector<v1::Offer>& offers,
                                  const std::vector<v1::Offer::Operation>& operations);
internal::ResourcesOffered offered(const framework_id& to, const agent_id& on, const std::string& resources,
                                   const std::string& role = "*");
/// What the agent sends when it comes back.
internal::ReregisterAgent reregistration(const agent_id& id, const std::string& name,
                                         const std::string& resources = "cpus:4;mem:4096;ports:[31000-32000]");
/// A task as an agent lists it.
v1::Task listed(const framework_id& of, const std::string& id, v1::TaskState state,
                const std::string& resources = "cpus:1;mem:512");
/// 16 bytes that begin so.
std::string uuid(const std::string& name);
resources parsed(const resources::proto_list& list);
resources text(const std::string& text);

}  // namespace troupe::testing
