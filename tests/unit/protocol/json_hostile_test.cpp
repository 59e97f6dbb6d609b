#include "protocol/json_reader.hpp"
#include "troupe/v1/agent.pb.h"
#include "troupe/v1/quota.pb.h"
#include "troupe/v1/scheduler.pb.h"

#include <catch2/catch.hpp>

#include <random>
#include <string>

namespace troupe {

namespace {

std::string refusal(const std::string& text, google::protobuf::Message& message, const json_limits& limits = {}) {
  const auto done = from_json(text, message, limits);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::invalid_argument);
  CHECK(done.error().message.size() < 2000);
  return done.error().message;
}

template <class Message>
std::string refusal(const std::string& text, const json_limits& limits = {}) {
  Message message;
  return refusal(text, message, limits);
}

std::string repeat(const std::string& piece, int times) {
  std::string text;
  text.reserve(piece.size() * static_cast<std::size_t>(times));
  for (int i = 0; i < times; ++i) text += piece;
  return text;
}

Catch::Matchers::StdString::ContainsMatcher says(const std::string& part) {
  return Catch::Matchers::Contains(part);
}

}  // namespace

TEST_CASE("nesting a million deep is refused where it passes the limit") {
  CHECK_THAT(refusal<v1::Labels>(repeat("[", 1'000'000)), says("the document: expected an object"));
  CHECK_THAT(refusal<v1::Labels>("{\"labels\":" + repeat("[", 1'000'000)), says("labels[0]"));
  CHECK_THAT(refusal<v1::Labels>("{\"unknown\":" + repeat("[", 1'000'000)),
             says("could not parse") && says("in [\"unknown\"]"));
  CHECK_THAT(refusal<v1::ContainerID>(repeat("{\"parent\":", 800'000)),
             says("could not parse") && says("in parent.parent.parent"));
}

TEST_CASE("nesting up to the limit is read") {
  json_limits limits;
  limits.max_depth = 3;
  v1::ContainerID id;
  CHECK(from_json(R"({"value":"a","parent":{"value":"b","parent":{"value":"c"}}})", id, limits));
  CHECK_THAT(refusal(R"({"value":"a","parent":{"value":"b","parent":{"value":"c","parent":{}}}})", id, limits),
             says("in parent.parent.parent"));
}

TEST_CASE("numbers beyond every integer or double are refused by name") {
  CHECK_THAT(refusal<v1::TimeInfo>(R"({"nanoseconds":123456789012345678901234567890})"),
             says("nanoseconds: expected an integer"));
  CHECK_THAT(refusal<v1::TimeInfo>(R"({"nanoseconds":"1e20"})"), says("nanoseconds: expected an integer"));
  CHECK_THAT(refusal<v1::TimeInfo>(R"({"nanoseconds":-1e300})"), says("nanoseconds: expected an integer"));
  CHECK_THAT(refusal<v1::Value::Scalar>(R"({"value":1e400})"), says("value: expected a number of double precision"));
  CHECK_THAT(refusal<v1::Value::Scalar>(R"({"value":"1e400"})"), says("value: expected a number"));
  CHECK_THAT(refusal<v1::Value::Scalar>(R"({"value":1e99999999999999999999})"), says("in value"));
  CHECK_THAT(refusal<v1::Value::Scalar>("{\"value\":" + repeat("9", 1'000'000) + "}"), says("value"));
}

TEST_CASE("a number of a million digits is read if a double can hold it") {
  v1::Value::Scalar scalar;
  REQUIRE(from_json("{\"value\":0." + repeat("3", 1'000'000) + "}", scalar));
  CHECK(scalar.value() == 1.0 / 3.0);
}

TEST_CASE("a key that comes twice is refused") {
  CHECK_THAT(refusal<v1::TaskID>(R"({"value":"a","value":"b"})"), says("value: the key comes twice"));
  CHECK_THAT(refusal<v1::Labels>(R"({"labels":[],"labels":[]})"), says("labels: the key comes twice"));
  CHECK_THAT(refusal<v1::TaskID>(R"({"value":"a","v\u0061lue":null})"), says("value: the key comes twice"));
  CHECK_THAT(refusal<v1::quota::QuotaConfig>(R"({"role":"r","limits":{"cpus":{"value":1},"cpus":{"value":2}}})"),
             says(R"(limits["cpus"]: the key comes twice)"));
}

TEST_CASE("a raw NUL and other control characters are refused with their place") {
  CHECK_THAT(refusal<v1::TaskID>(std::string("{\"value\":\"a\0b\"}", 15)),
             says("could not parse") && says("at byte 11, in value"));
  CHECK_THAT(refusal<v1::TaskID>(std::string("{\"value\":\"a\"}\0", 14)), says("could not parse"));
  CHECK_THAT(refusal<v1::TaskID>("{\"value\":\"a\nb\"}"), says("in value"));
}

TEST_CASE("what is not UTF-8 is refused with its place") {
  for (const auto* bad : {"\xFF", "\xC0\xAF", "\xED\xA0\x80", "\xF4\x90\x80\x80", "\xE2\x82", "\x80"}) {
    CHECK_THAT(refusal<v1::TaskID>("{\"value\":\"" + std::string(bad) + "\"}"),
               says("could not parse") && says("in value"));
  }
  CHECK_THAT(refusal<v1::TaskID>(R"({"value":"\ud800"})"), says("in value"));
  CHECK_THAT(refusal<v1::TaskID>("{\"\xFF\":1}"), says("could not parse"));
}

TEST_CASE("a text that ends early or goes on too long is refused") {
  const std::string whole = R"({"value":"c","parent":{"value":"p"},"x":[1,2.5,null]})";
  v1::ContainerID id;
  REQUIRE(from_json(whole, id));
  for (std::size_t n = 0; n < whole.size(); ++n) CHECK_THAT(refusal(whole.substr(0, n), id), says("could not parse"));
  CHECK(from_json(whole + " \n", id));
  CHECK_THAT(refusal(whole + "{}", id), says("could not parse"));
  CHECK_THAT(refusal(whole + "x", id), says("could not parse"));
}

TEST_CASE("comments, trailing commas and single quotes are not JSON") {
  for (const auto* text :
       {"{/**/}", "{\"a\":1,}", "{'a':1}", "{a:1}", "{\"labels\":[1 2]}", "{\"a\" 1}", "\xEF\xBB\xBF{}"}) {
    INFO(text);
    v1::Labels labels;
    CHECK_FALSE(from_json(text, labels));
  }
}

TEST_CASE("a text longer than the limit is not even looked at") {
  json_limits limits;
  limits.max_bytes = 20;
  CHECK_THAT(refusal<v1::TaskID>(R"({"value":"0123456789"})", limits), says("22 bytes, at most 20"));
}

TEST_CASE("more values than the limit are refused where it is passed, known or not") {
  json_limits limits;
  limits.max_values = 10;
  CHECK_THAT(refusal<v1::CommandInfo>("{\"arguments\":[" + repeat("\"\",", 20) + "\"\"]}", limits),
             says("arguments[8]: the document has too many values"));
  CHECK_THAT(refusal<v1::CommandInfo>("{\"unknown\":[" + repeat("[],", 20) + "[]]}", limits), says("too many values"));
}

TEST_CASE("errors quote strangers briefly and without control characters") {
  const auto text = refusal<v1::CommandInfo>("{\"shell\":\"" + repeat("\\u001b[2J", 100'000) + "\"}");
  CHECK_THAT(text, says("shell: expected true or false"));
  CHECK(text.find('\x1b') == std::string::npos);
  const auto deep = refusal<v1::CommandInfo>("{\"" + repeat("\\n", 100'000) + "\":[}");
  CHECK(deep.find('\n') == std::string::npos);
}

TEST_CASE("a text with any byte changed, dropped or doubled is read or refused, never worse") {
  const std::string whole =
      R"({"type":"ACCEPT","framework_id":{"value":"f"},"accept":{"offer_ids":[{"value":"o"}],"operations":[{"type":"LAUNCH",)"
      R"("launch":{"task_infos":[{"name":"n","task_id":{"value":"t"},"agent_id":{"value":"a"},"limits":{"cpus":{"value":1.5e0}},)"
      R"("data":"aGVsbG8=","command":{"shell":"true","value":"sl\u0065ep","arguments":"x"}}]}}],"filters":{"refuse_seconds":5}}})";
  std::mt19937_64 random(20240823);
  int read = 0;
  for (int i = 0; i < 20'000; ++i) {
    auto text = whole;
    for (auto changes = 1 + random() % 3; changes > 0; --changes) {
      const auto at = random() % text.size();
      switch (random() % 4) {
        case 0:
          text[at] = static_cast<char>(random());
          break;
        case 1:
          text.erase(at, 1 + random() % 8);
          break;
        case 2:
          text.insert(at, text, random() % text.size(), random() % 16);
          break;
        default:
          text[at] = "{}[]\",:0e-n"[random() % 11];
          break;
      }
    }
    v1::scheduler::Call call;
    const auto done = from_json(text, call);
    if (done) {
      ++read;
      CHECK(call.IsInitialized());
    } else {
      CHECK(done.error().message.size() < 3000);
    }
  }
  // Some changes hit unimportant places; if none or all were read, the changes would test nothing.
  CHECK(read > 100);
  CHECK(read < 19'000);
}

}  // namespace troupe
