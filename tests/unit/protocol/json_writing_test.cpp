#include "protocol/json_writer.hpp"

#include "protocol/json_reader.hpp"
#include "troupe/v1/agent.pb.h"
#include "troupe/v1/master.pb.h"
#include "troupe/v1/scheduler.pb.h"

#include <catch2/catch.hpp>

#include <limits>

namespace troupe {

namespace {

std::string double_text(double number) {
  std::string out;
  append_json_double(number, out);
  return out;
}

std::string string_text(const std::string& text) {
  std::string out;
  append_json_string(text, out);
  return out;
}

}  // namespace

TEST_CASE("unset fields are left out, those with a declared default are not") {
  v1::Filters filters;
  CHECK(to_json(filters) == R"({"refuse_seconds":5.0})");
  v1::FrameworkInfo info;
  info.set_user("u");
  info.set_name("n");
  CHECK(to_json(info) == R"({"user":"u","name":"n","failover_timeout":0.0,"checkpoint":false})");
  CHECK(to_json(v1::CommandInfo()) == R"({"shell":true})");
  CHECK(to_json(v1::CheckInfo()) == R"({"delay_seconds":15.0,"interval_seconds":10.0,"timeout_seconds":20.0})");
  CHECK(to_json(v1::HealthCheck()) ==
        R"({"delay_seconds":15.0,"interval_seconds":10.0,"timeout_seconds":20.0,"consecutive_failures":3,)"
        R"("grace_period_seconds":10.0})");
  CHECK(to_json(v1::NetworkInfo::IPAddress()) == R"({"protocol":"IPv4"})");
}

TEST_CASE("a deprecated default appears only when it is set") {
  v1::Resource resource;
  CHECK(to_json(resource) == "{}");
  REQUIRE(from_json(R"({"name":"cpus","type":"SCALAR","role":"*"})", resource));
  CHECK(to_json(resource) == R"({"name":"cpus","type":"SCALAR","role":"*"})");
}

TEST_CASE("a required field is written only when it is set, default or not") {
  CHECK(to_json(v1::MasterInfo()) == "{}");
  v1::MasterInfo info;
  info.set_port(5050);
  CHECK(to_json(info) == R"({"port":5050})");
}

TEST_CASE("keys come in the order of the declaration, not of the numbers") {
  v1::ExecutorInfo info;
  info.mutable_executor_id()->set_value("e");
  info.mutable_framework_id()->set_value("f");
  info.set_type(v1::ExecutorInfo::CUSTOM);
  CHECK(to_json(info) == R"({"type":"CUSTOM","executor_id":{"value":"e"},"framework_id":{"value":"f"}})");
}

TEST_CASE("empty lists and maps are left out, others are written, maps by rising key") {
  v1::quota::QuotaConfig config;
  CHECK(to_json(config) == "{}");
  (*config.mutable_limits())["mem"].set_value(2);
  (*config.mutable_limits())["cpus"].set_value(1);
  (*config.mutable_limits())["disk"].set_value(3);
  CHECK(to_json(config) == R"({"limits":{"cpus":{"value":1.0},"disk":{"value":3.0},"mem":{"value":2.0}}})");
  v1::CommandInfo command;
  command.add_arguments("a");
  command.add_arguments("b");
  CHECK(to_json(command) == R"({"shell":true,"arguments":["a","b"]})");
}

TEST_CASE("lists of chosen types are written also when empty, deprecated ones not") {
  v1::master::Response response;
  response.set_type(v1::master::Response::GET_FRAMEWORKS);
  response.mutable_get_frameworks();
  json_options options;
  options.empty_lists_of = {v1::master::Response::GetFrameworks::descriptor()};
  CHECK(to_json(response, options) ==
        R"({"type":"GET_FRAMEWORKS","get_frameworks":{"frameworks":[],"completed_frameworks":[]}})");
  CHECK(to_json(response) == R"({"type":"GET_FRAMEWORKS","get_frameworks":{}})");
}

TEST_CASE("64-bit integers are plain numbers") {
  v1::TimeInfo time;
  time.set_nanoseconds(std::numeric_limits<std::int64_t>::min());
  CHECK(to_json(time) == R"({"nanoseconds":-9223372036854775808})");
  v1::Value::Range range;
  range.set_begin(0);
  range.set_end(std::numeric_limits<std::uint64_t>::max());
  CHECK(to_json(range) == R"({"begin":0,"end":18446744073709551615})");
}

TEST_CASE("doubles have the shortest digits that read back the same, and a fraction") {
  CHECK(double_text(0) == "0.0");
  CHECK(double_text(-0.0) == "-0.0");
  CHECK(double_text(1) == "1.0");
  CHECK(double_text(0.1) == "0.1");
  CHECK(double_text(0.1 + 0.2) == "0.30000000000000004");
  CHECK(double_text(100000) == "100000.0");
  CHECK(double_text(1732492800.125) == "1732492800.125");
  CHECK(double_text(0.001) == "0.001");
  CHECK(double_text(1e30) == "1.0e+30");
  CHECK(double_text(2.5e-9) == "2.5e-09");
  CHECK(double_text(5e-324) == "5.0e-324");
  CHECK(double_text(1.7976931348623157e308) == "1.7976931348623157e+308");
}

TEST_CASE("infinities and NaN are bare tokens") {
  CHECK(double_text(std::numeric_limits<double>::infinity()) == "Infinity");
  CHECK(double_text(-std::numeric_limits<double>::infinity()) == "-Infinity");
  CHECK(double_text(std::numeric_limits<double>::quiet_NaN()) == "NaN");
}

TEST_CASE("bytes are padded base64, enums are names") {
  v1::TaskStatus status;
  status.mutable_task_id()->set_value("t");
  status.set_state(v1::TASK_RUNNING);
  status.set_data("hello");
  CHECK(to_json(status) == R"({"task_id":{"value":"t"},"state":"TASK_RUNNING","data":"aGVsbG8="})");
  status.set_data("\xFB\xFF");
  status.clear_task_id();
  CHECK(to_json(status) == R"({"state":"TASK_RUNNING","data":"+/8="})");
}

TEST_CASE("a proto3 duration is written as an ordinary message, zeros included") {
  v1::master::Call::DrainAgent call;
  call.mutable_max_grace_period()->set_seconds(600);
  CHECK(to_json(call) == R"({"max_grace_period":{"seconds":600,"nanos":0},"mark_gone":false})");
}

TEST_CASE("strings are escaped as JSON wants it, and what is not UTF-8 is replaced") {
  CHECK(string_text("a\"\\\n\r\t\b\f/\x01\x1f") == R"("a\"\\\n\r\t\b\f/\u0001\u001f")");
  CHECK(string_text(std::string(1, '\0')) == R"("\u0000")");
  CHECK(string_text("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xAD") == "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x8E\xAD\"");
  CHECK(string_text("a\xFFz") == "\"a\xEF\xBF\xBDz\"");
  const std::string replaced = "\xEF\xBF\xBD";
  CHECK(string_text("\xE2\x82") == '"' + replaced + replaced + '"');
  CHECK(string_text("\xED\xA0\x80") == '"' + replaced + replaced + replaced + '"');
  CHECK(string_text("\xC0\xAF") == '"' + replaced + replaced + '"');
  CHECK(string_text("\xF4\x90\x80\x80") == '"' + replaced + replaced + replaced + replaced + '"');
}

TEST_CASE("a document is written by hand with nested objects and arrays") {
  std::string out;
  {
    v1::TaskID id;
    id.set_value("t");
    json_object_writer state(out);
    state.field("name", "x").field("live", true).field("count", 3).field("load", 0.5).field("id", id);
    {
      json_array_writer tasks(state.key("tasks"));
      tasks.add(std::string("a")).add(std::uint64_t{7});
      json_object_writer(tasks.element()).field("k\"", -1);
    }
    json_array_writer(state.key("none"));
  }
  CHECK(out ==
        R"({"name":"x","live":true,"count":3,"load":0.5,"id":{"value":"t"},"tasks":["a",7,{"k\"":-1}],"none":[]})");
}

}  // namespace troupe
