#pragma once

#include "actors/gateway/build_facts.hpp"
#include "tools/release.hpp"

namespace troupe {

/// Of the program at hand. Its source is written at each build of another commit (cmake/TroupeBuildFacts.cmake).
build_facts this_build();

}  // namespace troupe
