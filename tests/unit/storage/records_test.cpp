#include "storage/records.hpp"

#include "troupe/v1/troupe.pb.h"

#include <catch2/catch.hpp>

using namespace troupe;

namespace {

v1::Labels some_message() {
  v1::Labels message;
  auto& label = *message.add_labels();
  label.set_key("rack");
  label.set_value("r-17");
  return message;
}

}  // namespace

TEST_CASE("a record reads back as the message it was made of") {
  v1::Labels read;
  REQUIRE(decode_record(encode_record(some_message()), read));
  CHECK(read.SerializeAsString() == some_message().SerializeAsString());
}

TEST_CASE("a record is version, checksum and protobuf bytes, to the bit") {
  v1::TaskID message;
  message.set_value("123456789");
  // CRC-32C of 0a 09 '1'…'9', little endian.
  const std::string record = encode_record(message);
  CHECK(record.substr(0, 1) == "\x01");
  CHECK(record.substr(5) ==
        "\x0a\x09"
        "123456789");
  CHECK(record.substr(1, 4) == "\xcc\x20\x8f\xf8");
}

TEST_CASE("an empty message is a record of its header alone") {
  const std::string record = encode_record(v1::Labels());
  CHECK(record.size() == 5);
  v1::Labels read;
  CHECK(decode_record(record, read));
}

TEST_CASE("a message that lacks required fields is remembered as it is") {
  const std::string record = encode_record(v1::TaskID());
  v1::TaskID read;
  REQUIRE(decode_record(record, read));
  CHECK_FALSE(read.has_value());
}

TEST_CASE("a record with any one bit turned is corrupt") {
  const std::string sound = encode_record(some_message());
  for (std::size_t bit = 0; bit < sound.size() * 8; ++bit) {
    std::string record = sound;
    record[bit / 8] = static_cast<char>(record[bit / 8] ^ (1 << (bit % 8)));
    v1::Labels read;
    const auto decoded = decode_record(record, read);
    INFO("bit " << bit);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == errc::corrupt);
  }
}

TEST_CASE("a record cut short anywhere is corrupt") {
  const std::string sound = encode_record(some_message());
  for (std::size_t length = 0; length < sound.size(); ++length) {
    v1::Labels read;
    const auto decoded = decode_record(std::string_view(sound).substr(0, length), read);
    INFO("length " << length);
    REQUIRE_FALSE(decoded);
    CHECK(decoded.error().code == errc::corrupt);
  }
}

TEST_CASE("a record of another version says which versions there are") {
  std::string record = encode_record(some_message());
  record[0] = 9;
  const auto checked = check_record(record);
  REQUIRE_FALSE(checked);
  CHECK(checked.error().message == "A record has version 9; this release reads version 1.");
}

TEST_CASE("sound bytes that are not the message asked for are corrupt and name it") {
  v1::TaskID message;
  message.set_value("\x0f");
  v1::Labels read;
  const auto decoded = decode_record(encode_record(message), read);
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().message == "The bytes of a record are not a " + read.GetTypeName() + ".");
}

TEST_CASE("a record over the limit is corrupt before a byte of it is parsed") {
  v1::Labels read;
  const auto decoded = decode_record(std::string(record_bytes_max + 1, '\1'), read);
  REQUIRE_FALSE(decoded);
  CHECK(decoded.error().code == errc::corrupt);
}

TEST_CASE("two equal messages are equal bytes, in whatever order their maps were filled") {
  v1::FrameworkInfo up, down;
  for (int i = 0; i < 100; ++i) {
    (*up.mutable_offer_filters())["role-" + std::to_string(i)];
    (*down.mutable_offer_filters())["role-" + std::to_string(99 - i)];
  }
  CHECK(encode_record(up) == encode_record(down));
}
