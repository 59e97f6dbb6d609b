#pragma once

#include "actors/runtime/step.hpp"

#include <cstdint>
#include <functional>
#include <memory>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>

namespace troupe::sim {

/// A production core behind one interface, whatever its type, that is doubted at every step: a copy is made of its
/// serialised state, both hear the event, both must decide the same to the last byte and end in the same state, and
/// both must keep their invariants. From then on the copy is the core.
///
/// All of this throws std::logic_error. How often it is done is the maker's to say.
struct machine_checks {
  unsigned doubt_every = 1;  ///< steps; 0: never
  unsigned check_every = 1;  ///< steps from one look at the invariants to the next; 0: none
};

class machine {
 public:
  virtual ~machine() = default;
  virtual void remember(std::string_view key, std::string_view record) = 0;
  virtual outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now) = 0;
  virtual std::shared_ptr<const google::protobuf::Message> look() const = 0;
  virtual std::uint64_t epoch() const = 0;
  /// The whole state; null where a core has none that a recording could begin with.
  virtual std::unique_ptr<google::protobuf::Message> saved() const { return nullptr; }
  /// What the core was made with, for a recording; null where nothing of it decides.
  virtual const google::protobuf::Message* made_with() const { return nullptr; }
};

/// A message as bytes, always the same ones.
std::string bytes_of(const google::protobuf::Message& message);
/// Everything in an outbox, as bytes.
std::string bytes_of(const outbox& out);

namespace detail {
template <class Core, class = void>
struct told_epoch {
  static std::uint64_t of(const Core&) { return 0; }
};
template <class Core>
struct told_epoch<Core, std::void_t<decltype(std::declval<const Core&>().epoch())>> {
  static std::uint64_t of(const Core& core) { return core.epoch(); }
};
template <class Options, class = void>
struct made_of {
  static std::shared_ptr<const google::protobuf::Message> message(const Options&) { return nullptr; }
};
template <class Options>
struct made_of<Options, std::void_t<decltype(options_message(std::declval<const Options&>()))>> {
  static std::shared_ptr<const google::protobuf::Message> message(const Options& options) {
    auto said = options_message(options);
    return std::make_shared<const decltype(said)>(std::move(said));
  }
};
}  // namespace detail

template <class Core>
class core_machine final : public machine {
 public:
  using state = decltype(std::declval<const Core&>().save());
  using maker = std::function<std::unique_ptr<Core>()>;
  using loader = std::function<std::unique_ptr<Core>(const state&)>;

  core_machine(const maker& make, loader load, machine_checks checks = {},
               std::shared_ptr<const google::protobuf::Message> made_with = nullptr)
      : load_(std::move(load)), core_(make()), checks_(checks), made_with_(std::move(made_with)) {}

  void remember(std::string_view key, std::string_view record) override { core_->remember(key, record); }

  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now) override {
    ++steps_;
    if (checks_.doubt_every == 0 || steps_ % checks_.doubt_every != 0) {
      auto decided = core_->on(head, body, now);
      if (checks_.check_every != 0 && steps_ % checks_.check_every == 0) core_->check_invariants();
      return decided;
    }
    auto twin = copy();
    auto out = core_->on(head, body, now);
    const auto again = twin->on(head, body, now);
    const auto verb = std::string(verb_name(head.verb()));
    if (bytes_of(out) != bytes_of(again)) throw std::logic_error("load(save()) answers " + verb + " differently");
    if (bytes_of(core_->save()) != bytes_of(twin->save()))
      throw std::logic_error("load(save()) is in another state after " + verb);
    core_->check_invariants();
    twin->check_invariants();
    core_ = std::move(twin);
    return out;
  }

  std::shared_ptr<const google::protobuf::Message> look() const override { return core_->look(""); }
  std::uint64_t epoch() const override { return detail::told_epoch<Core>::of(*core_); }
  std::unique_ptr<google::protobuf::Message> saved() const override { return std::make_unique<state>(core_->save()); }
  const google::protobuf::Message* made_with() const override { return made_with_.get(); }

 private:
  std::unique_ptr<Core> copy() const {
    state read;
    if (!read.ParseFromString(bytes_of(core_->save()))) throw std::logic_error("saved state cannot be read");
    return load_(read);
  }

  loader load_;
  std::unique_ptr<Core> core_;
  machine_checks checks_;
  std::uint64_t steps_ = 0;
  std::shared_ptr<const google::protobuf::Message> made_with_;
};

/// For cores with `static Core load(const state&, options)`.
template <class Core, class Options>
std::unique_ptr<machine> machine_of(const Options& options, machine_checks checks) {
  return std::make_unique<core_machine<Core>>(
      [options] { return std::make_unique<Core>(options); },
      [options](const auto& state) { return std::make_unique<Core>(Core::load(state, options)); }, checks,
      detail::made_of<Options>::message(options));
}

/// For the SDK's cores, which load in place around one logic. One that is doubted must hold no state of its own.
template <class Core, class Logic, class Options>
std::unique_ptr<machine> machine_around(const std::shared_ptr<Logic>& logic, const Options& options,
                                        machine_checks checks = {}) {
  return std::make_unique<core_machine<Core>>([logic, options] { return std::make_unique<Core>(logic, options); },
                                              [logic, options](const auto& state) {
                                                auto core = std::make_unique<Core>(logic, options);
                                                core->load(state);
                                                return core;
                                              },
                                              checks);
}

}  // namespace troupe::sim
