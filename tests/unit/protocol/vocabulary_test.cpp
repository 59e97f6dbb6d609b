#include "tests/unit/protocol/vocabulary.hpp"
#include "tests/unit/protocol/facts_table.hpp"

#include <google/protobuf/descriptor.pb.h>

#include <catch2/catch.hpp>

#include <algorithm>

namespace troupe::tests {

namespace {

using google::protobuf::Descriptor;
using google::protobuf::EnumDescriptor;
using google::protobuf::FieldDescriptor;

/// Troupe's own additions to the public vocabulary begin here.
constexpr int first_own_number = 10000;

const facts_table& table() {
  static const auto facts = read_facts_table();
  return facts;
}

template <class T>
std::map<std::string, const T*> by_name(const std::vector<const T*>& descriptors) {
  std::map<std::string, const T*> named;
  for (const auto* descriptor : descriptors) named[descriptor->full_name()] = descriptor;
  return named;
}

std::string type_of(const FieldDescriptor& field) {
  if (field.is_map()) {
    const auto& entry = *field.message_type();
    return "map<" + type_of(*entry.map_key()) + "," + type_of(*entry.map_value()) + ">";
  }
  if (field.message_type()) return field.message_type()->full_name();
  if (field.enum_type()) return field.enum_type()->full_name();
  return field.type_name();
}

std::string label_of(const FieldDescriptor& field) {
  if (field.is_map()) return "map";
  if (field.containing_oneof()) return "oneof";
  if (field.is_required()) return "required";
  return field.is_repeated() ? "repeated" : "optional";
}

/// Compared as the .proto file would write it; doubles by their value.
bool has_default(const FieldDescriptor& field, const std::string& expected) {
  if (expected.empty() || !field.has_default_value()) return expected.empty() && !field.has_default_value();
  switch (field.cpp_type()) {
    case FieldDescriptor::CPPTYPE_DOUBLE:
      return field.default_value_double() == std::stod(expected);
    case FieldDescriptor::CPPTYPE_BOOL:
      return expected == (field.default_value_bool() ? "true" : "false");
    case FieldDescriptor::CPPTYPE_INT32:
      return field.default_value_int32() == std::stoi(expected);
    case FieldDescriptor::CPPTYPE_UINT32:
      return field.default_value_uint32() == std::stoul(expected);
    case FieldDescriptor::CPPTYPE_STRING:
      return field.default_value_string() == expected;
    case FieldDescriptor::CPPTYPE_ENUM:
      return field.default_value_enum()->name() == expected;
    default:
      return false;
  }
}

void check_field(const FieldDescriptor& ours, const field_facts& facts) {
  INFO("field " << ours.full_name());
  CHECK(ours.name() == facts.name);
  CHECK(ours.number() == facts.number);
  CHECK(label_of(ours) == facts.label);
  CHECK(type_of(ours) == facts.type);
  INFO("default in the table: " << facts.default_value);
  CHECK(has_default(ours, facts.default_value));
  CHECK(ours.options().deprecated() == facts.deprecated);
  CHECK((ours.containing_oneof() ? ours.containing_oneof()->name() : "") == facts.oneof);
}

std::vector<const FieldDescriptor*> fields_below_own(const Descriptor& type) {
  std::vector<const FieldDescriptor*> fields;
  for (int i = 0; i < type.field_count(); ++i) {
    if (type.field(i)->number() < first_own_number) fields.push_back(type.field(i));
  }
  return fields;
}

std::set<int> reserved_numbers(const Descriptor& type) {
  std::set<int> numbers;
  for (int i = 0; i < type.reserved_range_count(); ++i) {
    for (int n = type.reserved_range(i)->start; n < type.reserved_range(i)->end; ++n) numbers.insert(n);
  }
  return numbers;
}

}  // namespace

TEST_CASE("the table has as many rows of each kind as its source") {
  std::size_t fields = 0;
  std::size_t values = 0;
  for (const auto& [name, message] : table().messages) fields += message.fields.size();
  for (const auto& [name, type] : table().enums) values += type.values.size();
  CHECK(table().messages.size() == 351);
  CHECK(fields == 1206);
  CHECK(table().enums.size() == 53);
  CHECK(values == 442);
}

TEST_CASE("each file of the vocabulary is proto2 and in the package of the table") {
  std::map<std::string, std::string> packages;
  for (const auto* file : vocabulary_files()) {
    packages[file->name()] = file->package();
    CHECK(file->syntax() == google::protobuf::FileDescriptor::SYNTAX_PROTO2);
  }
  CHECK(packages == table().packages);
}

TEST_CASE("each message of the table is in our vocabulary, with the same fields in the same order") {
  const auto ours = by_name(vocabulary_messages());
  for (const auto& [name, facts] : table().messages) {
    INFO("message " << name);
    REQUIRE(ours.count(name) == 1);
    const auto& type = *ours.at(name);
    CHECK(type.file()->name() == facts.file);
    const auto fields = fields_below_own(type);
    REQUIRE(fields.size() == facts.fields.size());
    for (std::size_t i = 0; i < fields.size(); ++i) check_field(*fields[i], facts.fields[i]);
  }
}

TEST_CASE("numbers that the table leaves unused are reserved, and no others") {
  const auto ours = by_name(vocabulary_messages());
  for (const auto& [name, facts] : table().messages) {
    INFO("message " << name);
    CHECK(reserved_numbers(*ours.at(name)) == facts.unused_numbers);
  }
}

TEST_CASE("each enum of the table is in our vocabulary, with the same values in the same order") {
  const auto ours = by_name(vocabulary_enums());
  for (const auto& [name, facts] : table().enums) {
    INFO("enum " << name);
    REQUIRE(ours.count(name) == 1);
    const auto& type = *ours.at(name);
    CHECK(type.file()->name() == facts.file);
    std::vector<const google::protobuf::EnumValueDescriptor*> values;
    for (int i = 0; i < type.value_count(); ++i) {
      if (type.value(i)->number() < first_own_number) values.push_back(type.value(i));
    }
    REQUIRE(values.size() == facts.values.size());
    for (std::size_t i = 0; i < values.size(); ++i) {
      INFO("value " << values[i]->full_name());
      CHECK(values[i]->name() == facts.values[i].name);
      CHECK(values[i]->number() == facts.values[i].number);
      CHECK(values[i]->options().deprecated() == facts.values[i].deprecated);
    }
  }
}

TEST_CASE("what our vocabulary has beside the table has numbers of our own only") {
  for (const auto* type : vocabulary_messages()) {
    INFO("message " << type->full_name());
    CHECK((table().messages.count(type->full_name()) == 1 || fields_below_own(*type).empty()));
    CHECK(type->extension_range_count() == 0);
  }
  for (const auto* type : vocabulary_enums()) {
    if (table().enums.count(type->full_name()) == 1) continue;
    for (int i = 0; i < type->value_count(); ++i) {
      INFO("value " << type->value(i)->full_name());
      CHECK(type->value(i)->number() >= first_own_number);
    }
  }
}

}  // namespace troupe::tests
