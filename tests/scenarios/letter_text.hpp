#pragma once

#include "protocol/message_text.hpp"

#include <cstdint>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

/// Verbs and messages as people write them in scenarios; protocol/message_text.hpp writes them.
namespace troupe::testing {

/// The verb that a tail of its written name means (Call.Accept, Accept). Throws std::invalid_argument that names those
/// that it could mean, where it is not exactly one.
std::uint32_t verb_written(std::string_view tail);

/// Does one of the leaves fit the word?
///
///     VALUE           a leaf has this value; enums also without REASON_
///     FIELD=VALUE     a leaf whose path ends with FIELD has it; FIELD may have dots, and its last part may be left out
///                     where that is `value`
///     "TEXT"          TEXT stands somewhere in a leaf
///
/// `id_of` gives the ids that a VALUE may also stand for, being the name of a process.
bool fits(const std::string& word, const std::vector<leaf>& leaves,
          const std::function<std::string(const std::string&)>& id_of);

}  // namespace troupe::testing
