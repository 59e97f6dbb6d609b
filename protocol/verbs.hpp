#pragma once

#include "protocol/address.hpp"
#include "troupe/internal/allocation.pb.h"
#include "troupe/internal/container.pb.h"
#include "troupe/internal/coordination.pb.h"
#include "troupe/internal/election.pb.h"
#include "troupe/internal/framework.pb.h"
#include "troupe/internal/kill.pb.h"
#include "troupe/internal/liveness.pb.h"
#include "troupe/internal/registration.pb.h"
#include "troupe/internal/run.pb.h"
#include "troupe/internal/runtime.pb.h"
#include "troupe/internal/status.pb.h"
#include "troupe/v1/executor.pb.h"
#include "troupe/v1/scheduler.pb.h"

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe {

namespace scheduler = v1::scheduler;
namespace executor_api = v1::executor;

/// Every message that an actor can hear, with its number on the wire. Numbers are never changed and never used again.
/// X(number, message)
#define TROUPE_VERBS(X)                          \
  /* registration */                             \
  X(1, internal::RegisterAgent)                  \
  X(2, internal::ReregisterAgent)                \
  X(3, internal::AgentRegistered)                \
  X(4, internal::AgentRefused)                   \
  X(5, internal::UnregisterAgent)                \
  /* liveness */                                 \
  X(10, internal::Ping)                          \
  X(11, internal::Pong)                          \
  /* run */                                      \
  X(20, internal::RunTask)                       \
  X(21, internal::FrameworkUpdated)              \
  X(22, internal::ShutdownFramework)             \
  X(23, internal::ShutdownExecutor)              \
  X(24, internal::ExecutorExited)                \
  X(25, internal::SendToExecutor)                \
  X(26, internal::SendToFramework)               \
  /* status */                                   \
  X(30, internal::StatusUpdated)                 \
  X(31, internal::AcknowledgeStatus)             \
  /* kill */                                     \
  X(40, internal::KillTask)                      \
  X(41, internal::ReconcileTasks)                \
  X(42, internal::KillTaskByOperator)            \
  X(43, internal::KillTaskAnswered)              \
  /* a scheduler calls */                        \
  X(60, scheduler::Call::Subscribe)              \
  X(61, scheduler::Call::Accept)                 \
  X(62, scheduler::Call::Decline)                \
  X(63, scheduler::Call::Revive)                 \
  X(64, scheduler::Call::Suppress)               \
  X(65, scheduler::Call::Kill)                   \
  X(66, scheduler::Call::Shutdown)               \
  X(67, scheduler::Call::Acknowledge)            \
  X(68, scheduler::Call::Reconcile)              \
  X(69, scheduler::Call::Message)                \
  X(70, scheduler::Call::UpdateFramework)        \
  X(71, internal::TeardownFramework)             \
  /* a scheduler hears */                        \
  X(80, scheduler::Event::Subscribed)            \
  X(81, scheduler::Event::Offers)                \
  X(82, scheduler::Event::Rescind)               \
  X(83, scheduler::Event::Update)                \
  X(84, scheduler::Event::UpdateOperationStatus) \
  X(85, scheduler::Event::Message)               \
  X(86, scheduler::Event::Failure)               \
  X(87, scheduler::Event::Error)                 \
  /* an executor calls */                        \
  X(100, executor_api::Call::Subscribe)          \
  X(101, executor_api::Call::Update)             \
  X(102, executor_api::Call::Message)            \
  /* an executor hears */                        \
  X(110, executor_api::Event::Subscribed)        \
  X(111, executor_api::Event::Launch)            \
  X(112, executor_api::Event::Kill)              \
  X(113, executor_api::Event::Acknowledged)      \
  X(114, executor_api::Event::Message)           \
  X(115, executor_api::Event::Error)             \
  /* within a process: allocation */             \
  X(200, internal::AllocatorStarted)             \
  X(201, internal::AddAgent)                     \
  X(202, internal::RemoveAgent)                  \
  X(203, internal::SetAgentActive)               \
  X(204, internal::AddFramework)                 \
  X(205, internal::UpdateFramework)              \
  X(206, internal::RemoveFramework)              \
  X(207, internal::SetFrameworkActive)           \
  X(208, internal::SuppressRoles)                \
  X(209, internal::ReviveRoles)                  \
  X(210, internal::SetWeights)                   \
  X(211, internal::ResourcesOffered)             \
  X(212, internal::SettleOffer)                  \
  X(213, internal::ReleaseResources)             \
  X(214, internal::ChargeResources)              \
  /* within a process: containers */             \
  X(230, internal::LaunchContainer)              \
  X(231, internal::ContainerLaunched)            \
  X(232, internal::ContainerLaunchFailed)        \
  X(233, internal::SignalContainer)              \
  X(234, internal::DestroyContainer)             \
  X(235, internal::ContainerExited)              \
  X(236, internal::SpawnExecutor)                \
  X(237, internal::RetireExecutor)               \
  X(238, internal::ReleaseContainer)             \
  X(239, internal::KeepContainers)               \
  /* within a process: the runtime */            \
  X(250, internal::Recovered)                    \
  X(251, internal::TimerFired)                   \
  X(252, internal::PeerConnected)                \
  X(253, internal::PeerDisconnected)             \
  X(254, internal::ProgramEvent)                 \
  /* within a process: coordination */           \
  X(260, internal::OpenSession)                  \
  X(261, internal::SessionEstablished)           \
  X(262, internal::SessionSuspended)             \
  X(263, internal::SessionExpired)               \
  X(264, internal::CreateZnode)                  \
  X(265, internal::ReadZnode)                    \
  X(266, internal::WriteZnode)                   \
  X(267, internal::DeleteZnode)                  \
  X(268, internal::ListChildren)                 \
  X(269, internal::ChangeZnodes)                 \
  X(270, internal::ZnodeCreated)                 \
  X(271, internal::ZnodeFound)                   \
  X(272, internal::ZnodeWritten)                 \
  X(273, internal::ZnodeDeleted)                 \
  X(274, internal::ChildrenListed)               \
  X(275, internal::ZnodesChanged)                \
  X(276, internal::RequestRefused)               \
  X(277, internal::RequestLost)                  \
  X(278, internal::WatchFired)                   \
  /* within a process: election */               \
  X(285, internal::StartedLeading)               \
  X(286, internal::StoppedLeading)               \
  X(287, internal::LeaderChanged)

/// The number of a verb on the wire.
template <class Message>
struct verb_number;

#define TROUPE_VERB_NUMBER(NUMBER, MESSAGE)        \
  template <>                                      \
  struct verb_number<MESSAGE> {                    \
    static constexpr std::uint32_t value = NUMBER; \
  };
TROUPE_VERBS(TROUPE_VERB_NUMBER)
#undef TROUPE_VERB_NUMBER

template <class... Messages>
struct verbs {};

namespace detail {
template <class... Lists>
struct join;
template <class... As>
struct join<verbs<As...>> {
  using type = verbs<As...>;
};
template <class... As, class... Bs, class... Rest>
struct join<verbs<As...>, verbs<Bs...>, Rest...> : join<verbs<As..., Bs...>, Rest...> {};
}  // namespace detail

/// The verbs of all lists, in order. A verb must not stand in two of them.
template <class... Lists>
using join = typename detail::join<Lists...>::type;

// --- who says what to whom
// ---------------------------------------------------------------------------------------------------------------

using runtime_says =
    verbs<internal::Recovered, internal::TimerFired, internal::PeerConnected, internal::PeerDisconnected>;

using agent_says_to_master =
    verbs<internal::RegisterAgent, internal::ReregisterAgent, internal::UnregisterAgent, internal::Pong,
          internal::StatusUpdated, internal::ExecutorExited, internal::SendToFramework>;

using master_says_to_agent =
    verbs<internal::AgentRegistered, internal::AgentRefused, internal::Ping, internal::RunTask, internal::KillTask,
          internal::AcknowledgeStatus, internal::ReconcileTasks, internal::FrameworkUpdated,
          internal::ShutdownFramework, internal::ShutdownExecutor, internal::SendToExecutor>;

using framework_says_to_master =
    verbs<scheduler::Call::Subscribe, scheduler::Call::Accept, scheduler::Call::Decline, scheduler::Call::Revive,
          scheduler::Call::Suppress, scheduler::Call::Kill, scheduler::Call::Shutdown, scheduler::Call::Acknowledge,
          scheduler::Call::Reconcile, scheduler::Call::Message, scheduler::Call::UpdateFramework,
          internal::TeardownFramework>;

using master_says_to_framework =
    verbs<scheduler::Event::Subscribed, scheduler::Event::Offers, scheduler::Event::Rescind, scheduler::Event::Update,
          scheduler::Event::UpdateOperationStatus, scheduler::Event::Message, scheduler::Event::Failure,
          scheduler::Event::Error>;

using operator_says_to_master = verbs<internal::KillTaskByOperator>;
using master_says_to_operator = verbs<internal::KillTaskAnswered>;

using executor_says_to_agent =
    verbs<executor_api::Call::Subscribe, executor_api::Call::Update, executor_api::Call::Message>;

using agent_says_to_executor =
    verbs<executor_api::Event::Subscribed, executor_api::Event::Launch, executor_api::Event::Kill,
          executor_api::Event::Acknowledged, executor_api::Event::Message, executor_api::Event::Error,
          internal::ShutdownExecutor>;

using master_says_to_allocator =
    verbs<internal::AddAgent, internal::RemoveAgent, internal::SetAgentActive, internal::AddFramework,
          internal::UpdateFramework, internal::RemoveFramework, internal::SetFrameworkActive, internal::SuppressRoles,
          internal::ReviveRoles, internal::SetWeights, internal::SettleOffer, internal::ReleaseResources,
          internal::ChargeResources>;

using allocator_says_to_master = verbs<internal::AllocatorStarted, internal::ResourcesOffered>;

using containerizer_hears = verbs<internal::LaunchContainer, internal::SignalContainer, internal::DestroyContainer,
                                  internal::ReleaseContainer, internal::KeepContainers>;
using containerizer_says =
    verbs<internal::ContainerLaunched, internal::ContainerLaunchFailed, internal::ContainerExited>;

using agent_says_to_supervisor = verbs<internal::SpawnExecutor, internal::RetireExecutor>;

using coordinator_hears = verbs<internal::OpenSession, internal::CreateZnode, internal::ReadZnode, internal::WriteZnode,
                                internal::DeleteZnode, internal::ListChildren, internal::ChangeZnodes>;
using coordinator_says =
    verbs<internal::SessionEstablished, internal::SessionSuspended, internal::SessionExpired, internal::ZnodeCreated,
          internal::ZnodeFound, internal::ZnodeWritten, internal::ZnodeDeleted, internal::ChildrenListed,
          internal::ZnodesChanged, internal::RequestRefused, internal::RequestLost, internal::WatchFired>;

using elector_says = verbs<internal::StartedLeading, internal::StoppedLeading, internal::LeaderChanged>;

// --- what each role hears
// ----------------------------------------------------------------------------------------------------------------

using master_hears = join<runtime_says, agent_says_to_master, framework_says_to_master, operator_says_to_master,
                          allocator_says_to_master>;
using allocator_hears = join<runtime_says, master_says_to_allocator>;
using agent_hears =
    join<runtime_says, master_says_to_agent, executor_says_to_agent, containerizer_says, verbs<internal::ProgramEvent>>;
using executor_hears = join<runtime_says, agent_says_to_executor, containerizer_says>;
using framework_hears = join<runtime_says, master_says_to_framework, verbs<internal::ProgramEvent>>;
using custom_executor_hears = join<runtime_says, agent_says_to_executor, verbs<internal::ProgramEvent>>;
using elector_hears = join<runtime_says, coordinator_says>;
using operator_hears = join<runtime_says, master_says_to_operator>;

// --- the same at run time
// ----------------------------------------------------------------------------------------------------------------

struct verb_info {
  std::uint32_t number;
  std::string_view name;  ///< the message's full protobuf name
};

/// All verbs, by rising number.
const std::vector<verb_info>& all_verbs();

/// The full protobuf name of a verb; "unknown" for a number that is nobody's.
std::string_view verb_name(std::uint32_t number);

/// May a peer of role `from` send this verb to an actor of role `to` over a link? Everything else is dropped and
/// counted.
bool may_cross_link(Role from, Role to, std::uint32_t verb);

/// An empty message of the verb; null for an unknown number.
std::unique_ptr<google::protobuf::Message> new_message(std::uint32_t verb);

/// The verb that carries this kind of message; 0 if none does.
std::uint32_t verb_of(const google::protobuf::Message& message);

}  // namespace troupe
