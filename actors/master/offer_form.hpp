#pragma once

#include "protocol/resources.hpp"
#include "troupe/v1/troupe.pb.h"

#include <string>

/// The forms in which offers and answers to them are written.
namespace troupe {

/// Resources as this framework reads them: without MULTI_ROLE no allocation role, without RESERVATION_REFINEMENT the
/// old form of reservations (`role` and `reservation`), and never `ephemeral_ports`.
resources::proto_list as_offered_to(const v1::FrameworkInfo& framework, const resources& what);

/// Fills the role in where an entry of an answer names none.
void tag_missing(resources::proto_list* list, const std::string& role);

/// Where the agent's HTTP endpoints are.
v1::URL url_of(const v1::AgentInfo& agent, const std::string& scheme);

/// The filter that a call asks for, made sane: 5 s where it asks for none or for nonsense, a year at most. 0 s is no
/// filter, and the allocator knows what to do with whoever wants neither the offer nor to be spared it.
v1::Filters filters_of(const v1::Filters& asked);

}  // namespace troupe
