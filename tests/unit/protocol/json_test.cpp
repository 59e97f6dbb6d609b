#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"
#include "tests/unit/protocol/random_message.hpp"
#include "tests/unit/protocol/vocabulary.hpp"

#include <google/protobuf/util/message_differencer.h>

#include <catch2/catch.hpp>

#include <memory>

namespace troupe::tests {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::Message;

std::unique_ptr<Message> new_message(const Descriptor* type) {
  return std::unique_ptr<Message>(google::protobuf::MessageFactory::generated_factory()->GetPrototype(type)->New());
}

/// Unset and set to the default are the same here: the writer spells defaults out.
bool equivalent(const Message& a, const Message& b, std::string& difference) {
  google::protobuf::util::MessageDifferencer differencer;
  differencer.set_message_field_comparison(google::protobuf::util::MessageDifferencer::EQUIVALENT);
  differencer.ReportDifferencesToString(&difference);
  return differencer.Compare(a, b);
}

}  // namespace

TEST_CASE("every type of the vocabulary, filled at random, comes back from JSON as it was") {
  std::uint64_t seed = 1;
  for (const auto* type : vocabulary_messages()) {
    for (int i = 0; i < 8; ++i, ++seed) {
      const auto message = new_message(type);
      random_message_filler(seed).fill(*message);
      const auto text = to_json(*message);
      INFO(type->full_name() << ", seed " << seed << ": " << text);

      const auto back = new_message(type);
      const auto done = from_json(text, *back);
      INFO((done ? std::string("read") : done.error().message));
      REQUIRE(done);
      std::string difference;
      const bool same = equivalent(*message, *back, difference);
      INFO(difference);
      REQUIRE(same);
      REQUIRE(to_json(*back) == text);
    }
  }
}

TEST_CASE("equal messages give equal text, however their maps were built") {
  for (const auto* type : vocabulary_messages()) {
    const auto message = new_message(type);
    random_message_filler(7).fill(*message);
    const auto copy = new_message(type);
    REQUIRE(copy->ParseFromString(message->SerializeAsString()));
    CHECK(to_json(*copy) == to_json(*message));
  }
}

}  // namespace troupe::tests
