#pragma once

#include "protocol/error.hpp"
#include "troupe/v1/scheduler.pb.h"

#include <string>
#include <string_view>

/// What a framework may say about itself. Each error is a sentence that names the field and what would be valid.
namespace troupe {

using role_list = google::protobuf::RepeatedPtrField<std::string>;

/// Everything about a description that can be judged alone.
result<void> validate_framework(const v1::FrameworkInfo& info);

/// Do all of the roles stand among the framework's own?
result<void> validate_subset(const role_list& roles, const v1::FrameworkInfo& info, std::string_view field);

/// Constraints are refused rather than ignored: the allocator of this release does not evaluate them.
result<void> validate_constraints(const v1::scheduler::OfferConstraints& constraints);

}  // namespace troupe
