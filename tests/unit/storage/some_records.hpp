#pragma once

#include "storage/journal_store.hpp"

#include "troupe/v1/troupe.pb.h"

#include <initializer_list>
#include <map>
#include <string>

namespace troupe::test {

inline v1::TaskID named(const std::string& value) {
  v1::TaskID message;
  message.set_value(value);
  return message;
}

inline edit_batch batch(std::vector<edit> edits) {
  return std::make_shared<const std::vector<edit>>(std::move(edits));
}

/// One batch that puts each key with a record of its own name.
inline edit_batch puts(std::initializer_list<std::string> keys) {
  std::vector<edit> edits;
  for (const auto& key : keys) edits.push_back(put(key, named(key)));
  return batch(std::move(edits));
}

/// What was found, as key and value.
inline std::map<std::string, std::string> contents(const scan_result& found) {
  std::map<std::string, std::string> out;
  for (const auto& each : found.records) {
    v1::TaskID message;
    out[each.key] = decode_record(each.record, message) ? message.value() : "(corrupt)";
  }
  return out;
}

inline std::vector<std::string> keys_of(const scan_result& found) {
  std::vector<std::string> out;
  for (const auto& each : found.records) out.push_back(each.key);
  return out;
}

inline std::vector<std::string> damaged_keys(const scan_result& found) {
  std::vector<std::string> out;
  for (const auto& each : found.damaged) out.push_back(each.key);
  return out;
}

}  // namespace troupe::test
