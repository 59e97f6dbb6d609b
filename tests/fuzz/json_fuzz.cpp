#include "protocol/json_reader.hpp"
#include "protocol/json_writer.hpp"
#include "tests/fuzz/fuzzing.hpp"
#include "troupe/v1/agent.pb.h"
#include "troupe/v1/executor.pb.h"
#include "troupe/v1/master.pb.h"
#include "troupe/v1/quota.pb.h"
#include "troupe/v1/scheduler.pb.h"

#include <iterator>
#include <memory>
#include <string>

/// JSON into messages of the v1 API and back. The first byte chooses the message.
namespace troupe {

namespace {

const google::protobuf::Message* const prototypes[] = {
    &v1::scheduler::Call::default_instance(),    &v1::scheduler::Event::default_instance(),
    &v1::executor::Call::default_instance(),     &v1::executor::Event::default_instance(),
    &v1::agent::Call::default_instance(),        &v1::master::Call::default_instance(),
    &v1::quota::QuotaConfig::default_instance(), &v1::ContainerID::default_instance()};

}  // namespace

}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  fuzzing::input in(data, size);
  const auto& prototype = *prototypes[in.choose() % std::size(prototypes)];
  std::unique_ptr<google::protobuf::Message> message(prototype.New());
  if (auto read = from_json(in.rest(), *message); !read) {
    fuzzing::require(!read.error().message.empty(), "a refusal has a reason");
    return 0;
  }
  fuzzing::require(message->IsInitialized(), "what was read is complete");
  const auto text = to_json(*message);
  std::unique_ptr<google::protobuf::Message> again(prototype.New());
  if (!from_json(text, *again)) {
    // Written as clients of old know it, which is not how they send it.
    fuzzing::require(text.find("Infinity") != std::string::npos, "what we write we read");
    return 0;
  }
  fuzzing::require(to_json(*again) == text, "reading it again changes nothing");
  return 0;
}
