# Headers that cost seconds to parse are parsed once: `messages` is the generated classes and what everybody uses with them,
# `actors` adds CAF, `tests` adds Catch2 to messages. cmake/TroupePch.cmake makes them.
set(TROUPE_ACTOR_TARGETS runtime journal link_hub shells sdk commands containerizer emulator)

# troupe_precompiled(TARGET KIND): KIND is messages, actors, tests or none.
function(troupe_precompiled target kind)
  if(TROUPE_PCH AND NOT kind STREQUAL none)
    target_precompile_headers(${target} REUSE_FROM pch_${kind})
  endif()
endfunction()

# A clean build compiles several files as one: the headers they share are parsed once (docs/decisions/0002-build-cache.md).
# `dev` compiles each file alone, which also shows that each includes what it uses: its preset says so.
option(TROUPE_UNITY "Compile several files of a target as one" ON)

# troupe_joined(TARGET KIND)
function(troupe_joined target kind)
  if(TROUPE_UNITY)
    set(batch 8)
    if(kind STREQUAL actors)
      set(batch 4)
    endif()
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE ${batch})
    # The warning is about headers, and takes a joined source for one.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# troupe_unoptimized(TARGET): tests are compiled more often than they are run; what they test keeps its optimization.
function(troupe_unoptimized target)
  target_compile_options(${target} PRIVATE -O0)
endfunction()

# troupe_library(NAME SOURCES a.cpp … DEPS other …): a static library that is included from the source root.
function(troupe_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  if(arg_SOURCES)
    add_library(${name} STATIC ${arg_SOURCES})
    target_include_directories(${name} PUBLIC ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} PUBLIC ${arg_DEPS})
    set(kind messages)
    if(name IN_LIST TROUPE_ACTOR_TARGETS)
      set(kind actors)
    endif()
    troupe_precompiled(${name} ${kind})
    troupe_joined(${name} ${kind})
  else()
    add_library(${name} INTERFACE)
    target_include_directories(${name} INTERFACE ${CMAKE_SOURCE_DIR})
    target_link_libraries(${name} INTERFACE ${arg_DEPS})
  endif()
endfunction()

# Letters are made by one thread and freed by another, which glibc's arenas answer with locks and consolidation: jemalloc takes a
# quarter off the processor time of links and launches (scripts/bench). A sanitizer brings an allocator of its own.
function(troupe_allocator target)
  if(NOT TROUPE_SANITIZE)
    target_link_libraries(${target} PRIVATE ${JEMALLOC_LIBRARY})
  endif()
endfunction()

# troupe_program(NAME SOURCES … DEPS …): an executable, put into build/<preset>/bin.
function(troupe_program name)
  cmake_parse_arguments(arg "" "" "SOURCES;DEPS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_DEPS})
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  troupe_allocator(${name})
endfunction()

# troupe_framework(NAME SOURCES …): a framework that is one program, NAME, and one shared object that `troupe sim` tries, NAME.so
# (frameworks/sdk/simulated.hpp). The shared object links with nothing of ours: what it needs it finds in the program that loads it.
function(troupe_framework name)
  cmake_parse_arguments(arg "" "" "SOURCES" ${ARGN})
  troupe_program(${name} SOURCES ${arg_SOURCES} DEPS sdk)
  troupe_simulated(${name}_simulated NAME ${name} SOURCES ${arg_SOURCES})
endfunction()

# troupe_simulated(TARGET NAME name SOURCES … [DEFINITIONS …]): the shared object alone.
function(troupe_simulated target)
  cmake_parse_arguments(arg "" "NAME" "SOURCES;DEFINITIONS" ${ARGN})
  add_library(${target} MODULE ${arg_SOURCES})
  target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR})
  target_include_directories(${target} SYSTEM PRIVATE $<TARGET_PROPERTY:proto,INTERFACE_INCLUDE_DIRECTORIES>)
  target_compile_definitions(${target} PRIVATE ${arg_DEFINITIONS})
  target_link_libraries(${target} PRIVATE protobuf::libprotobuf)
  set_target_properties(${target} PROPERTIES PREFIX "" OUTPUT_NAME ${arg_NAME} LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
  add_dependencies(${target} proto)
endfunction()

# troupe_test(NAME SOURCES … DEPS … [TIER quick|full] [LABELS …]): a Catch2 program that ctest runs as one test.
function(troupe_test name)
  cmake_parse_arguments(arg "" "TIER" "SOURCES;DEPS;LABELS" ${ARGN})
  add_executable(${name} ${arg_SOURCES})
  target_include_directories(${name} PRIVATE ${CMAKE_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE ${arg_DEPS} catch2_main)
  set_target_properties(${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  troupe_precompiled(${name} tests)
  troupe_unoptimized(${name})
  add_test(NAME ${name} COMMAND ${name})
  if(NOT arg_TIER)
    set(arg_TIER quick)
  endif()
  set_tests_properties(${name} PROPERTIES LABELS "${arg_TIER};${arg_LABELS}" TIMEOUT 300)
  if(TROUPE_SANITIZE MATCHES thread)
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "TSAN_OPTIONS=suppressions=${CMAKE_SOURCE_DIR}/tests/tsan.supp")
  endif()
  add_dependencies(catch2_tests ${name})
  if("threaded" IN_LIST arg_LABELS)
    add_dependencies(threaded_tests ${name})
  endif()
endfunction()
