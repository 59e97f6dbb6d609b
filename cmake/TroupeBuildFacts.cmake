# What /version tells of the build, written into OUT: cmake -D SOURCE=… -D OUT=… -P TroupeBuildFacts.cmake. Run at each
# build; OUT changes only when the commit, branch, tag or user does, so that nothing is compiled for the time alone. The
# time is SOURCE_DATE_EPOCH where that is set.
function(git_says variable)
  execute_process(COMMAND git -C ${SOURCE} ${ARGN} OUTPUT_VARIABLE said ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE code)
  if(NOT code STREQUAL "0" OR NOT said MATCHES "^[A-Za-z0-9_./+@-]+$")
    set(said "")
  endif()
  set(${variable} "${said}" PARENT_SCOPE)
endfunction()

git_says(top rev-parse --show-toplevel)
set(sha "")
set(branch "")
set(tag "")
if(top STREQUAL "${SOURCE}")  # not a release's archive within somebody else's repository
  git_says(sha rev-parse HEAD)
  git_says(branch symbolic-ref --short -q HEAD)
  git_says(tag describe --exact-match --tags HEAD)
endif()
execute_process(COMMAND id -un OUTPUT_VARIABLE user ERROR_QUIET OUTPUT_STRIP_TRAILING_WHITESPACE)
if(NOT user MATCHES "^[A-Za-z0-9_.-]+$")
  set(user "")
endif()

set(known "// ${sha} ${branch} ${tag} ${user} $ENV{SOURCE_DATE_EPOCH}\n")
if(EXISTS ${OUT})
  file(STRINGS ${OUT} first LIMIT_COUNT 1)
  if("${first}\n" STREQUAL known)
    return()
  endif()
endif()
string(TIMESTAMP seconds "%s" UTC)  # both of SOURCE_DATE_EPOCH, if it is set
string(TIMESTAMP date "%Y-%m-%d %H:%M:%S" UTC)
file(WRITE ${OUT} "${known}#include \"tools/this_build.hpp\"

namespace troupe {

build_facts this_build() {
  return {release_version, \"${date}\", ${seconds}, \"${user}\", \"${sha}\", \"${branch}\", \"${tag}\"};
}

}  // namespace troupe
")
