#include "tools/replay/replayed_core.hpp"

#include "actors/agent/agent.hpp"
#include "actors/allocator/allocator_core.hpp"
#include "actors/executor/executor.hpp"
#include "actors/master/master.hpp"

#include <utility>

namespace troupe {

namespace {

template <class Core>
class core_box final : public replayed_core {
 public:
  explicit core_box(Core core) : core_(std::move(core)) {}
  outbox on(const Envelope& head, const google::protobuf::Message& body, const context& now) override {
    return core_.on(head, body, now);
  }

 private:
  Core core_;
};

result<void> read(const internal::SavedMessage& saved, google::protobuf::Message& message) {
  if (saved.type() == message.GetTypeName() && message.ParsePartialFromString(saved.bytes())) return {};
  return error{errc::corrupt, "the header's " + (saved.type().empty() ? "options" : saved.type()) +
                                  " cannot be read as " + message.GetTypeName()};
}

template <class Core, class State, class Options>
result<std::unique_ptr<replayed_core>> load(const internal::RecordingHeader& header) {
  State state;
  if (auto done = read(header.state(), state); !done) return done.error();
  Options kept;
  if (auto done = read(header.options(), kept); !done) return done.error();
  using made = decltype(options_from(kept));
  if constexpr (std::is_same_v<made, result<allocator_options>>) {
    auto options = options_from(kept);
    if (!options) return options.error();
    return std::unique_ptr<replayed_core>(new core_box<Core>(Core::load(state, *options)));
  } else {
    return std::unique_ptr<replayed_core>(new core_box<Core>(Core::load(state, options_from(kept))));
  }
}

}  // namespace

result<std::unique_ptr<replayed_core>> core_of(const internal::RecordingHeader& header) {
  const auto& type = header.state().type();
  if (type == internal::MasterState().GetTypeName())
    return load<master, internal::MasterState, internal::MasterOptions>(header);
  if (type == internal::AllocatorState().GetTypeName())
    return load<allocator_core, internal::AllocatorState, internal::AllocatorOptions>(header);
  if (type == internal::AgentState().GetTypeName())
    return load<agent, internal::AgentState, internal::AgentOptions>(header);
  if (type == internal::ExecutorState().GetTypeName())
    return load<executor, internal::ExecutorState, internal::ExecutorOptions>(header);
  return invalid("a recording of " + to_string(header.actor()) + " with a " + (type.empty() ? "nameless state" : type) +
                 " cannot be replayed: this program has the cores of masters, allocators, agents and built-in "
                 "executors");
}

}  // namespace troupe
