# Headers that cost seconds to parse are parsed once: `messages` is the generated classes and what everybody uses with them,
# `actors` adds CAF, `tests` adds Catch2 to messages. cmake/TroupePch.cmake makes them.
set(TROUPE_ACTOR_TARGETS runtime journal link_hub shells sdk commands containerizer)

# troupe_precompiled(TARGET KIND): KIND is messages, actors, tests or none.
function(troupe_precompiled target kind)
  if(TROUPE_PCH AND NOT kind STREQUAL none)
    target_precompile_headers(${target} REUSE_FROM pch_${kind})
  endif()
endfunction()

# troupe_library(NAME SOURCES a.cpp … DEPS other …): a static library that is included from the source root.
function(troupe_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${arg_DEPS})
    if(name IN_LIST TROUPE_ACTOR_TARGETS)
      troupe_precompiled(${name} actors)
    else()
      troupe_precompiled(${name} messages)
    endif()
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${arg_DEPS})
  endif()
endfunction()

# troupe_program(NAME SOURCES … DEPS …): an executable, put into build/<preset>/bin.
function(troupe_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
endfunction()

# troupe_test(NAME SOURCES … DEPS … [TIER quick|full] [LABELS …]): a Catch2 program that ctest runs as one test.
function(troupe_test name)
  cmake_parse_arguments(arg "" "TIER" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} catch2_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  troupe_precompiled(${name} tests)
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_TIER)
    set(arg_TIER quick)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_TIER};${arg_LABELS}" TIMEOUT 300)
endfunction()
