#include "protocol/json_reader.hpp"
#include "troupe/v1/agent.pb.h"
#include "troupe/v1/master.pb.h"
#include "troupe/v1/scheduler.pb.h"

#include <catch2/catch.hpp>

#include <limits>
#include <string>

namespace troupe {

namespace {

template <class Message>
Message read(const std::string& text) {
  Message message;
  const auto done = from_json(text, message);
  INFO(text);
  INFO((done ? std::string("read") : done.error().message));
  REQUIRE(done);
  return message;
}

template <class Message>
std::string refusal(const std::string& text) {
  Message message;
  const auto done = from_json(text, message);
  INFO(text);
  REQUIRE_FALSE(done);
  CHECK(done.error().code == errc::invalid_argument);
  return done.error().message;
}

Catch::Matchers::StdString::ContainsMatcher says(const std::string& part) {
  return Catch::Matchers::Contains(part);
}

}  // namespace

TEST_CASE("keys are the names of fields as declared, and camel case is not known") {
  CHECK(read<v1::FrameworkInfo>(R"({"user":"u","name":"n","webui_url":"x"})").webui_url() == "x");
  CHECK_FALSE(read<v1::FrameworkInfo>(R"({"user":"u","name":"n","webuiUrl":"x"})").has_webui_url());
}

TEST_CASE("unknown keys are skipped, whatever they hold") {
  const auto id =
      read<v1::TaskID>(R"({"new":{"a":[1,{"b":null}],"value":"no"},"value":"yes","more":[[],[{}]],"x":null})");
  CHECK(id.value() == "yes");
}

TEST_CASE("null is as if the key were absent") {
  CHECK_FALSE(read<v1::Address>(R"({"hostname":null,"ip":"1.2.3.4","port":1})").has_hostname());
  CHECK_FALSE(read<v1::ContainerID>(R"({"value":"c","parent":null})").has_parent());
  CHECK(read<v1::Labels>(R"({"labels":null})").labels_size() == 0);
  CHECK(read<v1::Labels>(R"({"labels":[null,{"key":"k"},null]})").labels_size() == 1);
  CHECK(read<v1::quota::QuotaConfig>(R"({"role":"r","limits":{"cpus":null}})").limits_size() == 0);
  CHECK_THAT(refusal<v1::TaskID>(R"({"value":null})"), says("missing required fields: value"));
}

TEST_CASE("an enum is the name of its value, in the right case") {
  CHECK(read<v1::scheduler::Call>(R"({"type":"SUBSCRIBE"})").type() == v1::scheduler::Call::SUBSCRIBE);
  CHECK_FALSE(read<v1::scheduler::Call>(R"({"type":"subscribe"})").has_type());
  CHECK_THAT(refusal<v1::scheduler::Call>(R"({"type":1})"),
             says("type: expected a string that names a value") && says("a number"));
}

TEST_CASE("an unknown enum value is an error in a required field, and leaves others as they are") {
  CHECK_FALSE(read<v1::scheduler::Call>(R"({"type":"DANCE"})").has_type());
  CHECK_THAT(refusal<v1::TaskStatus>(R"({"task_id":{"value":"t"},"state":"TASK_DANCING"})"),
             says("state: expected one of TASK_STAGING") && says("TASK_DANCING"));
  CHECK(read<v1::FrameworkInfo::Capability>(R"({"type":"NEWER_THAN_US"})").type() ==
        v1::FrameworkInfo::Capability::UNKNOWN);
}

TEST_CASE("bytes are base64 with the standard alphabet") {
  const std::string status = R"({"task_id":{"value":"t"},"state":"TASK_RUNNING","data":)";
  CHECK(read<v1::TaskStatus>(status + R"("aGVsbG8="})").data() == "hello");
  CHECK(read<v1::TaskStatus>(status + R"("aGVsbG8"})").data() == "hello");
  CHECK(read<v1::TaskStatus>(status + R"("+/8="})").data() == "\xFB\xFF");
  CHECK(read<v1::TaskStatus>(status + R"(""})").data().empty());
  for (const auto* bad : {"-_8=", "a", "aGVsbG8==", "aG=sbG8=", "aGVs bG8=", "====", "aGVsbG8=\\n"}) {
    CHECK_THAT(refusal<v1::TaskStatus>(status + '"' + bad + "\"}"), says("data: expected a string in base64"));
  }
}

TEST_CASE("a number is a JSON number, or a string that holds one") {
  CHECK(read<v1::Value::Scalar>(R"({"value":2})").value() == 2.0);
  CHECK(read<v1::Value::Scalar>(R"({"value":"2.5e1"})").value() == 25.0);
  CHECK(read<v1::Address>(R"({"port":"5050"})").port() == 5050);
  CHECK(read<v1::Address>(R"({"port":5050.0})").port() == 5050);
  for (const auto* bad : {"", " 1", "1 ", "0x10", "+1", "01", ".5", "1.", "1e", "--1", "NaN", "Infinity", "one"}) {
    CHECK_THAT(refusal<v1::Address>("{\"port\":\"" + std::string(bad) + "\"}"), says("port: expected an integer"));
  }
}

TEST_CASE("all 64 bits of an integer are kept") {
  CHECK(read<v1::TimeInfo>(R"({"nanoseconds":9223372036854775807})").nanoseconds() == INT64_MAX);
  CHECK(read<v1::TimeInfo>(R"({"nanoseconds":"-9223372036854775808"})").nanoseconds() == INT64_MIN);
  CHECK(read<v1::Value::Range>(R"({"begin":0,"end":18446744073709551615})").end() == UINT64_MAX);
}

TEST_CASE("integers narrow without a check, and fractions are cut off") {
  CHECK(read<v1::Address>(R"({"port":4294967376})").port() == 80);
  CHECK(read<v1::Address>(R"({"port":80.9})").port() == 80);
  CHECK(read<v1::Value::Range>(R"({"begin":-1,"end":1e3})").begin() == UINT64_MAX);
  CHECK(read<v1::Value::Range>(R"({"begin":-1,"end":1e3})").end() == 1000);
}

TEST_CASE("doubles are read to the last bit") {
  CHECK(read<v1::Value::Scalar>(R"({"value":0.1})").value() == 0.1);
  CHECK(read<v1::Value::Scalar>(R"({"value":1.7976931348623157e308})").value() == std::numeric_limits<double>::max());
  CHECK(read<v1::Value::Scalar>(R"({"value":5e-324})").value() == std::numeric_limits<double>::denorm_min());
  CHECK(read<v1::Value::Scalar>(R"({"value":123456789.12345678901234567890})").value() ==
        123456789.12345678901234567890);
}

TEST_CASE("infinities come as strings, and only for numbers that have them") {
  constexpr auto infinity = std::numeric_limits<double>::infinity();
  CHECK(read<v1::Filters>(R"({"refuse_seconds":"Infinity"})").refuse_seconds() == infinity);
  CHECK(read<v1::Filters>(R"({"refuse_seconds":"-Infinity"})").refuse_seconds() == -infinity);
  CHECK_THAT(refusal<v1::Filters>(R"({"refuse_seconds":"NaN"})"), says("refuse_seconds: expected a number"));
  CHECK_THAT(refusal<v1::Filters>(R"({"refuse_seconds":Infinity})"), says("could not parse"));
}

TEST_CASE("a boolean is true or false, also in quotes") {
  CHECK(read<v1::CommandInfo>(R"({"shell":true})").shell());
  CHECK_FALSE(read<v1::CommandInfo>(R"({"shell":"false"})").shell());
  for (const auto* bad : {"0", "\"False\"", "\"\"", "[]", "{}"}) {
    CHECK_THAT(refusal<v1::CommandInfo>("{\"shell\":" + std::string(bad) + "}"), says("shell: expected true or false"));
  }
}

TEST_CASE("a repeated field takes an array, or one element bare") {
  CHECK(read<v1::CommandInfo>(R"({"arguments":["a","b"]})").arguments_size() == 2);
  CHECK(read<v1::CommandInfo>(R"({"arguments":"a"})").arguments(0) == "a");
  CHECK(read<v1::Labels>(R"({"labels":{"key":"k"}})").labels(0).key() == "k");
  CHECK_THAT(refusal<v1::CommandInfo>(R"({"arguments":[["a"]]})"),
             says("arguments[0]: expected a string, got an array"));
}

TEST_CASE("an array for a singular field is refused") {
  CHECK_THAT(refusal<v1::TaskID>(R"({"value":["t"]})"), says("value: expected a string, got an array"));
  CHECK_THAT(refusal<v1::ContainerID>(R"({"value":"c","parent":[{"value":"p"}]})"),
             says("parent: expected an object, got an array"));
}

TEST_CASE("a map is an object") {
  const auto config = read<v1::quota::QuotaConfig>(R"({"role":"r","limits":{"cpus":{"value":1.5},"":{"value":2}}})");
  REQUIRE(config.limits_size() == 2);
  CHECK(config.limits().at("cpus").value() == 1.5);
  CHECK(config.limits().at("").value() == 2.0);
  CHECK_THAT(refusal<v1::quota::QuotaConfig>(R"({"role":"r","limits":[{"cpus":{"value":1}}]})"),
             says("limits: expected an object"));
  CHECK_THAT(refusal<v1::quota::QuotaConfig>(R"({"role":"r","limits":1})"),
             says("limits: expected an object, got a number"));
  CHECK_THAT(refusal<v1::quota::QuotaConfig>(R"({"role":"r","limits":{"cpus":1}})"),
             says(R"(limits["cpus"]: expected an object)"));
  CHECK_THAT(refusal<v1::quota::QuotaConfig>(R"({"role":"r","limits":{"cpus":{}}})"), says(R"(limits["cpus"].value)"));
}

TEST_CASE("members of a oneof are ordinary keys, and the last one stays") {
  using selector = v1::scheduler::AttributeConstraint::Selector;
  CHECK(read<selector>(R"({"attribute_name":"rack"})").attribute_name() == "rack");
  CHECK(read<selector>(R"({"attribute_name":"rack","pseudoattribute_type":"HOSTNAME"})").has_pseudoattribute_type());
}

TEST_CASE("an object for a scalar is refused, and a scalar for an object") {
  CHECK_THAT(refusal<v1::TaskID>(R"({"value":{}})"), says("value: expected a string, got an object"));
  CHECK_THAT(refusal<v1::TaskID>(R"({"value":7})"), says("value: expected a string, got a number"));
  CHECK_THAT(refusal<v1::TaskID>(R"({"value":true})"), says("value: expected a string, got true"));
  CHECK_THAT(refusal<v1::ContainerID>(R"({"value":"c","parent":"p"})"),
             says("parent: expected an object, got a string"));
}

TEST_CASE("every required field that is missing is named with its path") {
  CHECK_THAT(
      refusal<v1::scheduler::Call>(
          R"({"type":"ACCEPT","accept":{"offer_ids":[{}],"operations":[{"launch":{"task_infos":[{"name":"n"}]}}]}})"),
      says("could not convert the JSON to troupe.v1.scheduler.Call") && says("accept.offer_ids[0].value") &&
          says("accept.operations[0].launch.task_infos[0].task_id") &&
          says("accept.operations[0].launch.task_infos[0].agent_id"));
}

TEST_CASE("a long list of missing fields is cut short") {
  std::string labels = "{\"key\":\"k\"}";
  for (int i = 0; i < 1000; ++i) labels += ",{}";
  const auto text = refusal<v1::Labels>("{\"labels\":[" + labels + "]}");
  CHECK_THAT(text, says("labels[1].key, labels[2].key") && says("and more"));
  CHECK(text.size() < 1000);
}

TEST_CASE("the top level is an object") {
  for (const auto* text : {"[]", "1", "\"x\"", "null", "true", "[{\"value\":\"t\"}]"}) {
    CHECK_THAT(refusal<v1::TaskID>(text), says("the document: expected an object"));
  }
}

TEST_CASE("a proto3 duration is an ordinary message") {
  const auto call =
      read<v1::master::Call::DrainAgent>(R"({"agent_id":{"value":"a"},"max_grace_period":{"seconds":600,"nanos":5}})");
  CHECK(call.max_grace_period().seconds() == 600);
  CHECK(call.max_grace_period().nanos() == 5);
  CHECK_THAT(refusal<v1::master::Call::DrainAgent>(R"({"agent_id":{"value":"a"},"max_grace_period":"600s"})"),
             says("max_grace_period: expected an object"));
}

TEST_CASE("what the message held before is gone") {
  v1::ContainerID id;
  id.set_value("old");
  id.mutable_parent()->set_value("older");
  REQUIRE(from_json(R"({"value":"new"})", id));
  CHECK(id.value() == "new");
  CHECK_FALSE(id.has_parent());
}

TEST_CASE("escapes and NUL in a string are its content") {
  const auto id = read<v1::TaskID>(R"({"value":"a\u0000\n\"\\\/\u00e9\ud83c\udfad"})");
  CHECK(id.value() == std::string("a\0\n\"\\/\xC3\xA9\xF0\x9F\x8E\xAD", 12));
}

}  // namespace troupe
