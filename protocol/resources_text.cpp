#include "protocol/resources_text.hpp"

#include "protocol/quoting.hpp"
#include "protocol/resources.hpp"
#include "protocol/text_scanner.hpp"
#include "protocol/value_text.hpp"

#include <google/protobuf/io/tokenizer.h>
#include <google/protobuf/text_format.h>

namespace troupe {
namespace {

using google::protobuf::TextFormat;
using reservation_info = v1::Resource::ReservationInfo;

// --- protobuf's text format
// --------------------------------------------------------------------------------------------------

/// Keeps the first error, and keeps protobuf from writing it to standard error.
class first_error : public google::protobuf::io::ErrorCollector {
 public:
  void AddError(int, google::protobuf::io::ColumnNumber, const std::string& message) override {
    if (text.empty()) text = message;
  }
  std::string text;
};

result<void> read_message(text_scanner* in, google::protobuf::Message* message) {
  const auto begin = in->position();
  auto braces = in->read_braces();
  if (!braces) return braces.error();
  constexpr int depth_max = 32;
  first_error fault;
  TextFormat::Parser parser;
  parser.SetRecursionLimit(depth_max);
  parser.RecordErrorsTo(&fault);
  if (parser.ParseFromString(std::string(*braces), message)) return {};
  return in->fault_at(begin, message->GetTypeName() + " expected in protobuf's text format: " + fault.text);
}

std::string text_of_message(const google::protobuf::Message& message) {
  TextFormat::Printer printer;
  printer.SetSingleLineMode(true);
  std::string out;
  printer.PrintToString(message, &out);
  while (!out.empty() && out.back() == ' ') out.pop_back();
  return "{" + out + "}";
}

// --- parse
// -----------------------------------------------------------------------------------------------------------------

result<std::string> read_name(text_scanner* in, std::string_view stops, const char* what) {
  auto word = in->read_word(stops);
  if (!word) return word.error();
  if (word->text.empty() && !word->quoted) return in->fault(std::string(what) + " is missing");
  return std::move(word->text);
}

constexpr std::string_view ends_of_words = " \t\r\n,;:(){}";

result<void> read_reservation_detail(text_scanner* in, reservation_info* out) {
  const auto begin = in->position();
  auto word = in->read_word(ends_of_words);
  if (!word) return word.error();
  if (word->text == "dynamic") {
    out->set_type(reservation_info::DYNAMIC);
    return {};
  }
  if (word->text == "labels") return read_message(in, out->mutable_labels());
  if (word->text != "by") return in->fault_at(begin, "dynamic, by, labels, ',' or ')' was expected in a reservation");
  auto principal = read_name(in, ends_of_words, "the principal");
  if (!principal) return principal.error();
  out->set_principal(std::move(*principal));
  return {};
}

result<reservation_info> read_reservation(text_scanner* in) {
  auto role = read_name(in, ends_of_words, "the role");
  if (!role) return role.error();
  reservation_info out;
  out.set_type(reservation_info::STATIC);
  out.set_role(std::move(*role));
  while (in->peek() != ',' && in->peek() != ')')
    if (auto ok = read_reservation_detail(in, &out); !ok) return ok.error();
  return out;
}

result<void> read_reservations(text_scanner* in, v1::Resource* out) {
  do {
    auto reservation = read_reservation(in);
    if (!reservation) return reservation.error();
    *out->add_reservations() = std::move(*reservation);
  } while (in->accept(','));
  const auto& first = out->reservations(0);
  const bool unreserved = out->reservations_size() == 1 && first.role() == "*" && !first.has_principal() &&
                          !first.has_labels() && first.type() == reservation_info::STATIC;
  if (unreserved) out->clear_reservations();
  return in->expect(')', "the reservations");
}

result<void> read_mark(text_scanner* in, v1::Resource* out) {
  const auto begin = in->position();
  auto mark = in->read_word(ends_of_words);
  if (!mark) return mark.error();
  if (mark->text == "disk") return read_message(in, out->mutable_disk());
  if (mark->text == "revocable") {
    out->mutable_revocable();
    return {};
  }
  if (mark->text == "shared") {
    out->mutable_shared();
    return {};
  }
  if (mark->text != "allocated" && mark->text != "provider")
    return in->fault_at(begin, "allocated, provider, revocable, shared or disk was expected between braces");
  auto name = read_name(in, ends_of_words, mark->text == "provider" ? "the provider's id" : "the role");
  if (!name) return name.error();
  if (mark->text == "provider")
    out->mutable_provider_id()->set_value(std::move(*name));
  else
    out->mutable_allocation_info()->set_role(std::move(*name));
  return {};
}

result<void> read_marks(text_scanner* in, v1::Resource* out) {
  do {
    if (auto ok = read_mark(in, out); !ok) return ok;
  } while (in->accept(','));
  return in->expect('}', "the marks");
}

result<void> read_scalar(text_scanner* in, v1::Resource* out) {
  const auto begin = in->position();
  auto word = in->read_word(";");
  if (!word) return word.error();
  const auto number = number_from(word->text);
  if (!number) return in->fault_at(begin, "a value must be a number (4), ranges ([1-2,5-9]) or a set ({a,b})");
  out->set_type(v1::Value::SCALAR);
  out->mutable_scalar()->set_value(*number);
  return {};
}

result<void> read_value(text_scanner* in, v1::Resource* out) {
  if (in->peek() == '[') {
    auto ranges = read_ranges(in);
    if (!ranges) return ranges.error();
    out->set_type(v1::Value::RANGES);
    *out->mutable_ranges() = std::move(*ranges);
    return {};
  }
  if (in->peek() == '{') {
    auto set = read_set(in);
    if (!set) return set.error();
    out->set_type(v1::Value::SET);
    *out->mutable_set() = std::move(*set);
    return {};
  }
  return read_scalar(in, out);
}

result<v1::Resource> read_entry(text_scanner* in, std::string_view default_role) {
  v1::Resource out;
  auto name = read_name(in, "({:;", "the name");
  if (!name) return name.error();
  out.set_name(std::move(*name));
  if (in->accept('(')) {
    if (auto ok = read_reservations(in, &out); !ok) return ok.error();
  } else if (default_role != "*") {
    auto* reservation = out.add_reservations();
    reservation->set_type(reservation_info::STATIC);
    reservation->set_role(std::string(default_role));
  }
  if (in->accept('{'))
    if (auto ok = read_marks(in, &out); !ok) return ok.error();
  if (auto ok = in->expect(':', "an entry (name(role):value)"); !ok) return ok.error();
  if (auto ok = read_value(in, &out); !ok) return ok.error();
  return out;
}

// --- print
// -----------------------------------------------------------------------------------------------------------------

std::string text_of_reservation(const reservation_info& reservation) {
  auto out = plain_or_quoted(reservation.role());
  if (reservation.type() == reservation_info::DYNAMIC) out += " dynamic";
  if (reservation.has_principal()) out += " by " + plain_or_quoted(reservation.principal());
  if (reservation.has_labels()) out += " labels" + text_of_message(reservation.labels());
  return out;
}

std::string joined(const std::vector<std::string>& parts) {
  std::string out;
  for (const auto& part : parts) out += (out.empty() ? "" : ", ") + part;
  return out;
}

std::string text_of_reservations(const resource_kind& kind) {
  std::vector<std::string> parts;
  for (const auto& reservation : kind.reservations) parts.push_back(text_of_reservation(reservation));
  return parts.empty() ? "" : "(" + joined(parts) + ")";
}

std::string text_of_marks(const resource_entry& entry) {
  const auto& kind = *entry.kind;
  std::vector<std::string> parts;
  if (entry.allocated_to) parts.push_back("allocated " + plain_or_quoted(*entry.allocated_to));
  if (kind.provider) parts.push_back("provider " + plain_or_quoted(*kind.provider));
  if (kind.revocable) parts.emplace_back("revocable");
  if (kind.shared) parts.emplace_back("shared");
  if (kind.disk) parts.push_back("disk" + text_of_message(*kind.disk));
  return parts.empty() ? "" : "{" + joined(parts) + "}";
}

std::string text_of_amount(const resource_amount& amount) {
  if (amount.type() == v1::Value::SCALAR) return text_of_thousandths(amount.thousandths());
  if (amount.type() == v1::Value::SET) {
    v1::Value::Set set;
    for (const auto& item : amount.set()) set.add_item(item);
    return text_of_set(set);
  }
  v1::Value::Ranges ranges;
  for (const auto& part : amount.ranges().intervals()) {
    auto* range = ranges.add_range();
    range->set_begin(part.begin);
    range->set_end(part.end);
  }
  return text_of_ranges(ranges);
}

}  // namespace

result<google::protobuf::RepeatedPtrField<v1::Resource>> messages_from_text(std::string_view text,
                                                                            std::string_view default_role) {
  google::protobuf::RepeatedPtrField<v1::Resource> list;
  text_scanner in(text);
  while (!in.at_end()) {
    if (in.accept(';')) continue;
    auto entry = read_entry(&in, default_role);
    if (entry && !in.at_end() && in.peek() != ';') entry = in.fault("';' was expected between entries");
    if (!entry)
      return invalid("entry " + std::to_string(list.size() + 1) + " of the resources, " + entry.error().message);
    *list.Add() = std::move(*entry);
    in.accept(';');
  }
  return list;
}

std::string text_of(const resource_entry& entry) {
  return plain_or_quoted(entry.kind->name) + text_of_reservations(*entry.kind) + text_of_marks(entry) + ":" +
         text_of_amount(entry.amount);
}

// --- resources
// -------------------------------------------------------------------------------------------------------------

result<resources> resources::parse(std::string_view text, std::string_view default_role) {
  auto list = messages_from_text(text, default_role);
  if (!list) return list.error();
  return from(*list);
}

std::string resources::text() const {
  std::string out;
  for (const auto& e : entries_) {
    const auto line = text_of(e);
    for (std::uint64_t i = 0; i < e.copies; ++i) out += (out.empty() ? "" : "; ") + line;
  }
  return out;
}

std::ostream& operator<<(std::ostream& out, const resources& r) {
  return out << r.text();
}

}  // namespace troupe
