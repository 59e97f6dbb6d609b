#pragma once

#include <map>
#include <set>
#include <string>
#include <utility>
#include <vector>

/// The v1 vocabulary as tests/golden/mesos-v1-messages.tsv states it, under the names that our .proto files give it.
namespace troupe::tests {

struct field_facts {
  int number = 0;
  std::string name;
  std::string label;          ///< optional, required, repeated, map or oneof
  std::string type;           ///< a scalar's name, or the full name of a message or enum; map<key,value>
  std::string default_value;  ///< as written; empty if there is none
  std::string oneof;
  bool deprecated = false;
};

struct message_facts {
  std::string file;
  std::vector<field_facts> fields;  ///< in the order of the declaration, which is that of the keys in JSON
  std::set<int> unused_numbers;
};

struct enum_value_facts {
  int number = 0;
  std::string name;
  bool deprecated = false;
};

struct enum_facts {
  std::string file;
  std::vector<enum_value_facts> values;
};

/// By full name, for instance troupe.v1.scheduler.Call.Type.
struct facts_table {
  std::map<std::string, std::string> packages;  ///< by file
  std::map<std::string, message_facts> messages;
  std::map<std::string, enum_facts> enums;
};

/// Reads the golden file, relative to the root of the sources. Throws std::runtime_error for a row that it does not
/// understand.
facts_table read_facts_table();

}  // namespace troupe::tests
