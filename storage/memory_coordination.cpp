#include "storage/memory_coordination.hpp"

#include <algorithm>
#include <iterator>
#include <stdexcept>

namespace troupe {

namespace {

using internal::RequestRefused;
using internal::WatchFired;
using refusal = std::optional<RequestRefused::Reason>;

bool is_path(std::string_view path) {
  if (path == "/") return true;
  if (path.empty() || path.front() != '/') return false;
  for (std::size_t begin = 1; begin <= path.size();) {
    const auto end = std::min(path.find('/', begin), path.size());
    const auto name = path.substr(begin, end - begin);
    if (name.empty() || name == "." || name == "..") return false;
    begin = end + 1;
  }
  return std::none_of(path.begin(), path.end(), [](unsigned char c) { return c < 0x20 || c == 0x7f; });
}

/// Of a path but "/".
std::string_view parent_of(std::string_view path) {
  const auto slash = path.rfind('/');
  return slash == 0 ? path.substr(0, 1) : path.substr(0, slash);
}
std::string_view name_of(std::string_view path) {
  return path.substr(path.rfind('/') + 1);
}

std::string ten_digits(std::uint64_t number) {
  auto digits = std::to_string(number);
  return std::string(digits.size() < 10 ? 10 - digits.size() : 0, '0') + digits;
}

}  // namespace

/// One transaction: changes made in order, and either taken back or kept as one.
class memory_coordination::change {
 public:
  change(memory_coordination& service, session_id by) : service_(service), by_(by), zxid_(service.zxid_ + 1) {}

  /// `made` becomes the path.
  refusal create(const internal::CreateZnode& wanted, std::string& made) {
    if (wanted.path() == "/" || !is_path(wanted.path())) return RequestRefused::BAD_ARGUMENTS;
    const std::string parent_path(parent_of(wanted.path()));
    if (!find(parent_path)) return RequestRefused::NO_ZNODE;
    if (find(parent_path)->owner != 0) return RequestRefused::PARENT_IS_EPHEMERAL;
    auto path = wanted.path();
    if (wanted.sequential()) path += ten_digits(find(parent_path)->next_sequence);
    if (find(path)) return RequestRefused::ZNODE_EXISTS;
    auto& parent = touch(parent_path);
    parent.next_sequence++;
    parent.cversion++;
    parent.children.emplace(name_of(path));
    remember(path);
    znode fresh;
    fresh.data = wanted.data();
    fresh.czxid = fresh.mzxid = zxid_;
    if (wanted.ephemeral()) fresh.owner = by_;
    service_.tree_.emplace(path, std::move(fresh));
    events_.push_back({parent_path, WatchFired::CHILDREN_CHANGED});
    made = std::move(path);
    return {};
  }

  refusal write(const internal::WriteZnode& wanted) {
    if (auto why = check(wanted.path(), version_of(wanted))) return why;
    auto& node = touch(wanted.path());
    node.data = wanted.data();
    node.mzxid = zxid_;
    node.version++;
    events_.push_back({wanted.path(), WatchFired::WRITTEN});
    return {};
  }

  refusal remove(const std::string& path, std::optional<std::int32_t> version) {
    if (path == "/") return RequestRefused::BAD_ARGUMENTS;
    if (auto why = check(path, version)) return why;
    if (!find(path)->children.empty()) return RequestRefused::NOT_EMPTY;
    remember(path);
    service_.tree_.erase(path);
    const std::string parent_path(parent_of(path));
    auto& parent = touch(parent_path);
    parent.cversion++;
    parent.children.erase(std::string(name_of(path)));
    events_.push_back({path, WatchFired::DELETED});
    events_.push_back({parent_path, WatchFired::CHILDREN_CHANGED});
    return {};
  }

  refusal check(const std::string& path, std::optional<std::int32_t> version) const {
    if (!is_path(path)) return RequestRefused::BAD_ARGUMENTS;
    const auto* node = find(path);
    if (!node) return RequestRefused::NO_ZNODE;
    if (version && *version != node->version) return RequestRefused::BAD_VERSION;
    return {};
  }

  void take_back() {
    for (auto& [path, before] : before_) {
      if (before)
        service_.tree_.insert_or_assign(path, std::move(*before));
      else
        service_.tree_.erase(path);
    }
  }

  /// The watches that it sets off, each once.
  std::vector<fired> keep() {
    service_.zxid_ = zxid_;
    std::vector<fired> all;
    for (const auto& event : events_) fire(event, all);
    return all;
  }

  template <class Request>
  static std::optional<std::int32_t> version_of(const Request& request) {
    return request.has_version() ? std::optional<std::int32_t>(request.version()) : std::nullopt;
  }

 private:
  struct event {
    std::string path;
    WatchFired::Kind kind;
  };

  const znode* find(const std::string& path) const { return service_.find(path); }

  void remember(const std::string& path) {
    const auto* node = find(path);
    before_.emplace(path, node ? std::optional<znode>(*node) : std::nullopt);
  }
  znode& touch(const std::string& path) {
    remember(path);
    return service_.tree_.find(path)->second;
  }

  void fire(const event& what, std::vector<fired>& all) {
    std::set<session_id> told;
    auto tell = [&](watches& where) {
      const auto found = where.find(what.path);
      if (found == where.end()) return;
      told.insert(found->second.begin(), found->second.end());
      where.erase(found);
    };
    switch (what.kind) {
      case WatchFired::CHILDREN_CHANGED:
        tell(service_.child_watches_);
        break;
      case WatchFired::WRITTEN:
        tell(service_.data_watches_);
        break;
      case WatchFired::DELETED:
        tell(service_.data_watches_);
        tell(service_.child_watches_);
        break;
      case WatchFired::UNKNOWN:
        break;
    }
    for (const auto session : told) {
      fired one;
      one.session = session;
      one.what.set_path(what.path);
      one.what.set_kind(what.kind);
      all.push_back(std::move(one));
    }
  }

  memory_coordination& service_;
  const session_id by_;
  const std::int64_t zxid_;
  std::map<std::string, std::optional<znode>> before_;
  std::vector<event> events_;
};

// --- sessions

memory_coordination::session_id memory_coordination::open_session(std::chrono::milliseconds timeout, time now) {
  const auto id = next_session_++;
  sessions_.emplace(id, session{timeout, now});
  return id;
}

bool memory_coordination::touch(session_id session, time now) {
  const auto at = sessions_.find(session);
  if (at == sessions_.end()) return false;
  at->second.last_touch = std::max(at->second.last_touch, now);
  return true;
}

std::optional<memory_coordination::time> memory_coordination::next_expiry() const {
  std::optional<time> next;
  for (const auto& [id, session] : sessions_) {
    const auto at = session.last_touch + session.timeout;
    if (!next || at < *next) next = at;
  }
  return next;
}

std::vector<memory_coordination::fired> memory_coordination::expire(session_id session) {
  if (sessions_.erase(session) == 0) return {};
  for (auto* where : {&data_watches_, &child_watches_}) {
    for (auto at = where->begin(); at != where->end();) {
      at->second.erase(session);
      at = at->second.empty() ? where->erase(at) : std::next(at);
    }
  }
  std::vector<std::string> own;
  for (const auto& [path, node] : tree_) {
    if (node.owner == session) own.push_back(path);
  }
  change end(*this, session);
  for (const auto& path : own) (void)end.remove(path, std::nullopt);
  return end.keep();
}

memory_coordination::expired memory_coordination::pass(time now) {
  expired all;
  for (const auto& [id, session] : sessions_) {
    if (session.last_touch + session.timeout <= now) all.sessions.push_back(id);
  }
  for (const auto id : all.sessions) {
    auto watches = expire(id);
    std::move(watches.begin(), watches.end(), std::back_inserter(all.watches));
  }
  // Whoever has expired with them is told that alone.
  all.watches.erase(std::remove_if(all.watches.begin(), all.watches.end(),
                                   [this](const fired& one) { return !is_open(one.session); }),
                    all.watches.end());
  return all;
}

// --- requests

template <class Request, class Answer>
memory_coordination::answered memory_coordination::answer_to(const Request& request, Answer answer,
                                                             std::vector<fired> watches) const {
  answer.set_request_id(request.request_id());
  answer.set_zxid(zxid_);
  return {std::make_shared<const Answer>(std::move(answer)), std::move(watches)};
}

template <class Request>
memory_coordination::answered memory_coordination::refuse(const Request& request, RequestRefused::Reason reason,
                                                          std::uint32_t change) const {
  RequestRefused answer;
  answer.set_reason(reason);
  answer.set_change(change);
  return answer_to(request, std::move(answer), {});
}

internal::ZnodeStat memory_coordination::stat_of(const znode& node) {
  internal::ZnodeStat stat;
  stat.set_czxid(node.czxid);
  stat.set_mzxid(node.mzxid);
  stat.set_version(node.version);
  stat.set_cversion(node.cversion);
  stat.set_ephemeral_owner(node.owner);
  stat.set_num_children(static_cast<std::int32_t>(node.children.size()));
  return stat;
}

memory_coordination::answered memory_coordination::perform(session_id session, const internal::ReadZnode& request) {
  const auto* node = find(request.path());
  if (!node) return refuse(request, RequestRefused::NO_ZNODE);
  if (request.watch()) data_watches_[request.path()].insert(session);
  internal::ZnodeFound answer;
  answer.set_data(node->data);
  *answer.mutable_stat() = stat_of(*node);
  return answer_to(request, std::move(answer), {});
}

memory_coordination::answered memory_coordination::perform(session_id session, const internal::ListChildren& request) {
  const auto* node = find(request.path());
  if (!node) return refuse(request, RequestRefused::NO_ZNODE);
  if (request.watch()) child_watches_[request.path()].insert(session);
  internal::ChildrenListed answer;
  for (const auto& name : node->children) answer.add_children(name);
  *answer.mutable_stat() = stat_of(*node);
  return answer_to(request, std::move(answer), {});
}

memory_coordination::answered memory_coordination::perform(session_id session, const internal::CreateZnode& request) {
  change one(*this, session);
  internal::ZnodeCreated answer;
  if (auto why = one.create(request, *answer.mutable_path())) return refuse(request, *why);
  return answer_to(request, std::move(answer), one.keep());
}

memory_coordination::answered memory_coordination::perform(session_id session, const internal::WriteZnode& request) {
  change one(*this, session);
  if (auto why = one.write(request)) return refuse(request, *why);
  internal::ZnodeWritten answer;
  *answer.mutable_stat() = stat_of(*find(request.path()));
  return answer_to(request, std::move(answer), one.keep());
}

memory_coordination::answered memory_coordination::perform(session_id session, const internal::DeleteZnode& request) {
  change one(*this, session);
  if (auto why = one.remove(request.path(), change::version_of(request))) return refuse(request, *why);
  return answer_to(request, internal::ZnodeDeleted(), one.keep());
}

memory_coordination::answered memory_coordination::perform(session_id session, const internal::ChangeZnodes& request) {
  change all(*this, session);
  internal::ZnodesChanged answer;
  for (int i = 0; i < request.changes_size(); ++i) {
    const auto& each = request.changes(i);
    auto& done = *answer.add_results();
    refusal why = RequestRefused::BAD_ARGUMENTS;
    if (each.has_create()) {
      why = all.create(each.create(), *done.mutable_path());
    } else if (each.has_write()) {
      why = all.write(each.write());
      if (!why) *done.mutable_stat() = stat_of(*find(each.write().path()));
    } else if (each.has_delete_()) {
      why = all.remove(each.delete_().path(), change::version_of(each.delete_()));
    } else if (each.has_check()) {
      why = all.check(each.check().path(), change::version_of(each.check()));
    }
    if (!why) continue;
    all.take_back();
    return refuse(request, *why, static_cast<std::uint32_t>(i));
  }
  return answer_to(request, std::move(answer), all.keep());
}

/// True: it is one of these requests, and this is the answer.
template <class Request>
bool memory_coordination::try_perform(session_id session, const google::protobuf::Message& request, answered& answer) {
  const auto* wanted = dynamic_cast<const Request*>(&request);
  if (!wanted) return false;
  if (!is_open(session))
    answer = refuse(*wanted, RequestRefused::SESSION_EXPIRED);
  else if (wanted->ByteSizeLong() > request_bytes_max)
    answer = refuse(*wanted, RequestRefused::TOO_LARGE);
  else
    answer = perform(session, *wanted);
  return true;
}

memory_coordination::answered memory_coordination::apply(session_id session, const google::protobuf::Message& request) {
  answered answer;
  if (try_perform<internal::CreateZnode>(session, request, answer) ||
      try_perform<internal::ReadZnode>(session, request, answer) ||
      try_perform<internal::WriteZnode>(session, request, answer) ||
      try_perform<internal::DeleteZnode>(session, request, answer) ||
      try_perform<internal::ListChildren>(session, request, answer) ||
      try_perform<internal::ChangeZnodes>(session, request, answer))
    return answer;
  throw std::logic_error("coordination: not a request: " + request.GetTypeName());
}

// --- for those who look

const memory_coordination::znode* memory_coordination::find(std::string_view path) const {
  const auto at = tree_.find(path);
  return at == tree_.end() ? nullptr : &at->second;
}

bool operator==(const memory_coordination& a, const memory_coordination& b) {
  return a.tree_ == b.tree_ && a.sessions_ == b.sessions_ && a.data_watches_ == b.data_watches_ &&
         a.child_watches_ == b.child_watches_ && a.zxid_ == b.zxid_ && a.next_session_ == b.next_session_;
}

std::shared_ptr<const google::protobuf::Message> memory_coordination_line::ask(
    const google::protobuf::Message& request) {
  auto done = service_.apply(session_, request);
  if (tell_ && !done.watches.empty()) tell_(done.watches);
  return done.answer;
}

}  // namespace troupe
