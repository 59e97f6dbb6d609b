#pragma once

#include "troupe/internal/envelope.pb.h"

#include <string>
#include <string_view>
#include <tuple>
#include <utility>

namespace troupe {

using internal::Address;
using internal::Envelope;
using internal::Role;

inline Address address(Role role, std::string id) {
  Address a;
  a.set_role(role);
  a.set_id(std::move(id));
  return a;
}

/// The leading master, as everybody else writes to it.
inline Address leader() {
  return address(internal::MASTER, "leader");
}

/// The allocator beside the leading master.
inline Address allocator() {
  return address(internal::ALLOCATOR, "leader");
}

/// This process's line to the coordination service.
inline Address coordinator() {
  return address(internal::COORDINATOR, "local");
}

/// `role/id`, in lower case, as logs and tools print it.
std::string to_string(const Address& a);

/// The role in lower case: "master", "agent", …
std::string_view role_name(Role role);

/// Orders addresses, for maps that are visited in a fixed order.
struct address_less {
  bool operator()(const Address& a, const Address& b) const {
    return std::make_tuple(static_cast<int>(a.role()), std::string_view(a.id())) <
           std::make_tuple(static_cast<int>(b.role()), std::string_view(b.id()));
  }
};

inline bool same(const Address& a, const Address& b) {
  return a.role() == b.role() && a.id() == b.id();
}

}  // namespace troupe
