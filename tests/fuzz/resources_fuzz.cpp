#include "protocol/attributes.hpp"
#include "protocol/resources.hpp"
#include "tests/fuzz/fuzzing.hpp"

/// The texts of resources and of attributes, from flags and people. The first byte chooses which, and the role that
/// takes what names none.
namespace troupe {

namespace {

void check_resources(std::string_view text, std::string_view default_role) {
  auto some = resources::parse(text, default_role);
  if (!some) return fuzzing::require(!some.error().message.empty(), "a refusal has a reason");
  some->check_invariants();
  auto again = resources::parse(some->text());
  fuzzing::require(again && *again == *some, "resources read back as they were written");
  auto from_messages = resources::from(some->proto());
  fuzzing::require(from_messages && *from_messages == *some, "resources come back from messages as they went");
  fuzzing::require((*some - *some).empty(), "all of it less all of it is nothing");
}

void check_attributes(std::string_view text) {
  auto list = parse_attributes(text);
  if (!list) return fuzzing::require(!list.error().message.empty(), "a refusal has a reason");
  fuzzing::require(static_cast<bool>(validate_attributes(*list)), "what was read is valid");
  const auto written = text_of(*list);
  auto again = parse_attributes(written);
  fuzzing::require(again && text_of(*again) == written, "attributes read back as they were written");
}

}  // namespace

}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  fuzzing::input in(data, size);
  switch (in.choose() % 3) {
    case 0:
      check_resources(in.rest(), "*");
      break;
    case 1:
      check_resources(in.rest(), "eng/db");
      break;
    case 2:
      check_attributes(in.rest());
      break;
  }
  return 0;
}
