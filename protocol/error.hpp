#pragma once

#include <boost/system/result.hpp>

#include <ostream>
#include <string>
#include <utility>

namespace troupe {

/// What kind of thing went wrong. Callers branch on this; people read the message.
enum class errc {
  invalid_argument,  ///< the input can never be right: name the field and what would be valid
  not_found,
  conflict,         ///< right in itself, but not now: the state does not allow it
  unavailable,      ///< may work later: peer gone, not leader, still recovering
  exhausted,        ///< a limit was reached: disk, descriptors, queue
  corrupt,          ///< stored or received bytes that are not what they claim to be
  io,               ///< the operating system said no; the message carries its words
  internal,         ///< a bug of ours
  outcome_unknown,  ///< it was asked for and not answered: it may have been done, or not
};

const char* to_string(errc code);

/// An expected failure, as a value. `message` is a full sentence for a person, naming the field or object and,
/// for invalid_argument, what would be valid.
struct error {
  errc code = errc::internal;
  std::string message;
};

std::ostream& operator<<(std::ostream& out, const error& e);

/// Either a value or an error. `[[nodiscard]]` by Boost's class.
template <class T>
using result = boost::system::result<T, error>;

inline error invalid(std::string message) {
  return {errc::invalid_argument, std::move(message)};
}

/// boost::system::result's customisation point: what value() throws when there is none.
[[noreturn]] void throw_exception_from_error(const error& e, const boost::source_location& where);

}  // namespace troupe
