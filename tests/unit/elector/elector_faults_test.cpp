// Answers that are lost, late, or come twice; and what happens between two requests.
#include "tests/unit/elector/elector_world.hpp"

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

using strings = std::vector<std::string>;
using fate = elector_world::fate;

const std::string epoch_path = "/troupe/test/epoch";

/// Up to its request to become a member.
void until_it_joins(elector_world& w, elector_world::member& m) {
  for (;;) {
    w.run_until_asked<internal::CreateZnode>(m);
    if (static_cast<const internal::CreateZnode&>(*m.requests.front()).ephemeral()) return;
    w.serve(m);
  }
}

/// Up to its request to make the first epoch.
void until_it_makes_the_epoch(elector_world& w, elector_world::member& m) {
  for (;;) {
    w.run_until_asked<internal::CreateZnode>(m);
    if (static_cast<const internal::CreateZnode&>(*m.requests.front()).path() == epoch_path) return;
    w.serve(m);
  }
}

/// A candidate that is to lead after another, up to its request to raise the epoch.
elector_world::member& heir(elector_world& w) {
  auto& a = w.add_candidate("a");
  w.settle();
  auto& b = w.add_candidate("b");
  w.run(1s);
  w.disconnect(a);
  w.expire(a);
  w.run_until_asked<internal::WriteZnode>(b);
  return b;
}

}  // namespace

TEST_CASE("a member whose making was not answered is found again, and made once") {
  elector_world w;
  auto& a = w.add_candidate("a");
  until_it_joins(w, a);
  const auto what = GENERATE(fate::lost_before, fate::lost_after);
  w.serve(a, what);
  CHECK(w.members_in_service().size() == (what == fate::lost_after ? 1u : 0u));

  SECTION("the session is suspended with it") {
    w.disconnect(a);
    w.settle();
    w.reconnect(a);
  }
  SECTION("or it is not") {}
  w.run(5s);
  CHECK(w.members_in_service().size() == 1);
  CHECK(a.facts == strings{"started 1", "leader a"});
}

TEST_CASE("the first epoch is one, whether or not its lost making was done") {
  elector_world w;
  auto& a = w.add_candidate("a");
  until_it_makes_the_epoch(w, a);
  w.serve(a, GENERATE(fate::lost_before, fate::lost_after));
  w.run(5s);
  CHECK(a.facts == strings{"started 1", "leader a"});
  CHECK(w.epoch_in_service()->epoch() == 1);
}

TEST_CASE("an epoch whose writing was not answered is ours if it was written, and is written again if it was not") {
  elector_world w;
  auto& b = heir(w);
  const auto what = GENERATE(fate::lost_before, fate::lost_after);
  w.serve(b, what);
  CHECK(w.epoch_in_service()->epoch() == (what == fate::lost_after ? 2u : 1u));
  w.tell(b);
  CHECK(b.epoch == 0);
  w.run(5s);
  CHECK(b.facts == strings{"leader a", "leader nobody", "started 2", "leader b"});
  CHECK(w.epoch_in_service()->epoch() == 2);
  CHECK(w.service.find(epoch_path)->version == 1);
}

TEST_CASE("an epoch that was written by a session which is over by now is not ours") {
  elector_world w;
  auto& b = heir(w);
  w.serve(b, fate::lost_after);
  w.expire(b);
  w.run(5s);
  CHECK(b.epoch == 3);
}

TEST_CASE("an epoch that somebody writes between the reading and the writing is not overwritten") {
  elector_world w;
  auto& b = heir(w);
  internal::EpochRecord record;
  record.set_epoch(2);
  record.set_session_id(4711);
  internal::WriteZnode between;
  between.set_path(epoch_path);
  between.set_data(record.SerializeAsString());
  w.ask(between);
  w.run(5s);
  CHECK(b.epoch == 3);
}

TEST_CASE("a watch that fires between the reading and the writing makes a candidate look before it leads") {
  elector_world w;
  auto& b = heir(w);
  SECTION("somebody joins: it leads") {
    auto& c = w.add_candidate("c");
    until_it_joins(w, c);
    w.serve(c);
    w.run(5s);
    CHECK(b.epoch == 2);
    CHECK(c.facts == strings{"leader b"});
  }
  SECTION("its own member is removed: it does not") {
    auto& c = w.add_candidate("c");
    until_it_joins(w, c);
    w.serve(c);
    REQUIRE(w.members_in_service().size() == 2);
    internal::DeleteZnode remove;
    remove.set_path("/troupe/test/members/" + *w.members_in_service().begin());
    w.ask(remove);
    w.serve(b);  // the epoch is written; of the watch it hears first
    w.run(1s);
    CHECK(b.facts == strings{"leader a", "leader nobody", "leader c"});
    CHECK(c.epoch == 3);
    w.expire(c);  // and what it wrote then is not what it leads with now
    w.run(1s);
    CHECK(b.epoch == 4);
  }
}

TEST_CASE("an answer to the writing that comes too late to lead by is read again first") {
  elector_world w;
  auto& b = heir(w);
  w.serve(b);
  w.disconnect(b);  // so that no session lives on by itself
  w.tick(9s);
  internal::ZnodeWritten late;
  late.set_request_id(b.core.core().save().pending().request_id());
  late.mutable_stat()->set_version(1);
  REQUIRE(b.core.core().save().has_pending());
  b.core.hear(coordinator(), late);
  CHECK(b.core.core().epoch() == 0);
}

TEST_CASE("answers that come twice, and answers to nothing, change nothing") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.settle();
  const auto before = a.core.core().save().SerializeAsString();
  for (const auto& request : {1u, 2u, 3u, 99u}) {
    internal::ZnodeWritten written;
    written.set_request_id(request);
    CHECK(a.core.hear(coordinator(), written).letters.empty());
    internal::RequestLost lost;
    lost.set_request_id(request);
    CHECK(a.core.hear(coordinator(), lost).letters.empty());
    internal::SessionExpired expired;
    expired.set_session_id(1000 + request);
    CHECK(a.core.hear(coordinator(), expired).letters.empty());
  }
  CHECK(a.core.core().save().SerializeAsString() == before);
}

TEST_CASE("a line that started over is asked for a session again, and its new session ends the old one's lead") {
  elector_world w;
  auto& a = w.add_candidate("a");
  w.run(1s);
  a.session.reset();  // it answers requests with `lost`, and knows nothing of the session
  w.run(5s);
  CHECK(a.facts == strings{"started 1", "leader a", "stopped 1 SESSION_EXPIRED", "leader nobody"});
  CHECK(w.members_in_service().size() == 2);  // of both sessions; the first one is nobody's any more
  w.run(10s);
  CHECK(a.facts.back() == "leader a");
  CHECK(a.epoch == 2);
  CHECK(w.members_in_service().size() == 1);
}
