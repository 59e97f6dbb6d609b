#include "protocol/error.hpp"

#include <stdexcept>

namespace troupe {

const char* to_string(errc code) {
  switch (code) {
    case errc::invalid_argument:
      return "invalid_argument";
    case errc::not_found:
      return "not_found";
    case errc::conflict:
      return "conflict";
    case errc::unavailable:
      return "unavailable";
    case errc::exhausted:
      return "exhausted";
    case errc::corrupt:
      return "corrupt";
    case errc::io:
      return "io";
    case errc::internal:
      return "internal";
    case errc::outcome_unknown:
      return "outcome_unknown";
  }
  return "unknown";
}

std::ostream& operator<<(std::ostream& out, const error& e) {
  return out << to_string(e.code) << ": " << e.message;
}

void throw_exception_from_error(const error& e, const boost::source_location&) {
  throw std::runtime_error(e.message);
}

}  // namespace troupe
