#pragma once

#include "protocol/error.hpp"

#include <google/protobuf/message.h>

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace troupe {

/// One change of what is remembered: a record put under a key, or the key erased.
struct edit {
  std::string key;
  std::optional<std::string> record;  ///< as encode_record gives it; absent means erase

  friend bool operator==(const edit& a, const edit& b) { return a.key == b.key && a.record == b.record; }
};

/// The version of the records that are written, and the newest that can be read.
constexpr unsigned record_version = 1;

/// The version that a record says it has; 0 for an empty one.
inline unsigned version_of(std::string_view record) {
  return record.empty() ? 0 : static_cast<unsigned char>(record[0]);
}

/// A record: version byte, CRC-32C of what follows (4 bytes, little endian), protobuf bytes
/// (serialised deterministically).
std::string encode_record(const google::protobuf::Message& message);

/// The longest record that is stored or read. Far above what the limits on requests let through; it bounds what damage
/// can cost.
constexpr std::size_t record_bytes_max = std::size_t{64} << 20;

/// Whether the record is as it was written: length, version, checksum. Errors: corrupt, naming what is wrong.
result<void> check_record(std::string_view record);

/// Checks version and checksum and parses into `message`. Errors: corrupt, naming what is wrong.
result<void> decode_record(std::string_view record, google::protobuf::Message& message);

inline edit put(std::string key, const google::protobuf::Message& message) {
  return {std::move(key), encode_record(message)};
}
inline edit erase(std::string key) {
  return {std::move(key), std::nullopt};
}

}  // namespace troupe
