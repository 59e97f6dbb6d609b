#pragma once

#include "protocol/error.hpp"
#include "protocol/resource_entry.hpp"

namespace troupe {

/// Reads one message, in the old form (`role`, `reservation`) or the stack form (`reservations`), and checks all that a
/// resource must satisfy by itself. The error names the resource, the field and what would be valid.
result<resource_entry> entry_from(const v1::Resource& message);

/// Is the stack one that resources can carry: roles valid and not `*`, types set, all but the first DYNAMIC, each role
/// strictly below the one before?
result<void> validate_reservations(const std::vector<resource_kind::reservation>& stack);

/// The same resource for a framework without RESERVATION_REFINEMENT (`role` and `reservation`). Principal and labels of
/// a static reservation do not exist in that form. A refined reservation is an error.
result<v1::Resource> to_pre_refinement_form(v1::Resource stack_form);

}  // namespace troupe
