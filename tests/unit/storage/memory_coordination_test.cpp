// The coordination service in memory does as ZooKeeper does.
#include "storage/memory_coordination.hpp"

#include <catch2/catch.hpp>

using namespace troupe;
using namespace std::chrono_literals;

namespace {

using service = memory_coordination;
using internal::RequestRefused;
using internal::WatchFired;
using strings = std::vector<std::string>;

internal::CreateZnode make(const std::string& path, bool ephemeral = false, bool sequential = false) {
  internal::CreateZnode request;
  request.set_request_id(1);
  request.set_path(path);
  request.set_ephemeral(ephemeral);
  request.set_sequential(sequential);
  return request;
}
internal::WriteZnode write(const std::string& path, const std::string& data, std::optional<int> version = {}) {
  internal::WriteZnode request;
  request.set_request_id(2);
  request.set_path(path);
  request.set_data(data);
  if (version) request.set_version(*version);
  return request;
}
internal::DeleteZnode erase(const std::string& path, std::optional<int> version = {}) {
  internal::DeleteZnode request;
  request.set_request_id(3);
  request.set_path(path);
  if (version) request.set_version(*version);
  return request;
}
internal::ReadZnode read(const std::string& path, bool watch = false) {
  internal::ReadZnode request;
  request.set_request_id(4);
  request.set_path(path);
  request.set_watch(watch);
  return request;
}
internal::ListChildren list(const std::string& path, bool watch = false) {
  internal::ListChildren request;
  request.set_request_id(5);
  request.set_path(path);
  request.set_watch(watch);
  return request;
}

template <class Answer>
Answer as(const service::answered& done) {
  const auto* answer = dynamic_cast<const Answer*>(done.answer.get());
  if (!answer) FAIL(done.answer->GetTypeName() << " " << done.answer->ShortDebugString());
  return *answer;
}
RequestRefused::Reason refusal(const service::answered& done) {
  return as<RequestRefused>(done).reason();
}
/// "session kind path" each.
strings told(const std::vector<service::fired>& watches) {
  strings all;
  for (const auto& each : watches)
    all.push_back(std::to_string(each.session) + " " + WatchFired::Kind_Name(each.what.kind()) + " " +
                  each.what.path());
  return all;
}

constexpr service::time start{};

/// Two sessions, 1 and 2, and a folder /f.
struct two_sessions : service {
  session_id one = open_session(10s, start);
  session_id two = open_session(10s, start);
  two_sessions() { apply(one, make("/f")); }
};

}  // namespace

TEST_CASE("a znode is made once, below a parent that is there and stays") {
  two_sessions s;
  CHECK(as<internal::ZnodeCreated>(s.apply(s.one, make("/f/a"))).path() == "/f/a");
  CHECK(refusal(s.apply(s.one, make("/f/a"))) == RequestRefused::ZNODE_EXISTS);
  CHECK(refusal(s.apply(s.one, make("/g/a"))) == RequestRefused::NO_ZNODE);
  s.apply(s.one, make("/f/brief", true));
  CHECK(refusal(s.apply(s.one, make("/f/brief/a"))) == RequestRefused::PARENT_IS_EPHEMERAL);
  for (const auto* path : {"", "/", "f", "/f/", "//f", "/f/.", "/f/../f", "/f/\n"})
    CHECK(refusal(s.apply(s.one, make(path))) == RequestRefused::BAD_ARGUMENTS);
}

TEST_CASE("an answer carries the number of its request and what it has seen") {
  two_sessions s;
  const auto created = as<internal::ZnodeCreated>(s.apply(s.one, make("/f/a")));
  CHECK(created.request_id() == 1);
  CHECK(created.zxid() == s.zxid());
  const auto refused = as<RequestRefused>(s.apply(s.one, erase("/f/b")));
  CHECK(refused.request_id() == 3);
  CHECK(refused.zxid() == created.zxid());
}

TEST_CASE("sequence numbers rise below one parent, and none comes twice") {
  two_sessions s;
  auto next = [&] { return as<internal::ZnodeCreated>(s.apply(s.one, make("/f/m-", true, true))).path(); };
  CHECK(next() == "/f/m-0000000000");
  CHECK(next() == "/f/m-0000000001");
  s.apply(s.one, erase("/f/m-0000000001"));
  CHECK(next() == "/f/m-0000000002");
  s.expire(s.one);
  CHECK(as<internal::ZnodeCreated>(s.apply(s.two, make("/f/n-", false, true))).path() == "/f/n-0000000003");
}

TEST_CASE("a write raises the version, and a conditional one is done only on the version it names") {
  two_sessions s;
  s.apply(s.one, make("/f/a"));
  CHECK(as<internal::ZnodeWritten>(s.apply(s.one, write("/f/a", "x", 0))).stat().version() == 1);
  CHECK(refusal(s.apply(s.two, write("/f/a", "y", 0))) == RequestRefused::BAD_VERSION);
  CHECK(as<internal::ZnodeWritten>(s.apply(s.two, write("/f/a", "z"))).stat().version() == 2);
  const auto found = as<internal::ZnodeFound>(s.apply(s.one, read("/f/a")));
  CHECK(found.data() == "z");
  CHECK(found.stat().version() == 2);
  CHECK(found.stat().mzxid() > found.stat().czxid());
  CHECK(refusal(s.apply(s.one, erase("/f/a", 1))) == RequestRefused::BAD_VERSION);
  CHECK(refusal(s.apply(s.one, erase("/f"))) == RequestRefused::NOT_EMPTY);
  as<internal::ZnodeDeleted>(s.apply(s.one, erase("/f/a", 2)));
  CHECK(refusal(s.apply(s.one, read("/f/a"))) == RequestRefused::NO_ZNODE);
}

TEST_CASE("a watch on children tells once that one came or went") {
  two_sessions s;
  s.apply(s.one, list("/f", true));
  s.apply(s.one, list("/f", true));
  CHECK(told(s.apply(s.two, make("/f/a")).watches) == strings{"1 CHILDREN_CHANGED /f"});
  CHECK(s.apply(s.two, make("/f/b")).watches.empty());
  s.apply(s.one, list("/f", true));
  s.apply(s.two, list("/f", true));
  CHECK(s.apply(s.two, write("/f/a", "x")).watches.empty());
  CHECK(told(s.apply(s.two, erase("/f/a")).watches) == strings{"1 CHILDREN_CHANGED /f", "2 CHILDREN_CHANGED /f"});
}

TEST_CASE("a watch on data tells once that it was written or deleted, and who watches both is told once") {
  two_sessions s;
  s.apply(s.one, read("/f", true));
  CHECK(s.apply(s.two, make("/f/a")).watches.empty());
  CHECK(told(s.apply(s.two, write("/f", "x")).watches) == strings{"1 WRITTEN /f"});
  CHECK(s.apply(s.two, write("/f", "x")).watches.empty());
  s.apply(s.one, read("/f/a", true));
  s.apply(s.one, list("/f/a", true));
  CHECK(told(s.apply(s.two, erase("/f/a")).watches) == strings{"1 DELETED /f/a"});
}

TEST_CASE("a request that is refused sets no watch and sets none off") {
  two_sessions s;
  CHECK(refusal(s.apply(s.one, read("/g", true))) == RequestRefused::NO_ZNODE);
  CHECK(s.apply(s.two, make("/g")).watches.empty());
  s.apply(s.one, list("/f", true));
  CHECK(s.apply(s.two, erase("/f/a")).watches.empty());
  CHECK(told(s.apply(s.two, make("/f/a")).watches) == strings{"1 CHILDREN_CHANGED /f"});
}

TEST_CASE("changes are done all or none, and later ones see what earlier ones did") {
  two_sessions s;
  s.apply(s.one, make("/f/epoch"));
  s.apply(s.one, list("/f", true));
  internal::ChangeZnodes request;
  request.set_request_id(9);
  auto& check = *request.add_changes()->mutable_check();
  check.set_path("/f/epoch");
  check.set_version(0);
  *request.add_changes()->mutable_create() = make("/f/a");
  *request.add_changes()->mutable_create() = make("/f/a/b-", false, true);
  *request.add_changes()->mutable_write() = write("/f/a", "x", 0);
  *request.add_changes()->mutable_create() = make("/f/c");
  *request.add_changes()->mutable_delete_() = erase("/f/c");

  SECTION("all") {
    const auto done = s.apply(s.two, request);
    const auto changed = as<internal::ZnodesChanged>(done);
    CHECK(changed.request_id() == 9);
    CHECK(changed.results(2).path() == "/f/a/b-0000000000");
    CHECK(changed.results(3).stat().version() == 1);
    CHECK(told(done.watches) == strings{"1 CHILDREN_CHANGED /f"});
    CHECK(s.find("/f")->children == std::set<std::string>{"a", "epoch"});
  }
  SECTION("none: the first that fails is named, and the watch stays") {
    *request.add_changes()->mutable_write() = write("/f/none", "x");
    const memory_coordination before = s;
    const auto done = s.apply(s.two, request);
    CHECK(as<RequestRefused>(done).change() == 6);
    CHECK(refusal(done) == RequestRefused::NO_ZNODE);
    CHECK(static_cast<const memory_coordination&>(s) == before);
  }
  SECTION("none, since the version that is checked is another by now") {
    s.apply(s.one, write("/f/epoch", "2"));
    CHECK(as<RequestRefused>(s.apply(s.two, request)).change() == 0);
    CHECK(s.find("/f/a") == nullptr);
  }
}

TEST_CASE("a session that shows no life for its timeout ends, with its ephemeral znodes and its watches") {
  two_sessions s;
  s.apply(s.one, make("/f/stays"));
  s.apply(s.one, make("/f/brief", true));
  s.apply(s.one, list("/f", true));
  s.apply(s.two, list("/f", true));
  CHECK(s.next_expiry() == start + 10s);
  CHECK(s.touch(s.two, start + 4s));

  CHECK(s.pass(start + 9999ms).sessions.empty());
  const auto ended = s.pass(start + 10s);
  CHECK(ended.sessions == std::vector<service::session_id>{s.one});
  CHECK(told(ended.watches) == strings{"2 CHILDREN_CHANGED /f"});
  CHECK(s.find("/f")->children == std::set<std::string>{"stays"});
  CHECK(s.next_expiry() == start + 14s);

  CHECK_FALSE(s.touch(s.one, start + 11s));
  CHECK(refusal(s.apply(s.one, read("/f"))) == RequestRefused::SESSION_EXPIRED);
  CHECK(s.apply(s.two, erase("/f/stays")).watches.empty());
  CHECK(s.open_session(10s, start) > s.two);
}

TEST_CASE("sessions that end at one time are not told of each other's znodes") {
  two_sessions s;
  s.apply(s.one, make("/f/brief", true));
  s.apply(s.two, list("/f", true));
  const auto ended = s.pass(start + 1h);
  CHECK(ended.sessions.size() == 2);
  CHECK(ended.watches.empty());
  CHECK(s.next_expiry() == std::nullopt);
}

TEST_CASE("what is larger than a request may be is refused") {
  two_sessions s;
  CHECK(refusal(s.apply(s.one, write("/f", std::string(service::request_bytes_max, 'x')))) ==
        RequestRefused::TOO_LARGE);
}

TEST_CASE("two services that are driven alike are equal, and a copy goes its own way") {
  two_sessions a;
  two_sessions b;
  CHECK(static_cast<service&>(a) == b);
  a.apply(a.one, list("/f", true));
  CHECK(static_cast<service&>(a) != b);
  b.apply(b.one, list("/f", true));
  CHECK(static_cast<service&>(a) == b);
  service copy = a;
  copy.apply(a.one, make("/f/a"));
  CHECK(copy != a);
  CHECK(static_cast<service&>(a) == b);
}
