// Records as they were written once are read for ever, and say what they said then. README.md describes the files.
#include "storage/records.hpp"
#include "storage/keys.hpp"
#include "storage/record_types.hpp"
#include "troupe/internal/records.pb.h"

#include <google/protobuf/descriptor.h>
#include <google/protobuf/dynamic_message.h>
#include <google/protobuf/text_format.h>

#include <catch2/catch.hpp>

#include <algorithm>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <set>
#include <sstream>
#include <string>
#include <vector>

using namespace troupe;

namespace {

namespace fs = std::filesystem;
using google::protobuf::Message;

/// One golden file: a comment, `key:`, `type:`, `record:` (hexadecimal) and `text:`.
struct golden_record {
  fs::path file;
  std::string comment, key, type, record, text;
};

std::string from_hex(const std::string& digits) {
  std::string bytes;
  for (std::size_t i = 0; i + 1 < digits.size(); i += 2)
    bytes.push_back(static_cast<char>(std::stoi(digits.substr(i, 2), nullptr, 16)));
  return bytes;
}

std::string to_hex_lines(const std::string& bytes) {
  constexpr const char* digits = "0123456789abcdef";
  constexpr std::size_t bytes_a_line = 48;
  std::string out;
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    if (i % bytes_a_line == 0) out += "\n  ";
    out += digits[static_cast<unsigned char>(bytes[i]) >> 4];
    out += digits[static_cast<unsigned char>(bytes[i]) & 15];
  }
  return out;
}

golden_record read_golden(const fs::path& file) {
  golden_record out;
  out.file = file;
  std::ifstream in(file);
  std::string line, digits;
  bool hex = false;
  while (std::getline(in, line) && line != "text:") {
    const auto value = [&](const std::string& name) { return line.substr(name.size()); };
    if (line.rfind('#', 0) == 0) {
      out.comment += line + "\n";
    } else if (line.rfind("key: ", 0) == 0) {
      out.key = value("key: ");
    } else if (line.rfind("type: ", 0) == 0) {
      out.type = value("type: ");
    } else if (line == "record:") {
      hex = true;
    } else {
      INFO(file << ": " << line);
      REQUIRE(hex);
      REQUIRE(line.rfind("  ", 0) == 0);
      digits += line.substr(2);
    }
  }
  REQUIRE(digits.size() % 2 == 0);
  REQUIRE(digits.find_first_not_of("0123456789abcdef") == std::string::npos);
  out.record = from_hex(digits);
  out.text = {std::istreambuf_iterator<char>(in), {}};
  return out;
}

std::vector<golden_record> all_golden() {
  std::vector<golden_record> all;
  for (const auto& each : fs::directory_iterator(TROUPE_GOLDEN "/records")) all.push_back(read_golden(each.path()));
  std::sort(all.begin(), all.end(), [](const auto& a, const auto& b) { return a.file < b.file; });
  return all;
}

std::unique_ptr<Message> message_of(const std::string& type) {
  const auto* found = google::protobuf::DescriptorPool::generated_pool()->FindMessageTypeByName(type);
  if (!found) return nullptr;
  return std::unique_ptr<Message>(google::protobuf::MessageFactory::generated_factory()->GetPrototype(found)->New());
}

std::string text_of(const Message& message) {
  std::string text;
  google::protobuf::TextFormat::PrintToString(message, &text);
  return text;
}

bool lies_at(const std::string& key, const std::string& place) {
  const auto parts = keys::components(key);
  std::vector<std::string> wanted;
  std::istringstream in(place);
  for (std::string part; std::getline(in, part, '/');) wanted.push_back(part);
  return std::equal(parts.begin(), parts.end(), wanted.begin(), wanted.end(),
                    [](const std::string& a, const std::string& b) { return b == "*" || a == b; });
}

}  // namespace

TEST_CASE("every golden record is read as what it said when it was written") {
  for (const auto& golden : all_golden()) {
    INFO(golden.file);
    const auto message = message_of(golden.type);
    REQUIRE(message);
    const auto read = decode_record(golden.record, *message);
    INFO((read ? "" : read.error().message));
    REQUIRE(read);
    CHECK(text_of(*message) == golden.text);
  }
}

TEST_CASE("what the first release wrote is written alike today, byte for byte") {
  for (const auto& golden : all_golden()) {
    INFO(golden.file);
    const auto message = message_of(golden.type);
    REQUIRE(message);
    REQUIRE(google::protobuf::TextFormat::ParseFromString(golden.text, message.get()));
    if (version_of(golden.record) == record_version) CHECK(encode_record(*message) == golden.record);
  }
}

TEST_CASE("the record of a key is read as the type that lies there") {
  for (const auto& golden : all_golden()) {
    const auto type = record_type(golden.key);
    INFO(golden.file);
    if (type) CHECK(type->GetTypeName() == golden.type);
  }
}

TEST_CASE("every place in the key tree has a golden record") {
  const auto all = all_golden();
  for (const auto& place : record_places()) {
    INFO("add a file to tests/golden/records, as its README says, for " << place);
    CHECK(std::any_of(all.begin(), all.end(), [&](const auto& golden) { return lies_at(golden.key, place); }));
  }
}

TEST_CASE("every message that records.proto names a record has a golden record, and each of its fields stands in one") {
  std::set<std::string> types, fields;
  for (const auto& golden : all_golden()) {
    types.insert(golden.type);
    const auto message = message_of(golden.type);
    REQUIRE(message);
    REQUIRE(decode_record(golden.record, *message));
    std::vector<const google::protobuf::FieldDescriptor*> set;
    message->GetReflection()->ListFields(*message, &set);
    for (const auto* field : set) fields.insert(field->full_name());
  }
  std::set<const google::protobuf::Descriptor*> wanted;
  const auto* file = internal::AgentSelfRecord::descriptor()->file();
  for (int i = 0; i < file->message_type_count(); ++i) wanted.insert(file->message_type(i));
  for (const auto& type : types) wanted.insert(message_of(type)->GetDescriptor());
  for (const auto* type : wanted) {
    INFO("add it to a file of tests/golden/records, or add one: " << type->full_name());
    CHECK(types.count(type->full_name()) == 1);
    for (int i = 0; i < type->field_count(); ++i) {
      INFO(type->field(i)->full_name());
      CHECK(fields.count(type->field(i)->full_name()) == 1);
    }
  }
}

TEST_CASE("a golden record of a later version is refused by name of both versions") {
  for (auto golden : all_golden()) {
    const auto message = message_of(golden.type);
    golden.record[0] = static_cast<char>(record_version + 1);
    const auto read = decode_record(golden.record, *message);
    REQUIRE_FALSE(read);
    CHECK(read.error().message == "A record has version 2; this release reads version 1.");
  }
}

/// Not a test: gives files that have a text and no record yet what today's release writes for it. What has a record is
/// never changed.
TEST_CASE("write the records that are missing", "[.write]") {
  for (const auto& golden : all_golden()) {
    if (!golden.record.empty()) continue;
    const auto message = message_of(golden.type);
    INFO(golden.file);
    REQUIRE(message);
    REQUIRE(google::protobuf::TextFormat::ParseFromString(golden.text, message.get()));
    std::ofstream(golden.file) << golden.comment << "key: " << golden.key << "\ntype: " << golden.type
                               << "\nrecord:" << to_hex_lines(encode_record(*message)) << "\ntext:\n"
                               << text_of(*message);
  }
}
