#pragma once

#include "storage/journal_inspection.hpp"

#include <ostream>
#include <string>

/// What `troupe journal` prints of an inspection. JSON is one line a record or finding, each an object.
namespace troupe::journal_view {

/// The key tree, with the number and bytes of what lies below each folder of it.
void print_tree(const journal_inspection& journal, std::ostream& out);

/// One object a record: key, type, bytes, version, state (`sound` or what is wrong).
std::string summary_json(const journal_inspection& journal);

/// One record decoded, as text.
void print_record(const inspected_record& record, std::ostream& out);

/// The same with its content: `record` where its type is known, `payload` (base64) where it is not or is damaged.
std::string record_json(const inspected_record& record);

void print_findings(const journal_inspection& journal, std::ostream& out);
std::string findings_json(const journal_inspection& journal);

}  // namespace troupe::journal_view
