// Electors under random faults, from a seed.
#include "tests/unit/elector/elector_world.hpp"
#include "tests/unit/seeds.hpp"

using namespace troupe;
using namespace troupe::testing;
using namespace std::chrono_literals;

namespace {

using fate = elector_world::fate;

/// What may go wrong at every step, in thousandths.
struct weather {
  unsigned lost = 30;
  unsigned disconnected = 20;
  unsigned reconnected = 40;
  unsigned cut_off = 5;
  unsigned expired = 0;  ///< before its time: nobody's clock can tell, and two may lead for a moment, with two epochs
};

class storm {
 public:
  storm(std::uint64_t seed, weather w) : random_(seed), weather_(w) {
    for (const auto* name : {"a", "b", "c"}) world_.add_candidate(name);
    world_.add_observer("agent");
  }

  void step() {
    auto& m = *world_.members()[random_.below(world_.members().size())];
    if (happens(weather_.disconnected)) {
      while (happens(500) && world_.serve(m, fate::lost_after)) continue;
      world_.disconnect(m);
    }
    if (happens(weather_.reconnected)) world_.reconnect(m);
    if (happens(weather_.cut_off)) world_.cut_off(m);
    if (happens(weather_.expired)) world_.expire(m);
    if (happens(200)) {
      world_.tick(std::chrono::milliseconds(1 + random_.below(400)));
      if (weather_.expired == 0) REQUIRE(world_.leaders().size() <= 1);
    }
    if (random_.below(2) == 0)
      world_.tell(m);
    else
      world_.serve(
          m, happens(weather_.lost) ? (random_.below(2) == 0 ? fate::lost_before : fate::lost_after) : fate::answered);
    if (world_.leaders().size() != led_by_) leads_changed_++;
    led_by_ = world_.leaders().size();
  }

  void calm() {
    for (auto& m : world_.members()) {
      if (m->cut_off) world_.disconnect(*m);
      world_.reconnect(*m);
    }
    world_.run(60s);
    const auto leading = world_.leaders();
    REQUIRE(leading.size() == 1);
    for (auto& m : world_.members()) {
      INFO(m->name);
      CHECK(m->facts.back() == "leader " + leading.front()->name);
    }
    CHECK(world_.members_in_service().size() == 3);
    CHECK(world_.epoch_in_service()->epoch() == leading.front()->epoch);
  }

  unsigned changes() const { return leads_changed_; }

 private:
  bool happens(unsigned thousandths) { return random_.below(1000) < thousandths; }

  random_stream random_;
  weather weather_;
  elector_world world_;
  std::size_t led_by_ = 0;
  unsigned leads_changed_ = 0;
};

void weather_out(std::uint64_t seed, weather w) {
  INFO("seed " << seed);
  storm s(seed, w);
  for (int i = 0; i < 10000; ++i) s.step();
  CHECK(s.changes() > 10);
  s.calm();
}

}  // namespace

TEST_CASE("with lost connections and answers one leads at most at any time, and exactly one when all is well again") {
  for (std::uint64_t seed = 1; seed <= test::seeds(10); ++seed) weather_out(seed, weather{});
}

TEST_CASE("with sessions ended before their time no two ever lead with one epoch, and epochs rise") {
  weather w;
  w.expired = 10;
  for (std::uint64_t seed = 1; seed <= test::seeds(10); ++seed) weather_out(seed, w);
}
