#include "storage/scan.hpp"

#include "storage/heads.hpp"
#include "storage/keys.hpp"

#include <algorithm>
#include <optional>

namespace troupe::scanning {

namespace {

using keys::quarantine_root;

/// What a note that records are missing says; nothing where this is no such note.
std::optional<internal::LossRecord> as_loss(std::string_view key, std::string_view record) {
  internal::LossRecord loss;
  if (key.substr(0, keys::loss("").size()) != keys::loss("") || !decode_record(record, loss)) return std::nullopt;
  return loss;
}

/// The bytes that open the keys strictly below a prefix. Not the prefix itself: `a/b-c` lies between `a/b` and `a/b/c`.
std::string below(std::string_view prefix) {
  std::string out(prefix);
  if (!out.empty() && out.back() != '/') out.push_back('/');
  return out;
}

void add(ranges& out, std::string_view prefix) {
  if (!prefix.empty() && prefix.back() != '/') out.exactly.emplace_back(prefix);
  out.opening_with.push_back(below(prefix));
}

}  // namespace

void sorter::see(std::string_view key, std::string_view record) {
  const auto checked = check_record(record);
  if (!checked) return damaged(key, record, checked.error().message);
  if (const auto loss = as_loss(key, record)) {
    found_.damaged.push_back(
        {loss->owner(), describe(*loss) + " This is reported until " + std::string(key) + " is erased."});
    return;
  }
  if (keys::under(key, quarantine_root))
    return damaged(key, record, "The record is in quarantine, though it is sound.");
  found_.records.push_back({std::string(key), std::string(record)});
}

void sorter::see_damaged(std::string_view key, std::string_view bytes) {
  damaged(key, bytes, "The record is not the one that was put under this key.");
}

void sorter::damaged(std::string_view key, std::string_view bytes, std::string why) {
  if (keys::under(key, quarantine_root)) {
    return report(key.substr(std::min(key.size(), quarantine_root.size() + 1)), std::move(why));
  }
  report(key, std::move(why));
  to_move_.push_back({std::string(key), std::string(bytes)});
}

void sorter::report(std::string_view key, std::string why) {
  found_.damaged.push_back(
      {std::string(key), std::move(why) + " Its bytes are kept under " + keys::quarantine(key) + "."});
}

std::vector<edit> sorter::moves() const {
  std::vector<edit> edits;
  for (const auto& each : to_move_) {
    edits.push_back({keys::quarantine(each.key), each.record});
    edits.push_back(erase(each.key));
  }
  return edits;
}

ranges ranges_of(std::string_view prefix) {
  ranges out;
  add(out, prefix);
  if (!prefix.empty() && !keys::under(prefix, quarantine_root)) {
    add(out, keys::quarantine(prefix));
    out.exactly.push_back(keys::loss(keys::owner(prefix)));
  }
  return out;
}

bool opens_with(std::string_view text, std::string_view bytes) {
  return text.substr(0, bytes.size()) == bytes;
}

result<void> check_sizes(const std::vector<edit_batch>& group) {
  for (const auto& batch : group) {
    for (const auto& e : *batch) {
      if (!e.record || e.record->size() <= record_bytes_max) continue;
      return error{errc::exhausted, "The record of " + e.key + " has " + std::to_string(e.record->size()) +
                                        " bytes; at most " + std::to_string(record_bytes_max) + " can be stored."};
    }
  }
  return {};
}

}  // namespace troupe::scanning
