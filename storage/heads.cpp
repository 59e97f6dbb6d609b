#include "storage/heads.hpp"

#include "storage/checksum.hpp"
#include "storage/keys.hpp"
#include "storage/seal.hpp"

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

bool counted(std::string_view key) {
  return key != keys::head() && !keys::under(key, keys::quarantine_root);
}

/// The last bytes of a sealed record as a number; of one that is too short for a seal, what there is.
std::uint32_t seal_of(std::string_view sealed) {
  std::uint32_t value = 0;
  const auto bytes = sealed.substr(sealed.size() - std::min(sealed.size(), checksum_bytes));
  for (const char c : bytes) value = value << 8 | static_cast<unsigned char>(c);
  return value;
}

std::string amount(std::uint64_t records) {
  return std::to_string(records) + (records == 1 ? " record" : " records");
}

}  // namespace

void record_counts::put(std::string_view key, std::string_view sealed) {
  if (!counted(key)) return;
  auto& owner = owners_[std::string(keys::owner(key))];
  const auto seal = seal_of(sealed);
  const auto [at, is_new] = seals_.try_emplace(std::string(key), seal);
  if (is_new) {
    ++owner.records;
  } else {
    owner.seals -= at->second;
    at->second = seal;
  }
  owner.seals += seal;
}

void record_counts::erase(std::string_view key) {
  const auto at = seals_.find(std::string(key));
  if (at == seals_.end()) return;
  const auto owner = owners_.find(keys::owner(key));
  owner->second.seals -= at->second;
  if (--owner->second.records == 0) owners_.erase(owner);
  seals_.erase(at);
}

internal::HeadRecord record_counts::head() const {
  internal::HeadRecord out;
  for (const auto& [name, tally] : owners_) {
    auto& owner = *out.add_owners();
    owner.set_name(name);
    owner.set_records(tally.records);
    owner.set_seals(tally.seals);
  }
  return out;
}

std::vector<internal::LossRecord> record_counts::losses(const std::optional<internal::HeadRecord>& head,
                                                        const std::vector<std::string>& unsound) const {
  std::map<std::string, std::pair<std::optional<tally>, tally>> owners;  // as counted, as found
  for (const auto& [name, found] : owners_) owners[name].second = found;
  if (head) {
    for (auto& each : owners) each.second.first.emplace();
    for (const auto& owner : head->owners()) owners[owner.name()].first = tally{owner.records(), owner.seals()};
  }
  std::map<std::string, std::uint64_t> unreadable;
  for (const auto& key : unsound) ++unreadable[std::string(keys::owner(key))];

  std::vector<internal::LossRecord> out;
  for (const auto& [name, both] : owners) {
    const auto& [as_counted, found] = both;
    const auto doubtful = unreadable[name];
    const bool right = as_counted && as_counted->records <= found.records &&
                       as_counted->records + doubtful >= found.records &&
                       (doubtful > 0 || as_counted->seals == found.seals);
    if (right) continue;
    auto& loss = out.emplace_back();
    loss.set_owner(name);
    if (as_counted) loss.set_counted(as_counted->records);
    loss.set_found(found.records);
  }
  return out;
}

void inventory::see(std::string_view key, std::string_view sealed) {
  const auto record = unseal(key, sealed);
  if (record && !keys::under(key, keys::quarantine_root)) {  // where any bytes may lie
    if (version_of(*record) > std::max(newest_version, record_version)) newer = std::string(key);
    newest_version = std::max(newest_version, version_of(*record));
  }
  if (key == keys::head()) {
    internal::HeadRecord found;
    if (record && decode_record(*record, found)) {
      head = found;
    } else {
      damaged_head = std::string(sealed);
    }
    return;
  }
  counts.put(key, sealed);
  if (!record || !check_record(*record)) unsound.emplace_back(key);
}

std::string describe(const internal::LossRecord& loss) {
  const std::string below = " below " + loss.owner();
  if (!loss.has_counted()) {
    return "The head record is missing or damaged, so nobody can tell whether the " + amount(loss.found()) + below +
           " are all that were committed.";
  }
  if (loss.found() < loss.counted()) {
    return std::to_string(loss.counted() - loss.found()) + " of " + amount(loss.counted()) + below +
           " are missing: the head record counts " + std::to_string(loss.counted()) + ", and " +
           std::to_string(loss.found()) + (loss.found() == 1 ? " is" : " are") + " there.";
  }
  if (loss.found() > loss.counted()) {
    return "There are " + amount(loss.found()) + below + ", " + std::to_string(loss.found() - loss.counted()) +
           " more than the head record counts: some that were erased are there again.";
  }
  return "Of the " + amount(loss.found()) + below +
         " at least one is not as it was committed last: their seals do not add up to what the head record says.";
}

}  // namespace troupe
