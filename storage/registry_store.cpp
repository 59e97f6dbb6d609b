#include "storage/registry_store.hpp"

#include "storage/checksum.hpp"
#include "storage/keys.hpp"
#include "storage/scan.hpp"
#include "troupe/internal/coordination.pb.h"

#include <utility>

namespace troupe {

namespace {

using internal::RequestRefused;

constexpr unsigned shards = 256;
/// Before each name, so that none is `.` or `..`.
constexpr char name_mark = '=';

std::string shard_path(std::string_view root, unsigned shard) {
  constexpr char hex[] = "0123456789abcdef";
  return std::string(root) + "/records/" + hex[shard >> 4] + hex[shard & 0xf];
}

unsigned shard_of(std::string_view key) {
  return static_cast<unsigned char>(checksum({key})[0]);
}

std::string name_of(std::string_view key) {
  return name_mark + keys::path({key});
}

/// Nothing for a znode that is no record of ours.
std::optional<std::string> key_of(std::string_view name) {
  if (name.empty() || name.front() != name_mark) return std::nullopt;
  auto components = keys::components(name.substr(1));
  if (components.size() != 1) return std::nullopt;
  return std::move(components.front());
}

/// The answer, where it is the one that was hoped for.
template <class Answer>
const Answer* as(const std::shared_ptr<const google::protobuf::Message>& answer) {
  return dynamic_cast<const Answer*>(answer.get());
}

bool is_refused(const std::shared_ptr<const google::protobuf::Message>& answer, RequestRefused::Reason why) {
  const auto* refused = as<RequestRefused>(answer);
  return refused && refused->reason() == why;
}

error deposed() {
  return {errc::conflict, "Another master leads by now: nothing was changed."};
}
error not_ours() {
  return {errc::conflict, "The registry's records are not as this leader left them: somebody else writes them."};
}

/// Of a request that only reads.
error not_read(const std::string& path, const std::shared_ptr<const google::protobuf::Message>& answer) {
  std::string why = "no answer";
  if (const auto* refused = as<RequestRefused>(answer)) why = RequestRefused::Reason_Name(refused->reason());
  return {errc::unavailable, "The registry cannot be read at " + path + ": " + why + "."};
}

/// Of a change whose first part checks the epoch.
error not_changed(const std::shared_ptr<const google::protobuf::Message>& answer) {
  const auto* refused = as<RequestRefused>(answer);
  if (!refused) return {errc::outcome_unknown, "The registry did not answer: the commit may have been done, or not."};
  if (refused->reason() == RequestRefused::SESSION_EXPIRED)
    return {errc::unavailable, "The session with the registry has expired: nothing was changed."};
  if (refused->reason() == RequestRefused::TOO_LARGE)
    return {errc::exhausted, "The commit has more bytes than the registry takes at once: nothing was changed."};
  const bool by_epoch = refused->change() == 0 && (refused->reason() == RequestRefused::BAD_VERSION ||
                                                   refused->reason() == RequestRefused::NO_ZNODE);
  if (by_epoch) return deposed();
  if (refused->reason() == RequestRefused::NOT_PERMITTED || refused->reason() == RequestRefused::BAD_ARGUMENTS)
    return {errc::io, "The registry refused the commit: " + RequestRefused::Reason_Name(refused->reason()) + "."};
  return not_ours();
}

}  // namespace

std::string registry_store::path_of(std::string_view root, std::string_view key) {
  return shard_path(root, shard_of(key)) + "/" + name_of(key);
}

registry_store::registry_store(coordination_line& line, std::string root, leadership by)
    : line_(line), root_(std::move(root)), by_(std::move(by)) {}

result<std::unique_ptr<registry_store>> registry_store::open(coordination_line& line, const std::string& root,
                                                             const leadership& by) {
  std::unique_ptr<registry_store> store(new registry_store(line, root, by));
  if (auto made = store->make_folders(); !made) return made.error();
  if (auto seen = store->look_around(); !seen) return seen.error();
  return store;
}

internal::ChangeZnodes registry_store::as_leader() const {
  internal::ChangeZnodes request;
  auto& check = *request.add_changes()->mutable_check();
  check.set_path(by_.epoch_path);
  check.set_version(by_.epoch_version);
  return request;
}

/// A change in any case, if only a check: what is read after it is as new as that.
result<void> registry_store::make_folders() {
  auto answer = line_.ask(as_leader());
  if (!as<internal::ZnodesChanged>(answer)) return not_changed(answer);

  internal::ReadZnode records;
  records.set_path(root_ + "/records");
  answer = line_.ask(records);
  if (as<internal::ZnodeFound>(answer)) return {};
  if (!is_refused(answer, RequestRefused::NO_ZNODE)) return not_read(records.path(), answer);

  auto request = as_leader();
  request.add_changes()->mutable_create()->set_path(records.path());
  for (unsigned shard = 0; shard < shards; ++shard)
    request.add_changes()->mutable_create()->set_path(shard_path(root_, shard));
  answer = line_.ask(request);
  if (!as<internal::ZnodesChanged>(answer)) return not_changed(answer);
  return {};
}

result<void> registry_store::look_around() {
  for (unsigned shard = 0; shard < shards; ++shard) {
    internal::ListChildren folder;
    folder.set_path(shard_path(root_, shard));
    const auto answer = line_.ask(folder);
    const auto* listed = as<internal::ChildrenListed>(answer);
    if (!listed) return not_read(folder.path(), answer);
    for (const auto& name : listed->children())
      if (auto key = key_of(name)) versions_.emplace(std::move(*key), std::nullopt);
  }
  return {};
}

result<void> registry_store::commit(const std::vector<edit_batch>& group) {
  if (auto fit = scanning::check_sizes(group); !fit) return fit.error();
  if (failed_) return failure();
  std::map<std::string_view, const edit*> last;
  for (const auto& batch : group)
    for (const auto& each : *batch) last[each.key] = &each;

  auto request = as_leader();
  std::vector<std::string_view> changed;
  for (const auto& [key, each] : last) {
    if (!add_change(request, *each)) continue;
    changed.push_back(key);
  }
  if (changed.empty()) return {};

  const auto answer = line_.ask(request);
  const auto* done = as<internal::ZnodesChanged>(answer);
  if (!done) {
    auto why = not_changed(answer);
    failed_ = why.code != errc::exhausted;
    return why;
  }
  for (std::size_t i = 0; i < changed.size(); ++i) {
    const auto& outcome = done->results(static_cast<int>(i) + 1);  // the first is of the check
    if (last[changed[i]]->record)
      versions_[std::string(changed[i])] = outcome.stat().version();
    else
      versions_.erase(versions_.find(changed[i]));
  }
  return {};
}

/// False: there is nothing to change.
bool registry_store::add_change(internal::ChangeZnodes& request, const edit& wanted) const {
  const auto known = versions_.find(wanted.key);
  if (known == versions_.end()) {
    if (!wanted.record) return false;
    auto& create = *request.add_changes()->mutable_create();
    create.set_path(path_of(root_, wanted.key));
    create.set_data(*wanted.record);
    return true;
  }
  auto conditional = [&](auto& change) {
    change.set_path(path_of(root_, wanted.key));
    if (known->second) change.set_version(*known->second);
  };
  auto& change = *request.add_changes();
  if (wanted.record) {
    conditional(*change.mutable_write());
    change.mutable_write()->set_data(*wanted.record);
  } else {
    conditional(*change.mutable_delete_());
  }
  return true;
}

result<scan_result> registry_store::scan(std::string_view prefix) {
  if (failed_) return failure();
  scanning::sorter sorted;
  const auto wanted = scanning::ranges_of(prefix);
  for (const auto& key : wanted.exactly) {
    const auto at = versions_.find(key);
    if (at == versions_.end()) continue;
    if (auto seen = read(at, sorted); !seen) return seen.error();
  }
  for (const auto& bytes : wanted.opening_with) {
    for (auto at = versions_.lower_bound(bytes); at != versions_.end() && scanning::opens_with(at->first, bytes); ++at)
      if (auto seen = read(at, sorted); !seen) return seen.error();
  }
  const auto moves = sorted.moves();
  if (auto moved = commit({std::make_shared<const std::vector<edit>>(moves)}); !moved) return moved.error();
  return sorted.take();
}

result<void> registry_store::read(versions::iterator record, scanning::sorter& sorted) {
  internal::ReadZnode wanted;
  wanted.set_path(path_of(root_, record->first));
  const auto answer = line_.ask(wanted);
  const auto* found = as<internal::ZnodeFound>(answer);
  const bool moved_on = found && record->second && *record->second != found->stat().version();
  if (moved_on || is_refused(answer, RequestRefused::NO_ZNODE)) {
    failed_ = true;
    return not_ours();
  }
  if (!found) return not_read(wanted.path(), answer);
  record->second = found->stat().version();
  sorted.see(record->first, found->data());
  return {};
}

error registry_store::failure() {
  return {errc::unavailable, "An earlier commit to the registry failed: it has to be opened anew."};
}

}  // namespace troupe
