#include "tests/unit/protocol/facts_table.hpp"

#include <fstream>
#include <sstream>
#include <stdexcept>

namespace troupe::tests {

namespace {

struct row {
  std::string kind, file, owner, number, label, type, name, default_value, flags;
};

std::vector<std::string> split(const std::string& text, char separator) {
  std::vector<std::string> parts{""};
  for (char c : text) {
    if (c == separator) {
      parts.emplace_back();
    } else {
      parts.back() += c;
    }
  }
  return parts;
}

/// mesos/v1/mesos.proto is troupe/v1/troupe.proto; mesos/v1/master/master.proto is troupe/v1/master.proto.
std::string our_file(const std::string& theirs) {
  const auto name = theirs.substr(theirs.rfind('/') + 1);
  return "troupe/v1/" + (name == "mesos.proto" ? "troupe.proto" : name);
}

std::string our_package(const std::string& theirs) {
  return "troupe" + theirs.substr(theirs.find('.'));
}

std::vector<row> read_rows() {
  std::ifstream in("tests/golden/mesos-v1-messages.tsv");
  if (!in) throw std::runtime_error("tests/golden/mesos-v1-messages.tsv is not here: run from the root of the sources");
  std::vector<row> rows;
  std::string line;
  std::getline(in, line);  // the header
  while (std::getline(in, line)) {
    auto c = split(line, '\t');
    if (c.size() != 9) throw std::runtime_error("not nine columns: " + line);
    rows.push_back({c[0], our_file(c[1]), c[2], c[3], c[4], c[5], c[6], c[7], c[8]});
  }
  return rows;
}

bool is_scalar(const std::string& type) {
  static const std::set<std::string> names = {"string", "bytes", "bool",   "double", "float",
                                              "int32",  "int64", "uint32", "uint64"};
  return names.count(type) > 0;
}

/// The innermost declaration that `type`, as written within `scope`, can mean; as protoc finds it.
std::string resolve(const facts_table& table, std::string scope, const std::string& type) {
  if (is_scalar(type) || type == "google.protobuf.Duration") return type;
  const auto written = type.rfind("mesos.", 0) == 0 ? our_package(type) : type;
  while (true) {
    const auto name = scope.empty() ? written : scope + "." + written;
    if (table.messages.count(name) + table.enums.count(name) > 0) return name;
    if (scope.empty()) throw std::runtime_error("a type that is not in the table: " + type);
    const auto dot = scope.rfind('.');
    scope = dot == std::string::npos ? "" : scope.substr(0, dot);
  }
}

std::string resolve_map(const facts_table& table, const std::string& scope, const std::string& type) {
  const auto comma = type.find(',');
  const auto value = type.substr(comma + 1, type.size() - comma - 2);
  return type.substr(0, comma + 1) + resolve(table, scope, value) + ">";
}

field_facts read_field(const row& r) {
  field_facts field;
  field.number = std::stoi(r.number);
  field.name = r.name;
  field.label = r.label;
  field.type = r.type;
  field.default_value = r.default_value;
  field.deprecated = r.flags == "deprecated";
  if (r.flags.rfind("oneof:", 0) == 0) field.oneof = r.flags.substr(6);
  return field;
}

void read_row(const row& r, facts_table& table) {
  if (r.kind == "import") return;
  if (r.kind == "package") {
    table.packages[r.file] = our_package(r.owner);
    return;
  }
  const auto name = table.packages.at(r.file) + "." + r.owner;
  if (r.kind == "message") {
    table.messages[name].file = r.file;
  } else if (r.kind == "field") {
    table.messages.at(name).fields.push_back(read_field(r));
  } else if (r.kind == "enum") {
    table.enums[name].file = r.file;
  } else if (r.kind == "enum_value") {
    table.enums.at(name).values.push_back({std::stoi(r.number), r.name, r.flags == "deprecated"});
  } else if (r.kind == "unused_numbers") {
    for (const auto& number : split(r.number, ',')) table.messages.at(name).unused_numbers.insert(std::stoi(number));
  } else {
    throw std::runtime_error("an unknown kind of row: " + r.kind);
  }
}

}  // namespace

facts_table read_facts_table() {
  const auto rows = read_rows();
  facts_table table;
  for (const auto& r : rows) {
    if (r.kind == "package") read_row(r, table);
  }
  for (const auto& r : rows) read_row(r, table);
  for (auto& [name, message] : table.messages) {
    for (auto& field : message.fields) {
      field.type = field.label == "map" ? resolve_map(table, name, field.type) : resolve(table, name, field.type);
    }
  }
  return table;
}

}  // namespace troupe::tests
