# Compiler, linker and cache settings that every target shares.
set(TROUPE_SANITIZE "" CACHE STRING "Sanitizers, as in -fsanitize=")

add_compile_options(
  -Wall -Wextra -Wpedantic -Werror
  "$<$<COMPILE_LANGUAGE:CXX>:-Wnon-virtual-dtor;-Woverloaded-virtual;-Wold-style-cast>"
  # The public API has deprecated fields that must be served all the same.
  -Wno-deprecated-declarations
  # Decisions are integers, but where a double does appear both machines round alike.
  -ffp-contract=off
  # Paths in the output are relative to the clone, so that another clone hits the same cache entries.
  "-ffile-prefix-map=${CMAKE_SOURCE_DIR}=."
  "-ffile-prefix-map=${CMAKE_BINARY_DIR}=build")

if(TROUPE_SANITIZE)
  add_compile_options(-fsanitize=${TROUPE_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  if(TROUPE_SANITIZE MATCHES undefined)
    # CAF binds a reference to what a null pointer points to when it starts a function without arguments, and never uses
    # it. A null pointer that is used is reported all the same, as an invalid address.
    add_compile_options(-fno-sanitize=null)
  endif()
  if(TROUPE_SANITIZE MATCHES thread)
    # The thread sanitizer does not know fences; Asio's other way to the same order it does.
    add_compile_definitions(BOOST_ASIO_DISABLE_FENCED_BLOCK)
  endif()
  # With instrumentation GCC cannot see any more which alternative of a std::variant is alive, and warns of moves from the others.
  add_compile_options($<$<CXX_COMPILER_ID:GNU>:-Wno-maybe-uninitialized>)
  add_link_options(-fsanitize=${TROUPE_SANITIZE})
endif()

# Historic bugs, compiled into the cores for a tester to switch on: docs/mutants.md. Never in what users run.
option(TROUPE_MUTANTS "Compile the switchable mutants in" OFF)
if(TROUPE_MUTANTS)
  add_compile_definitions(TROUPE_MUTANTS)
endif()

find_program(TROUPE_MOLD mold)
find_program(TROUPE_LLD ld.lld)
if(TROUPE_MOLD)
  add_link_options(-fuse-ld=mold)
elseif(TROUPE_LLD)
  add_link_options(-fuse-ld=lld)
endif()

find_program(TROUPE_CCACHE ccache)
if(TROUPE_CCACHE)
  # A precompiled header counts as its content, and time macros are not used.
  set(launcher ${CMAKE_COMMAND} -E env
    CCACHE_BASEDIR=${CMAKE_SOURCE_DIR} CCACHE_NOHASHDIR=1 CCACHE_DEPEND=1 CCACHE_SLOPPINESS=pch_defines,time_macros CCACHE_INODECACHE=1
    ${TROUPE_CCACHE})
  set(CMAKE_C_COMPILER_LAUNCHER ${launcher})
  set(CMAKE_CXX_COMPILER_LAUNCHER ${launcher})
endif()
