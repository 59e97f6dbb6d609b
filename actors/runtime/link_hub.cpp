#include "actors/runtime/link_hub.hpp"

#include "actors/runtime/link_proxy.hpp"
#include "actors/runtime/net/message_budget.hpp"

#include <caf/send.hpp>

#include <atomic>
#include <chrono>
#include <functional>
#include <map>
#include <mutex>
#include <shared_mutex>
#include <unordered_map>

namespace troupe {

namespace {

// Payloads nest as specs of tasks do, some ten levels; hostile ones as deep as their bytes allow.
constexpr int payload_depth_max = 64;

// Letters that wait in the mailboxes of all proxies together: a gigabyte or so of status updates.
constexpr std::uint64_t letters_max = 1u << 19;
constexpr std::uint64_t letters_always = 4096, letters_between_checks = 1024;

using to_master = join<agent_says_to_master, framework_says_to_master, operator_says_to_master>;
using to_agent = join<master_says_to_agent, executor_says_to_agent>;

/// One link and the proxy that speaks through it.
struct peer_entry : std::enable_shared_from_this<peer_entry> {
  std::shared_ptr<link> connection;
  Address at;
  caf::actor proxy;  ///< type-erased: only to end it
  std::shared_ptr<status_block> status;
  std::atomic<bool> overrun{false};  ///< too many letters waited for the proxy

  // Held while a letter of this peer is delivered, and to end that for good.
  std::mutex gate;
  bool live = true;
};

}  // namespace

struct link_hub::state : std::enable_shared_from_this<state> {
  state(caf::actor_system& system, directory& names, status_board& board, Address local,
        std::shared_ptr<link_counters> counters)
      : system(system), names(names), board(board), local(std::move(local)), counters(std::move(counters)) {}

  // --- up and down

  void on_up(const std::shared_ptr<link>& connection) {
    auto entry = std::make_shared<peer_entry>();
    entry->connection = connection;
    entry->at = connection->peer().address();
    std::shared_ptr<peer_entry> replaced;
    {
      std::unique_lock<std::shared_mutex> lock(mutex);
      if (stopped || !add_proxy(*entry)) {
        lock.unlock();
        return connection->close("a " + std::string(role_name(local.role())) + " has nothing to say to a " +
                                 std::string(role_name(entry->at.role())));
      }
      auto& at = by_address[entry->at];
      replaced = std::exchange(at, entry);
      by_link[connection.get()] = entry;
      if (replaced) retire(*replaced, "replaced");
      tell_connected(connection->peer());
    }
    if (replaced) {
      counters->closed_replaced.fetch_add(1);
      replaced->connection->close("replaced");
    }
  }

  void on_down(const std::shared_ptr<link>& connection, const std::string& reason) {
    std::unique_lock<std::shared_mutex> lock(mutex);
    auto it = by_link.find(connection.get());
    if (it == by_link.end()) return;
    auto entry = std::move(it->second);
    by_link.erase(it);
    auto at = by_address.find(entry->at);
    if (at == by_address.end() || at->second != entry) return;
    by_address.erase(at);
    names.remove(entry->at);
    if (entry->at.role() == internal::MASTER) names.remove(leader());
    retire(*entry, reason);
    board.forget(to_string(entry->at));
  }

  /// Ends what a peer can say and tells the local actor; the directory is the caller's.
  void retire(peer_entry& entry, const std::string& reason) {
    {
      std::lock_guard<std::mutex> gate(entry.gate);
      entry.live = false;
    }
    caf::anon_send_exit(entry.proxy, caf::exit_reason::user_shutdown);
    internal::PeerDisconnected gone;
    *gone.mutable_peer() = entry.at;
    gone.set_reason(reason);
    tell(std::move(gone));
  }

  void tell_connected(const link_identity& peer) {
    internal::PeerConnected here;
    *here.mutable_peer() = peer.address();
    here.set_incarnation(peer.incarnation);
    here.set_software(peer.software);
    tell(std::move(here));
  }

  template <class Message>
  void tell(Message message) {
    auto head = std::make_shared<Envelope>();
    *head->mutable_from() = address(internal::RUNTIME, "links");
    *head->mutable_to() = local;
    head->set_verb(verb_number<Message>::value);
    head->set_sent_at_ns(
        std::chrono::duration_cast<std::chrono::nanoseconds>(std::chrono::system_clock::now().time_since_epoch())
            .count());
    names.deliver(head, std::make_shared<const Message>(std::move(message)));
  }

  // --- outbound

  template <class List>
  bool add_proxy_of(peer_entry& entry) {
    const auto name = to_string(entry.at);
    // Afresh: what an earlier proxy of this address left unsent is not this one's.
    board.forget(name);
    auto status = board.of(name);
    status->incarnation.store(entry.connection->peer().incarnation);
    auto handle = system.spawn(proxy<List>, proxy_tools{entry.connection, status});
    entry.proxy = caf::actor_cast<caf::actor>(handle);
    entry.status = status;
    status->fails_by([at = entry.proxy.address()] { caf::anon_send_exit(at, caf::exit_reason::unhandled_exception); });
    // Without it the peer would hear nothing more: both ends begin afresh instead.
    entry.proxy->attach_functor([connection = entry.connection](const caf::error& reason) {
      if (reason != caf::exit_reason::user_shutdown) connection->close("its proxy has failed");
    });
    auto deliver = bounded(entry.shared_from_this(), directory::endpoint_of<List>(handle, status));
    if (entry.at.role() == internal::MASTER) names.add_endpoint(leader(), deliver);
    names.add_endpoint(entry.at, std::move(deliver));
    return true;
  }

  /// A mailbox has no bound of its own: whoever asks for more answers than it takes would fill the memory with them.
  directory::endpoint bounded(std::shared_ptr<peer_entry> entry, directory::endpoint deliver) {
    return [weak = weak_from_this(), entry = std::move(entry), deliver = std::move(deliver)](
               const directory::head_ptr& head, const directory::body_ptr& body, const std::shared_ptr<void>& credit) {
      if (entry->overrun.load(std::memory_order_relaxed)) return false;
      const auto depth = entry->status->depth();
      if (depth >= letters_always && depth % letters_between_checks == 0) {
        const auto hub = weak.lock();
        if (hub && depth > hub->letters_left()) {
          entry->overrun.store(true);
          entry->connection->abandon("slow reader");
          return false;
        }
      }
      if (!deliver(head, body, credit)) return false;
      entry->connection->announce();
      return true;
    };
  }

  /// Of those that may wait for all proxies together; each may have as many as nobody has.
  std::uint64_t letters_left() const {
    std::shared_lock<std::shared_mutex> lock(mutex);
    std::uint64_t waiting = 0;
    for (const auto& [at, entry] : by_address) waiting += entry->status ? entry->status->depth() : 0;
    return waiting < letters_max ? letters_max - waiting : 0;
  }

  /// False: our role and the peer's do not talk.
  bool add_proxy(peer_entry& entry) {
    const auto role = entry.at.role();
    if (!hears_us(role)) return false;
    switch (role) {
      case internal::MASTER:
        return add_proxy_of<to_master>(entry);
      case internal::AGENT:
        return add_proxy_of<to_agent>(entry);
      case internal::EXECUTOR:
        return add_proxy_of<agent_says_to_executor>(entry);
      case internal::FRAMEWORK:
        return add_proxy_of<master_says_to_framework>(entry);
      case internal::OPERATOR:
        return add_proxy_of<master_says_to_operator>(entry);
      case internal::ALLOCATOR:
      case internal::CONTAINERIZER:
      case internal::SUPERVISOR:
      case internal::RUNTIME:
      case internal::COORDINATOR:
      case internal::ELECTOR:
      case internal::NOBODY:
        return false;
    }
    return false;
  }

  bool hears_us(Role peer) const {
    for (const auto& verb : all_verbs()) {
      if (may_cross_link(local.role(), peer, verb.number)) return true;
    }
    return false;
  }

  // --- inbound

  void on_envelope(const std::shared_ptr<link>& connection, Envelope&& envelope, const std::shared_ptr<void>& credit) {
    std::shared_ptr<peer_entry> entry;
    {
      std::shared_lock<std::shared_mutex> lock(mutex);
      auto it = by_link.find(connection.get());
      if (it != by_link.end()) entry = it->second;
    }
    if (!entry) return drop(counters->dropped_late);
    if (!may_cross_link(entry->at.role(), envelope.to().role(), envelope.verb())) {
      return drop(verb_name(envelope.verb()) == "unknown" ? counters->dropped_unknown_verb
                                                          : counters->dropped_not_allowed);
    }
    if (!speaks_for_itself(*entry, envelope)) return drop(counters->dropped_spoofed);
    std::shared_ptr<google::protobuf::Message> body = new_message(envelope.verb());
    if (!parse_within_budget(envelope.payload(), *body, payload_depth_max)) return drop(counters->dropped_malformed);
    envelope.clear_payload();
    auto head = std::make_shared<const Envelope>(std::move(envelope));
    std::lock_guard<std::mutex> gate(entry->gate);
    if (!entry->live) return drop(counters->dropped_late);
    if (!names.deliver(head, body, credit)) drop(counters->dropped_undeliverable);
  }

  /// Fills in the sender where it is left out.
  static bool speaks_for_itself(const peer_entry& entry, Envelope& envelope) {
    if (!envelope.has_from()) {
      *envelope.mutable_from() = entry.at;
      return true;
    }
    return same(envelope.from(), entry.at) || (entry.at.role() == internal::MASTER && same(envelope.from(), leader()));
  }

  static void drop(link_counters::count& cause) { cause.fetch_add(1); }

  // --- the end

  void stop() {
    std::vector<std::shared_ptr<peer_entry>> all;
    {
      std::unique_lock<std::shared_mutex> lock(mutex);
      stopped = true;
      for (const auto& [at, entry] : by_address) {
        names.remove(at);
        if (at.role() == internal::MASTER) names.remove(leader());
        retire(*entry, "shutting down");
        all.push_back(entry);
      }
      by_address.clear();
      by_link.clear();
    }
    for (const auto& entry : all) entry->connection->close("shutting down");
  }

  caf::actor_system& system;
  directory& names;
  status_board& board;
  const Address local;
  const std::shared_ptr<link_counters> counters;

  // Letters to the local actor are sent with it held: that is what keeps a peer's coming and going in order.
  mutable std::shared_mutex mutex;
  std::map<Address, std::shared_ptr<peer_entry>, address_less> by_address;
  std::unordered_map<const link*, std::shared_ptr<peer_entry>> by_link;  ///< replaced ones too, until they are down
  bool stopped = false;
};

link_hub::link_hub(caf::actor_system& system, directory& names, status_board& board, Address local,
                   std::shared_ptr<link_counters> counters)
    : state_(std::make_shared<state>(system, names, board, std::move(local), std::move(counters))) {}

link_hub::~link_hub() {
  stop();
}

link_events link_hub::events() {
  // Weak: after the hub is gone its links have nobody to tell.
  std::weak_ptr<state> weak = state_;
  link_events events;
  events.up = [weak](const std::shared_ptr<link>& connection) {
    if (auto s = weak.lock()) return s->on_up(connection);
    connection->close("shutting down");
  };
  events.envelope = [weak](const std::shared_ptr<link>& connection, Envelope&& envelope,
                           const std::shared_ptr<void>& credit) {
    if (auto s = weak.lock()) s->on_envelope(connection, std::move(envelope), credit);
  };
  events.down = [weak](const std::shared_ptr<link>& connection, const std::string& reason) {
    if (auto s = weak.lock()) s->on_down(connection, reason);
  };
  return events;
}

void link_hub::announce_peers() {
  std::unique_lock<std::shared_mutex> lock(state_->mutex);
  for (const auto& [at, entry] : state_->by_address) state_->tell_connected(entry->connection->peer());
}

std::vector<link_identity> link_hub::peers() const {
  std::shared_lock<std::shared_mutex> lock(state_->mutex);
  std::vector<link_identity> all;
  for (const auto& [at, entry] : state_->by_address) all.push_back(entry->connection->peer());
  return all;
}

void link_hub::close_peer(const Address& peer, const std::string& reason) {
  std::shared_ptr<link> connection;
  {
    std::shared_lock<std::shared_mutex> lock(state_->mutex);
    auto it = state_->by_address.find(peer);
    if (it != state_->by_address.end()) connection = it->second->connection;
  }
  if (connection) connection->close(reason);
}

void link_hub::stop() {
  state_->stop();
}

}  // namespace troupe
