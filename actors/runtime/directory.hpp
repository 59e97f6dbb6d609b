#pragma once

#include "actors/runtime/status_block.hpp"
#include "protocol/interfaces.hpp"

#include <caf/send.hpp>

#include <atomic>
#include <functional>
#include <map>
#include <memory>
#include <shared_mutex>

namespace troupe {

/// Turns addresses into actors: the one place of a process where a letter finds its receiver, near (a shell) or far (a
/// proxy of a link). Thread-safe. Owns the handles it is given; `clear` drops them all, so that the actor system can
/// end.
class directory {
 public:
  using body_ptr = std::shared_ptr<const google::protobuf::Message>;
  using head_ptr = std::shared_ptr<const Envelope>;
  /// Hands over one letter; false if the actor does not hear that verb.
  using endpoint = std::function<bool(const head_ptr&, const body_ptr&, const std::shared_ptr<void>& credit)>;

  explicit directory(status_board& board) : board_(board) {}

  /// Registers an actor that hears `List`. Replaces whoever had the address before.
  template <class List, class Handle>
  void add(const Address& at, const Handle& handle) {
    add_endpoint(at, endpoint_of<List>(handle, board_.of(to_string(at))));
  }

  /// As above, where one actor has several addresses and one status.
  template <class List, class Handle>
  void add(const Address& at, const Handle& handle, std::shared_ptr<status_block> status) {
    add_endpoint(at, endpoint_of<List>(handle, std::move(status)));
  }

  /// What hands letters over to an actor that hears `List`.
  template <class List, class Handle>
  static endpoint endpoint_of(const Handle& handle, std::shared_ptr<status_block> status) {
    return endpoint_of(handle, std::move(status), List{});
  }

  /// Registers something that is no actor (the process's own supervisor, a test's ear).
  void add_endpoint(const Address& at, endpoint deliver);

  void remove(const Address& at);
  bool knows(const Address& at) const;
  void clear();

  /// Delivers, outside any lock, so that an endpoint may add and remove addresses. In order for each pair of calling
  /// thread and receiver. False: nobody there, or not their verb; the letter is dropped and counted.
  bool deliver(const head_ptr& head, const body_ptr& body, const std::shared_ptr<void>& credit = nullptr);

  /// How many letters found nobody.
  std::uint64_t dropped() const { return dropped_.load(); }

 private:
  // Protobuf looks its descriptors up at every call: once a letter and once a type is enough.
  template <class Message, class Handle>
  static bool try_send(const Handle& handle, status_block& status, const google::protobuf::Descriptor* kind,
                       const head_ptr& head, const body_ptr& body, const std::shared_ptr<void>& credit) {
    static const auto* const ours = Message::descriptor();
    if (kind != ours) return false;
    status.sent.fetch_add(1);
    caf::anon_send(handle, said<Message>{head, std::static_pointer_cast<const Message>(body), credit});
    return true;
  }

  template <class Handle, class... Messages>
  static endpoint endpoint_of(const Handle& handle, std::shared_ptr<status_block> status, verbs<Messages...>) {
    return [handle, status](const head_ptr& head, const body_ptr& body, const std::shared_ptr<void>& credit) {
      const auto* kind = body->GetDescriptor();
      return (try_send<Messages>(handle, *status, kind, head, body, credit) || ...);
    };
  }
  status_board& board_;
  mutable std::shared_mutex mutex_;
  std::map<Address, std::shared_ptr<const endpoint>, address_less> endpoints_;
  std::atomic<std::uint64_t> dropped_{0};
};

}  // namespace troupe
