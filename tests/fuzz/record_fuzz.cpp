#include "storage/checksum.hpp"
#include "storage/keys.hpp"
#include "storage/scan.hpp"
#include "storage/seal.hpp"
#include "tests/fuzz/fuzzing.hpp"

#include "troupe/internal/records.pb.h"

#include <iterator>
#include <memory>

/// What a scan of the journal finds under a key: `key LF value`. The first byte chooses the record that its reader
/// expects, and whether the checksums are made to fit, so that the fuzzer gets behind them.
namespace troupe {

namespace {

const google::protobuf::Message* const prototypes[] = {
    &internal::AgentRecord::default_instance(),     &internal::FrameworkRecord::default_instance(),
    &internal::WeightRecord::default_instance(),    &internal::CounterRecord::default_instance(),
    &internal::AgentSelfRecord::default_instance(), &internal::ExecutorRecord::default_instance(),
    &internal::TaskRecord::default_instance(),      &internal::UpdateRecord::default_instance()};
constexpr std::uint8_t fitting = 0x80;

void check_key(std::string_view key) {
  const auto parts = keys::components(key);
  if (parts.empty()) return;
  fuzzing::require(keys::path({parts.begin(), parts.end()}) == key, "a key is the path of its components");
}

void check_reading(std::string_view record, const google::protobuf::Message& prototype) {
  std::unique_ptr<google::protobuf::Message> message(prototype.New());
  const auto sound = check_record(record);
  if (auto read = decode_record(record, *message); !read) {
    return fuzzing::require(read.error().code == errc::corrupt, "what cannot be read is corrupt");
  }
  fuzzing::require(static_cast<bool>(sound), "what is read is sound");
  std::unique_ptr<google::protobuf::Message> again(prototype.New());
  const auto written = encode_record(*message);
  fuzzing::require(static_cast<bool>(decode_record(written, *again)), "what is written is read");
  fuzzing::require(encode_record(*again) == written, "reading it again changes nothing");
}

void check_scan(std::string_view key, std::string_view sealed) {
  scanning::sorter sorter;
  const auto record = unseal(key, sealed);
  record ? sorter.see(key, *record) : sorter.see_damaged(key, sealed);
  const auto moves = sorter.moves();
  const auto found = sorter.take();
  fuzzing::require(found.records.size() + found.damaged.size() == 1, "a record is sound or reported");
  fuzzing::require(moves.empty() || moves.size() == 2, "what is moved is put elsewhere and erased");
}

std::string fitted(std::string_view payload) {
  return "\x01" + checksum({payload}) + std::string(payload);
}

}  // namespace

}  // namespace troupe

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace troupe;
  fuzzing::input in(data, size);
  const auto choice = in.choose();
  const auto key = in.until('\n');
  const auto& prototype = *prototypes[choice % std::size(prototypes)];
  check_key(key);
  if (choice & fitting) {
    const auto record = fitted(in.rest());
    check_reading(record, prototype);
    fuzzing::require(unseal(key, seal(key, record)) == record, "a seal comes off");
    check_scan(key, seal(key, record));
  } else {
    check_reading(in.rest(), prototype);
    check_scan(key, in.rest());
  }
  return 0;
}
