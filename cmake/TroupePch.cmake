# The precompiled headers. Only headers that seldom change belong here: each change compiles everything again.
option(TROUPE_PCH "Precompile the headers that everybody uses" ON)

if(TROUPE_PCH)
  set(messages
      <algorithm> <atomic> <chrono> <cstdint> <deque> <functional> <map> <memory> <mutex> <optional> <ostream> <set> <stdexcept>
      <string> <string_view> <tuple> <utility> <variant> <vector>
      <boost/system/result.hpp> <google/protobuf/message.h>
      <troupe/v1/troupe.pb.h> <troupe/v1/scheduler.pb.h> <troupe/v1/executor.pb.h>
      <troupe/internal/allocation.pb.h> <troupe/internal/container.pb.h> <troupe/internal/envelope.pb.h>
      <troupe/internal/framework.pb.h> <troupe/internal/kill.pb.h> <troupe/internal/liveness.pb.h>
      <troupe/internal/records.pb.h> <troupe/internal/registration.pb.h> <troupe/internal/run.pb.h>
      <troupe/internal/runtime.pb.h> <troupe/internal/status.pb.h>)
  set(pch_source ${CMAKE_SOURCE_DIR}/cmake/precompiled.cpp)

  add_library(pch_messages STATIC ${pch_source})
  target_link_libraries(pch_messages PRIVATE proto Boost::system)
  target_precompile_headers(pch_messages PRIVATE ${messages})

  add_library(pch_actors STATIC ${pch_source})
  target_link_libraries(pch_actors PRIVATE proto Boost::system caf_core)
  target_precompile_headers(pch_actors PRIVATE ${messages}
      <caf/actor_system.hpp> <caf/actor_system_config.hpp> <caf/event_based_actor.hpp> <caf/send.hpp> <caf/stateful_actor.hpp>
      <caf/typed_actor.hpp> <caf/typed_event_based_actor.hpp> <caf/typed_response_promise.hpp>)

  add_library(pch_tests STATIC ${pch_source})
  target_link_libraries(pch_tests PRIVATE proto Boost::system)
  target_precompile_headers(pch_tests PRIVATE ${messages} <catch2/catch.hpp>)
  troupe_unoptimized(pch_tests)
endif()
