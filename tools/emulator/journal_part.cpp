#include "tools/emulator/journal_part.hpp"

#include "storage/keys.hpp"

#include <caf/actor_system.hpp>
#include <caf/result.hpp>
#include <caf/typed_event_based_actor.hpp>
#include <caf/typed_response_promise.hpp>

#include <utility>
#include <vector>

namespace troupe {

namespace {

edit_batch below(const std::string& prefix, const std::vector<edit>& edits) {
  auto moved = std::make_shared<std::vector<edit>>(edits);
  for (auto& each : *moved) each.key.insert(0, prefix);
  return moved;
}

/// As the part's owner knows it: a key without the prefix, or a quarantined one.
void strip(std::string& key, const std::string& prefix) {
  const auto at = key.compare(0, prefix.size(), prefix) == 0 ? 0 : key.find('/' + prefix);
  if (at == std::string::npos) return;
  key.erase(at == 0 ? 0 : at + 1, prefix.size());
}

scan_done without(const std::string& prefix, const scan_done& whole) {
  auto found = std::make_shared<scan_result>(*whole.found);
  for (auto& record : found->records) strip(record.key, prefix);
  for (auto& damage : found->damaged) strip(damage.key, prefix);
  return {std::move(found)};
}

journal_actor::behavior_type part(journal_actor::pointer self, const journal_actor& whole, const std::string& prefix) {
  return {
      [=](const commit_request& request) {
        return self->delegate(whole, commit_request{below(prefix, *request.edits)});
      },
      [=](const scan_request& request) -> caf::result<scan_done> {
        auto promise = self->make_response_promise<scan_done>();
        self->request(whole, caf::infinite, scan_request{prefix + request.prefix})
            .await([=](const scan_done& found) mutable { promise.deliver(without(prefix, found)); },
                   [=](caf::error failure) mutable { promise.deliver(std::move(failure)); });
        return promise;
      },
  };
}

}  // namespace

journal_actor spawn_journal_part(caf::actor_system& system, const journal_actor& whole, const std::string& prefix) {
  return system.spawn(part, whole, prefix + '/');
}

}  // namespace troupe
