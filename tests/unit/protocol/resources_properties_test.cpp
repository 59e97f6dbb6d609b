// Laws of the algebra, over resources drawn at random. A failure names the seed; random_resources(seed) draws the case
// again.
#include "protocol/resources.hpp"
#include "tests/unit/protocol/random_resources.hpp"
#include "tests/unit/seeds.hpp"

#include <catch2/catch.hpp>

#include <algorithm>

using troupe::resources;
using troupe::testing::holds;
using troupe::testing::model_of;
using troupe::testing::random_resources;
using troupe::testing::sum_of;

namespace {

const std::uint64_t cases = troupe::test::seeds(2000);

/// Calls law(random) for every seed.
template <class Law>
void for_all(Law law) {
  for (std::uint64_t seed = 1; seed <= cases; ++seed) {
    INFO("seed " << seed);
    random_resources random(seed);
    law(random);
  }
}

resources checked(resources r) {
  r.check_invariants();
  return r;
}

}  // namespace

TEST_CASE("reading a list gives what the list says, whatever its order") {
  for_all([](auto& random) {
    auto list = random.list();
    const auto read = checked(resources::from(list).value());
    REQUIRE(model_of(read.proto()) == model_of(list));
    std::reverse(list.begin(), list.end());
    REQUIRE(resources::from(list).value() == read);
  });
}

TEST_CASE("a sum holds what both sides hold") {
  for_all([](auto& random) {
    const auto a = random.draw();
    const auto b = random.draw();
    const auto sum = checked(a + b);
    REQUIRE(model_of(sum.proto()) == sum_of(model_of(a.proto()), model_of(b.proto())));
    REQUIRE(sum.contains(a));
    REQUIRE(sum.contains(b));
  });
}

TEST_CASE("sums commute and associate, and nothing is their zero") {
  for_all([](auto& random) {
    const auto a = random.draw();
    const auto b = random.draw();
    const auto c = random.draw();
    REQUIRE(a + b == b + a);
    REQUIRE(checked((a + b) + c) == checked(a + (b + c)));
    REQUIRE(a + resources() == a);
    REQUIRE(resources() + a == a);
  });
}

TEST_CASE("what was added can be taken away again, if ranges and sets do not overlap") {
  std::uint64_t disjoint = 0;
  for_all([&](auto& random) {
    const auto a = random.draw();
    const auto b = random.draw();
    const auto rest = checked((a + b) - b);
    REQUIRE((rest == a) == !a.overlaps(b));
    REQUIRE(a.overlaps(b) == b.overlaps(a));
    REQUIRE(rest + b == a + b);
    disjoint += a.overlaps(b) ? 0 : 1;
  });
  REQUIRE(disjoint > cases / 4);
  REQUIRE(disjoint < cases);
}

TEST_CASE("a contains b exactly if the naive model says so, and then a is b and the rest") {
  std::uint64_t contained = 0;
  for_all([&](auto& random) {
    const auto a = random.draw();
    const auto b = random.once_in(2) ? random.draw() : random.part_of(a);
    REQUIRE(a.contains(b) == holds(model_of(a.proto()), model_of(b.proto())));
    REQUIRE(a.contains(b) == (a.intersect(b) == b));
    if (a.contains(b)) {
      const auto rest = checked(a - b);
      REQUIRE(checked(b + rest) == a);
      REQUIRE_FALSE(rest.overlaps(b));
      ++contained;
    } else {
      auto copy = a;
      REQUIRE_THROWS_AS(copy -= b, std::logic_error);
      REQUIRE(copy == a);
    }
  });
  REQUIRE(contained > cases / 4);
  REQUIRE(contained < cases);
}

TEST_CASE("containment is an order") {
  for_all([](auto& random) {
    const auto a = random.draw();
    const auto b = random.part_of(a);
    const auto c = random.part_of(b);
    const auto d = random.draw();
    REQUIRE(a.contains(a));
    REQUIRE(a.contains(resources()));
    REQUIRE(a.contains(b));
    REQUIRE(a.contains(c));
    REQUIRE(b.contains(a) == (a == b));
    REQUIRE(resources().contains(a) == a.empty());
    REQUIRE((a + d).contains(b + d));
  });
}

TEST_CASE("the intersection is the largest part of both") {
  for_all([](auto& random) {
    const auto a = random.draw();
    const auto b = random.draw();
    const auto both = checked(a.intersect(b));
    REQUIRE(both == b.intersect(a));
    REQUIRE(a.contains(both));
    REQUIRE(b.contains(both));
    const auto rest_of_a = checked(a - both);
    const auto rest_of_b = checked(b - both);
    REQUIRE(rest_of_a.intersect(rest_of_b).empty());
  });
}

TEST_CASE("messages and text read back as the same resources") {
  for_all([](auto& random) {
    const auto a = random.draw();
    REQUIRE(resources::from(a.proto()).value() == a);
    INFO(a.text());
    REQUIRE(checked(resources::parse(a.text()).value()) == a);
  });
}

TEST_CASE("the form for old frameworks reads back, unless a reservation is refined") {
  std::uint64_t converted = 0;
  for_all([&](auto& random) {
    const auto a = random.draw();
    const auto old = a.to_pre_refinement_form();
    const auto stacks = a.proto();
    const bool refined =
        std::any_of(stacks.begin(), stacks.end(), [](const auto& r) { return r.reservations_size() > 1; });
    REQUIRE(old.has_value() == !refined);
    if (refined) return;
    const auto back = resources::from(*old).value();
    REQUIRE(back.amounts() == a.amounts());
    REQUIRE(back.dynamically_reserved() == a.dynamically_reserved());
    REQUIRE(back.unreserved() == a.unreserved());
    ++converted;
  });
  REQUIRE(converted > cases / 8);
}

TEST_CASE("parts that exclude each other add up to the whole") {
  for_all([](auto& random) {
    const auto a = random.draw();
    REQUIRE(checked(a.reserved()) + checked(a.unreserved()) == a);
    REQUIRE(checked(a.revocable()) + checked(a.nonrevocable()) == a);
    REQUIRE(checked(a.scalars()) + checked(a.non_scalars()) == a);
    resources by_name;
    for (const auto& name : a.names()) by_name += checked(a.named(name));
    REQUIRE(by_name == a);
    REQUIRE(a.contains(a.checkpointed()));
    REQUIRE(a.persistent_volumes().contains(a.shared()));
  });
}

TEST_CASE("amounts add up, apart from what is shared or in both") {
  for_all([](auto& random) {
    const auto a = random.draw();
    const auto b = random.draw();
    if (a.overlaps(b) || !a.shared().empty()) return;
    auto sum = a.amounts();
    for (const auto& [name, amount] : b.amounts()) sum[name] += amount;
    REQUIRE((a + b).amounts() == sum);
    for (const auto& [name, amount] : sum) {
      REQUIRE(amount > 0);
      if (!a.scalars().named(name).empty()) REQUIRE((a + b).scalar(name) == amount);
    }
  });
}

TEST_CASE("allocating and reserving change no scalar amount") {
  for_all([](auto& random) {
    const auto a = random.draw();
    const auto tagged = checked(a.allocated_to("eng"));
    REQUIRE(tagged.allocation_role() == (a.empty() ? std::nullopt : std::optional<std::string>("eng")));
    REQUIRE(checked(tagged.unallocated()) == checked(a.unallocated()));
    if (a.shared().empty()) {
      REQUIRE(tagged.scalars().amounts() == a.scalars().amounts());
      REQUIRE(checked(a.to_unreserved()).scalars().amounts() == a.scalars().amounts());
    }
    REQUIRE(a.to_unreserved().reserved().empty());
    REQUIRE(a.allocatable_to("eng/db/x").contains(a.allocatable_to("eng")));
  });
}

TEST_CASE("a reservation that was pushed can be popped") {
  for_all([](auto& random) {
    const auto a = random.draw().nonrevocable();
    resources::reservation top;
    top.set_type(resources::reservation::DYNAMIC);
    top.set_role("eng/db/x/x/x/z");
    const auto volumes = a.persistent_volumes();
    const auto free = (a - volumes).allocatable_to("eng/db/x/x/x/z");
    const auto reserved = checked(free.push_reservation(top).value());
    REQUIRE(reserved.reserved_to("eng/db/x/x/x/z") == reserved);
    REQUIRE(checked(reserved.pop_reservation().value()) == free);
  });
}

TEST_CASE("scalars are found exactly when there are enough plain ones") {
  for_all([](auto& random) {
    const auto a = random.draw().unallocated();
    const troupe::milli wanted = static_cast<troupe::milli>(random.below(6000));
    troupe::milli plain = 0;
    for (const auto& e : a.entries())
      if (e.kind->name == "mem" && e.kind->identity.empty()) plain += e.quantity();
    const auto found = a.find_scalars({{"mem", wanted}});
    REQUIRE(found.has_value() == (wanted <= plain));
    if (!found) return;
    REQUIRE(a.contains(checked(*found)));
    REQUIRE(found->scalar("mem") == wanted);
    REQUIRE(found->named("mem") == *found);
  });
}
