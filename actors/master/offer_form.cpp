#include "actors/master/offer_form.hpp"

#include "actors/master/framework_table.hpp"

#include <algorithm>
#include <cmath>
#include <utility>

namespace troupe {

namespace {

constexpr double refuse_seconds_default = 5;
constexpr double refuse_seconds_max = 365.0 * 24 * 3600;

}  // namespace

resources::proto_list as_offered_to(const v1::FrameworkInfo& framework, const resources& what) {
  using capability = v1::FrameworkInfo::Capability;
  const auto shown = has_capability(framework, capability::MULTI_ROLE) ? what : what.unallocated();
  auto list = shown.proto();
  if (!has_capability(framework, capability::RESERVATION_REFINEMENT))
    if (auto old_form = shown.to_pre_refinement_form()) list = *std::move(old_form);
  list.erase(
      std::remove_if(list.begin(), list.end(), [](const auto& entry) { return entry.name() == "ephemeral_ports"; }),
      list.end());
  return list;
}

void tag_missing(resources::proto_list* list, const std::string& role) {
  for (auto& entry : *list)
    if (!entry.has_allocation_info()) entry.mutable_allocation_info()->set_role(role);
}

v1::URL url_of(const v1::AgentInfo& agent, const std::string& scheme) {
  v1::URL url;
  url.set_scheme(scheme);
  url.mutable_address()->set_hostname(agent.hostname());
  url.mutable_address()->set_port(agent.port());
  url.set_path("/slave(1)");
  return url;
}

v1::Filters filters_of(const v1::Filters& asked) {
  auto seconds = asked.refuse_seconds();
  if (std::isnan(seconds) || seconds < 0) seconds = refuse_seconds_default;
  v1::Filters filters;
  filters.set_refuse_seconds(std::min(seconds, refuse_seconds_max));
  return filters;
}

}  // namespace troupe
