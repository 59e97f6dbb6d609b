// Electors and a service that does what it is asked: who leads, who follows, and how the lead passes on.
#include "tests/unit/elector/elector_world.hpp"

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

using strings = std::vector<std::string>;

const std::string members_path = "/troupe/test/members";
const std::string epoch_path = "/troupe/test/epoch";

}  // namespace

TEST_CASE("of two candidates the one that came first leads with the first epoch, and both say so") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.settle();
  auto& b = w.add_candidate("b");
  w.run(30s);
  CHECK(a.facts == strings{"started 1", "leader a"});
  CHECK(b.facts == strings{"leader a"});
  CHECK(a.core.core().epoch() == 1);
  CHECK(b.core.core().epoch() == 0);
  CHECK(w.epoch_in_service()->leader().name() == "a");
}

TEST_CASE("a leader is told what its commits are conditional on") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.settle();
  internal::ChangeZnodes only_if;
  auto& c = *only_if.add_changes()->mutable_check();
  c.set_path(a.last_started.epoch_path());
  c.set_version(a.last_started.epoch_version());
  CHECK(dynamic_cast<const internal::ZnodesChanged*>(w.ask(only_if).get()));
  w.expire(a);
  w.run(5s);
  CHECK(dynamic_cast<const internal::RequestRefused*>(w.ask(only_if).get()));
}

TEST_CASE("an observer is told who leads and changes nothing in the service") {
  elector_world w;
  auto& agent = w.add_observer("agent");
  w.run(5s);
  CHECK(agent.facts.empty());
  CHECK(w.service.zxid() == 0);

  auto& a = w.add_candidate("a");
  w.run(5s);
  CHECK(agent.facts == strings{"leader a"});
  auto& b = w.add_candidate("b");
  w.run(1s);
  w.expire(a);
  w.run(1s);
  CHECK(agent.facts == strings{"leader a", "leader nobody", "leader b"});
  CHECK(b.epoch == 2);
}

TEST_CASE("an observer whose session expires says nothing unless the leader has changed meanwhile") {
  elector_world w;
  w.add_candidate("a");
  auto& agent = w.add_observer("agent");
  w.run(5s);
  w.expire(agent);
  w.run(5s);
  CHECK(agent.facts == strings{"leader a"});
}

TEST_CASE("the lead passes on with a higher epoch when the leader's session expires, and comes not back") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.settle();
  auto& b = w.add_candidate("b");
  w.run(1s);
  w.expire(a);
  w.run(5s);
  CHECK(a.facts == strings{"started 1", "leader a", "stopped 1 SESSION_EXPIRED", "leader nobody", "leader b"});
  CHECK(b.facts == strings{"leader a", "leader nobody", "started 2", "leader b"});

  SECTION("the one that led is a new member, behind all others") {
    auto& c = w.add_candidate("c");
    w.run(1s);
    w.expire(b);
    w.run(5s);
    CHECK(a.epoch == 3);
    CHECK(c.epoch == 0);
  }
}

TEST_CASE("whose session expires while it follows comes back as a follower") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.settle();
  auto& b = w.add_candidate("b");
  w.run(1s);
  w.expire(b);
  w.run(5s);
  CHECK(a.facts == strings{"started 1", "leader a"});
  CHECK(b.facts == strings{"leader a"});
  CHECK(w.members_in_service().size() == 2);
}

TEST_CASE("a suspended leader stops before the service can expire its session, and not long before") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.settle();
  auto& b = w.add_candidate("b");
  w.run(20s);
  const auto expires_earliest = a.core.now() + 10s;
  w.disconnect(a);
  while (a.epoch != 0) {
    REQUIRE(a.core.now() < expires_earliest);
    w.run(50ms);
  }
  CHECK(expires_earliest - a.core.now() >= 2s);  // the margin
  CHECK(expires_earliest - a.core.now() <= 5s);  // and the time since it was last in touch
  CHECK(a.facts == strings{"started 1", "leader a", "stopped 1 OUT_OF_TOUCH", "leader nobody"});
  CHECK(b.epoch == 0);
  w.run(15s);
  CHECK(b.epoch == 2);

  SECTION("and follows when it is back") {
    w.reconnect(a);
    w.run(5s);
    CHECK(a.facts.back() == "leader b");
    CHECK(w.leaders().size() == 1);
  }
}

TEST_CASE("a leader whose requests are never answered stops in time, though nobody says that it is suspended") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.run(20s);
  const auto since = a.core.now();
  while (a.epoch != 0) {
    REQUIRE(a.core.now() - since <= 8s);
    w.tick(50ms);  // nothing is served
  }
  w.run(5s);
  CHECK(a.epoch == 2);
}

TEST_CASE("a leader whose server is cut off from the others stops in time, though that answers what is only read") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.settle();
  auto& b = w.add_candidate("b");
  w.run(20s);
  const auto expires_earliest = a.core.now() + 10s;
  w.cut_off(a);
  internal::WatchFired members_changed;
  members_changed.set_path(members_path);
  while (a.epoch != 0) {
    REQUIRE(a.core.now() < expires_earliest - 2s);
    a.news.push_back(std::make_shared<const internal::WatchFired>(members_changed));
    w.run(50ms);
  }
  w.run(15s);
  CHECK(a.epoch == 0);
  CHECK(b.epoch == 2);
}

TEST_CASE("a short suspension is sat out: the leader leads on with its epoch") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.settle();
  w.add_candidate("b");
  w.run(20s);
  for (int i = 0; i < 10; ++i) {
    w.disconnect(a);
    w.run(4s);
    w.reconnect(a);
    w.run(1s);
  }
  CHECK(a.facts == strings{"started 1", "leader a"});
}

TEST_CASE("a leader that stopped while it was suspended and comes back in time leads again, with a higher epoch") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.settle();
  w.add_candidate("b");
  w.run(20s);
  w.disconnect(a);
  w.run(9500ms);
  REQUIRE(a.epoch == 0);
  w.reconnect(a);
  w.run(5s);
  CHECK(a.facts ==
        strings{"started 1", "leader a", "stopped 1 OUT_OF_TOUCH", "leader nobody", "started 2", "leader a"});
}

TEST_CASE("a leader whose member is removed stops, and joins again behind the others") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.settle();
  auto& b = w.add_candidate("b");
  w.run(1s);
  internal::DeleteZnode remove;
  remove.set_path(members_path + "/" + *w.members_in_service().begin());
  w.ask(remove);
  w.run(5s);
  CHECK(a.facts == strings{"started 1", "leader a", "stopped 1 MEMBER_REMOVED", "leader nobody", "leader b"});
  CHECK(b.epoch == 2);
  CHECK(w.members_in_service().size() == 2);
}

TEST_CASE("a leader whose epoch is not its own any more stops, and takes a higher one") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.run(1s);
  internal::WriteZnode take;
  take.set_path(epoch_path);
  SECTION("somebody wrote another") {
    internal::EpochRecord record;
    record.set_epoch(41);
    take.set_data(record.SerializeAsString());
    w.ask(take);
    w.run(5s);
    CHECK(a.facts ==
          strings{"started 1", "leader a", "stopped 1 EPOCH_TAKEN", "leader nobody", "started 42", "leader a"});
  }
  SECTION("what is there cannot be read: nobody leads until it can") {
    take.set_data("\xff\xff");
    w.ask(take);
    w.run(30s);
    CHECK(a.facts == strings{"started 1", "leader a", "stopped 1 EPOCH_TAKEN", "leader nobody"});
    internal::EpochRecord record;
    record.set_epoch(7);
    take.set_data(record.SerializeAsString());
    w.ask(take);
    w.run(5s);
    CHECK(a.epoch == 8);
  }
}

TEST_CASE("a leader whose znode says nothing that can be understood is nobody") {
  elector_world w;
  auto& agent = w.add_observer("agent");
  for (const auto* path : {"/troupe", "/troupe/test", "/troupe/test/members", "/troupe/test/members/stray"}) {
    internal::CreateZnode folder;
    folder.set_path(path);
    w.ask(folder);
  }
  internal::CreateZnode member;
  member.set_path(members_path + "/00000000000000ff-");
  member.set_data("?");
  member.set_sequential(true);
  w.ask(member);
  w.run(10s);
  CHECK(agent.facts.empty());
}
