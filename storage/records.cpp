#include "storage/records.hpp"

#include "protocol/deterministic_bytes.hpp"
#include "storage/checksum.hpp"

namespace troupe {

namespace {

constexpr std::size_t checksum_at = 1;
constexpr std::size_t payload_at = checksum_at + checksum_bytes;

error corrupt(std::string what) {
  return {errc::corrupt, std::move(what)};
}

}  // namespace

std::string encode_record(const google::protobuf::Message& message) {
  std::string record(payload_at, '\0');
  record[0] = static_cast<char>(record_version);
  append_deterministic_bytes(message, record);
  record.replace(checksum_at, checksum_bytes, checksum({std::string_view(record).substr(payload_at)}));
  return record;
}

result<void> check_record(std::string_view record) {
  if (record.size() < payload_at) {
    return corrupt("A record of " + std::to_string(record.size()) + " bytes is shorter than its header of " +
                   std::to_string(payload_at) + " bytes.");
  }
  if (record.size() > record_bytes_max) {
    return corrupt("A record of " + std::to_string(record.size()) + " bytes is longer than the " +
                   std::to_string(record_bytes_max) + " bytes allowed.");
  }
  if (version_of(record) != record_version) {
    return corrupt("A record has version " + std::to_string(version_of(record)) + "; this release reads version " +
                   std::to_string(record_version) + ".");
  }
  if (checksum({record.substr(payload_at)}) != record.substr(checksum_at, checksum_bytes)) {
    return corrupt("The checksum of a record does not match its bytes.");
  }
  return {};
}

result<void> decode_record(std::string_view record, google::protobuf::Message& message) {
  if (const auto sound = check_record(record); !sound) return sound.error();
  const std::string_view payload = record.substr(payload_at);
  if (!message.ParsePartialFromArray(payload.data(), static_cast<int>(payload.size()))) {
    return corrupt("The bytes of a record are not a " + message.GetTypeName() + ".");
  }
  return {};
}

}  // namespace troupe
