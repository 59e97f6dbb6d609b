#include "actors/runtime/forget_records.hpp"

#include "storage/records.hpp"

#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

#include <memory>
#include <optional>
#include <vector>

namespace troupe {

result<void> forget_records(const actor_host& host, const std::string& prefix) {
  caf::scoped_actor self(host.system);
  std::vector<edit> edits;
  std::optional<error> failed;
  auto note = [&](const caf::error& e) { failed = journal_error(e); };
  self->request(host.rt.journal, caf::infinite, scan_request{prefix})
      .receive(
          [&](const scan_done& scan) {
            for (const auto& record : scan.found->records) edits.push_back(erase(record.key));
          },
          note);
  if (failed) return *failed;
  auto all = std::make_shared<const std::vector<edit>>(std::move(edits));
  self->request(host.rt.journal, caf::infinite, commit_request{all}).receive([](const commit_done&) {}, note);
  if (failed) return *failed;
  return {};
}

}  // namespace troupe
