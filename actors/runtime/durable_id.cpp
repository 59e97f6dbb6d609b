#include "actors/runtime/durable_id.hpp"

#include "storage/keys.hpp"
#include "storage/records.hpp"
#include "troupe/internal/runtime.pb.h"

#include <caf/scoped_actor.hpp>
#include <caf/typed_event_based_actor.hpp>

namespace troupe {

result<std::string> durable_id(const actor_host& host, const std::string& identity_key) {
  caf::scoped_actor self(host.system);
  internal::Identity identity;
  std::optional<error> failed;
  auto note = [&](const caf::error& e) { failed = journal_error(e); };
  self->request(host.rt.journal, caf::infinite, scan_request{identity_key})
      .receive(
          [&](const scan_done& scan) {
            for (const auto& record : scan.found->records)
              if (record.key == identity_key && !decode_record(record.record, identity)) identity.Clear();
          },
          note);
  if (failed) return *failed;
  if (!identity.id().empty()) return identity.id();
  identity.set_id(keys::ordered(host.rt.draw()) + keys::ordered(host.rt.draw()));
  auto edits = std::make_shared<const std::vector<edit>>(std::vector<edit>{put(identity_key, identity)});
  self->request(host.rt.journal, caf::infinite, commit_request{edits}).receive([](const commit_done&) {}, note);
  if (failed) return *failed;
  return identity.id();
}

}  // namespace troupe
