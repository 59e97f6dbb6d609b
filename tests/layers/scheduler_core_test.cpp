#include "frameworks/sdk/scheduler_core.hpp"

#include <catch2/catch.hpp>

namespace {

class idle : public troupe::sdk::scheduler {
 public:
  troupe::v1::FrameworkInfo describe() const override {
    troupe::v1::FrameworkInfo info;
    info.set_name("idle");
    info.set_user("nobody");
    return info;
  }
  void on_offers(troupe::sdk::calls&, const std::vector<troupe::v1::Offer>&) override {}
  void on_status(troupe::sdk::calls&, const troupe::v1::TaskStatus&) override {}
};

}  // namespace

TEST_CASE("a scheduler's core subscribes when its master is there, in a program of its own") {
  troupe::sdk::scheduler_core core(std::make_shared<idle>(), {});
  troupe::internal::PeerConnected connected;
  *connected.mutable_peer() = troupe::leader();
  auto out = core.on(troupe::Envelope{}, connected, troupe::context{});
  core.check_invariants();
  REQUIRE(out.letters.size() == 1);
  CHECK(out.letters[0].verb == troupe::verb_number<troupe::scheduler::Call::Subscribe>::value);
}
