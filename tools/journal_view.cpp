#include "tools/journal_view.hpp"

#include "protocol/base64.hpp"
#include "protocol/json_text.hpp"
#include "protocol/json_writer.hpp"
#include "storage/keys.hpp"
#include "storage/record_types.hpp"
#include "storage/records.hpp"
#include "tools/table.hpp"

#include <google/protobuf/empty.pb.h>
#include <google/protobuf/text_format.h>

#include <cstdint>
#include <map>
#include <memory>
#include <string_view>
#include <vector>

namespace troupe::journal_view {

namespace {

using google::protobuf::Message;

/// Decoded, where it is sound and of a known type.
std::unique_ptr<Message> decoded(const inspected_record& record) {
  auto message = record.problem ? nullptr : record_type(record.key);
  if (message && !decode_record(record.record, *message)) message.reset();
  return message;
}

/// Without version and checksum.
std::string_view payload_of(const inspected_record& record) {
  constexpr std::size_t header_bytes = 5;
  return std::string_view(record.record).substr(std::min(header_bytes, record.record.size()));
}

std::string short_type(const inspected_record& record) {
  const auto type = record_type(record.key);
  return type ? type->GetDescriptor()->name() : "";
}

std::string state_of(const inspected_record& record) {
  return record.problem ? *record.problem : "sound";
}

std::string amount(std::size_t number, const std::string& noun) {
  return std::to_string(number) + " " + noun + (number == 1 ? "" : "s");
}

/// What lies below one component of the tree.
struct branch {
  std::map<std::string, branch> below;
  const inspected_record* record = nullptr;
  std::size_t records = 0;
  std::uint64_t bytes = 0;
};

/// The components as they are spelt in the key: no component can draw a line of its own.
void plant(branch& root, const inspected_record& record) {
  branch* at = &root;
  std::string_view rest = record.key;
  while (true) {
    ++at->records;
    at->bytes += record.bytes();
    const auto slash = rest.find('/');
    at = &at->below[std::string(rest.substr(0, slash))];
    if (slash == std::string_view::npos) break;
    rest.remove_prefix(slash + 1);
  }
  at->record = &record;
}

void draw(const branch& from, std::size_t depth, table& out) {
  for (const auto& [name, each] : from.below) {
    const std::string indented = std::string(2 * depth, ' ') + name;
    if (each.record)
      out.add({indented, short_type(*each.record), std::to_string(each.record->bytes()), state_of(*each.record)});
    if (each.below.empty()) continue;
    out.add({indented + "/", amount(each.records, "record"), std::to_string(each.bytes), ""});
    draw(each, depth + 1, out);
  }
}

void add_summary(const inspected_record& record, json_object_writer& out) {
  out.field("key", record.key);
  if (const auto type = record_type(record.key)) out.field("type", type->GetTypeName());
  out.field("version", record.version());
  out.field("bytes", static_cast<std::uint64_t>(record.bytes()));
  out.field("state", state_of(record));
}

std::string base64_of(std::string_view bytes) {
  std::string out;
  append_base64(bytes, out);
  return out;
}

/// Fields by their numbers, where nobody here knows the type; nothing where it is no message at all.
std::string by_numbers(std::string_view payload) {
  google::protobuf::Empty unknown;
  if (!unknown.ParseFromArray(payload.data(), static_cast<int>(payload.size()))) return {};
  std::string text;
  google::protobuf::TextFormat::PrintToString(unknown, &text);
  return text;
}

}  // namespace

void print_tree(const journal_inspection& journal, std::ostream& out) {
  branch root;
  for (const auto& record : journal.records) plant(root, record);
  out << journal.folder.string() << ": " << amount(root.records, "record") << ", " << amount(root.bytes, "byte")
      << (journal.holder.empty() ? "" : "; open in " + journal.holder) << '\n';
  table rows({"KEY", "TYPE", "BYTES", "STATE"});
  draw(root, 0, rows);
  rows.print(out);
}

std::string summary_json(const journal_inspection& journal) {
  std::string out;
  {
    json_array_writer all(out);
    for (const auto& record : journal.records) {
      json_object_writer each(all.element());
      add_summary(record, each);
    }
  }
  return out;
}

void print_record(const inspected_record& record, std::ostream& out) {
  const auto type = record_type(record.key);
  out << "key      " << record.key << "\ntype     " << (type ? type->GetTypeName() : "unknown") << "\nversion  "
      << record.version() << "\nbytes    " << record.bytes() << "\nstate    " << state_of(record) << "\n\n";
  std::string text;
  if (const auto message = decoded(record)) {
    google::protobuf::TextFormat::PrintToString(*message, &text);
  } else if (!record.problem) {
    text = by_numbers(payload_of(record));
  }
  out << (text.empty() && record.problem ? "base64: " + base64_of(record.record) + "\n" : text);
}

std::string record_json(const inspected_record& record) {
  std::string out;
  {
    json_object_writer all(out);
    add_summary(record, all);
    if (const auto message = decoded(record)) {
      all.field("record", *message);
    } else {
      all.field("payload", base64_of(record.problem ? std::string_view(record.record) : payload_of(record)));
    }
  }
  return out;
}

void print_findings(const journal_inspection& journal, std::ostream& out) {
  for (const auto& each : journal.findings) out << to_string(each.is) << ' ' << each.where << ": " << each.what << '\n';
  out << journal.folder.string() << ": " << amount(journal.records.size(), "record") << ", "
      << (journal.findings.empty() ? "nothing is damaged or missing" : amount(journal.findings.size(), "finding"))
      << '\n';
}

std::string findings_json(const journal_inspection& journal) {
  std::string out;
  {
    json_array_writer all(out);
    for (const auto& each : journal.findings)
      json_object_writer(all.element())
          .field("kind", std::string_view(to_string(each.is)))
          .field("where", each.where)
          .field("what", each.what);
  }
  return out;
}

}  // namespace troupe::journal_view
