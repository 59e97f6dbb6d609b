#include "protocol/json_message_builder.hpp"

#include "protocol/json_fields.hpp"
#include "protocol/quoting.hpp"

#include <google/protobuf/descriptor.h>

#include <algorithm>
#include <utility>

namespace troupe {

namespace {

using google::protobuf::FieldDescriptor;
using google::protobuf::Message;

constexpr std::size_t most_missing = 16;

}  // namespace

std::string json_message_builder::path() const {
  std::string path;
  for (const auto& f : open_) {
    switch (f.is) {
      case json_frame::message_fields:
        if (f.key.empty()) break;
        if (!f.field) {
          path += '[' + quoted(f.key) + ']';
        } else {
          path += (path.empty() ? "" : ".") + f.key;
        }
        break;
      case json_frame::list_elements:
        path += '[' + std::to_string(f.index) + ']';
        break;
      case json_frame::map_entries:
        if (!f.key.empty()) path += '[' + quoted(f.key) + ']';
        break;
      case json_frame::skipped:
        return path;
    }
  }
  return path;
}

std::string json_message_builder::missing() const {
  std::string text;
  for (const auto& path : missing_) text += (text.empty() ? "missing required fields: " : ", ") + path;
  return text;
}

bool json_message_builder::hold(std::string_view part) {
  held_ += part;
  return true;
}

std::string json_message_builder::take_held(std::string_view last) {
  held_ += last;
  return std::exchange(held_, {});
}

bool json_message_builder::fail(error_code& ec, std::string problem) {
  problem_ = std::move(problem);
  ec = make_error_code(boost::system::errc::invalid_argument);
  return false;
}

bool json_message_builder::fail_here(error_code& ec, const std::string& problem) {
  const auto where = path();
  return fail(ec, (where.empty() ? "the document" : where) + ": " + problem);
}

bool json_message_builder::begin_value(error_code& ec, std::string_view kind) {
  if (values_left_ == 0) return fail_here(ec, "the document has too many values");
  --values_left_;
  if (open_.empty() && kind != "an object") return fail_here(ec, "expected an object, got " + std::string(kind));
  return true;
}

void json_message_builder::end_value() {
  if (open_.empty()) return;
  ++open_.back().index;
  open_.back().key.clear();
}

bool json_message_builder::finish(error_code& ec, const result<void>& stored) {
  return stored ? true : fail_here(ec, stored.error().message);
}

bool json_message_builder::next_target(error_code& ec, target& next) {
  const auto& top = open_.back();
  next = {top.message, top.field};
  if (top.is != json_frame::map_entries) return true;
  auto& entry = *top.message->GetReflection()->AddMessage(top.message, top.field);
  next = {&entry, top.field->message_type()->map_value()};
  return finish(ec, store_text(entry, *top.field->message_type()->map_key(), top.key));
}

template <class Store>
bool json_message_builder::store_scalar(error_code& ec, std::string_view kind, Store store) {
  if (!begin_value(ec, kind)) return false;
  target to;
  if (!next_target(ec, to)) return false;
  if (to.field) {
    if (to.field->is_map()) return fail_here(ec, wrong_type(*to.field, kind).message);
    if (!finish(ec, store(*to.message, *to.field))) return false;
  }
  end_value();
  return true;
}

bool json_message_builder::on_object_begin(error_code& ec) {
  if (!begin_value(ec, "an object")) return false;
  if (open_.empty()) {
    open_.push_back({json_frame::message_fields, &root_});
    return true;
  }
  target to;
  if (!next_target(ec, to)) return false;
  if (!to.field) {
    open_.push_back({json_frame::skipped});
    return true;
  }
  if (to.field->is_map()) {
    open_.push_back({json_frame::map_entries, to.message, to.field});
    return true;
  }
  if (to.field->cpp_type() != FieldDescriptor::CPPTYPE_MESSAGE) {
    return fail_here(ec, wrong_type(*to.field, "an object").message);
  }
  const auto* reflection = to.message->GetReflection();
  auto* child = to.field->is_repeated() ? reflection->AddMessage(to.message, to.field)
                                        : reflection->MutableMessage(to.message, to.field);
  open_.push_back({json_frame::message_fields, child});
  return true;
}

bool json_message_builder::on_object_end(std::size_t, error_code& ec) {
  const auto is = open_.back().is;
  const auto* message = open_.back().message;
  if (is == json_frame::message_fields && !note_missing(ec, *message)) return false;
  open_.pop_back();
  end_value();
  return true;
}

bool json_message_builder::on_array_begin(error_code& ec) {
  if (!begin_value(ec, "an array")) return false;
  const auto& top = open_.back();
  if (top.is == json_frame::skipped || !top.field) {
    open_.push_back({json_frame::skipped});
    return true;
  }
  const bool takes_list = top.is == json_frame::message_fields && top.field->is_repeated() && !top.field->is_map();
  if (!takes_list) {
    const auto& wanted = top.is == json_frame::map_entries ? *top.field->message_type()->map_value() : *top.field;
    return fail_here(ec, wrong_type(wanted, "an array").message);
  }
  open_.push_back({json_frame::list_elements, top.message, top.field});
  return true;
}

bool json_message_builder::on_array_end(std::size_t, error_code&) {
  open_.pop_back();
  end_value();
  return true;
}

bool json_message_builder::on_key(std::string_view last, std::size_t, error_code& ec) {
  auto key = take_held(last);
  auto& object = open_.back();
  if (object.is == json_frame::skipped) return true;
  object.key = std::move(key);
  if (object.is == json_frame::message_fields) return select_field(ec, object);
  if (!object.seen_keys.insert(object.key).second) return fail_here(ec, "the key comes twice");
  return true;
}

bool json_message_builder::select_field(error_code& ec, json_frame& object) {
  object.field = object.message->GetDescriptor()->FindFieldByName(object.key);
  if (!object.field) return true;
  if (std::find(object.seen.begin(), object.seen.end(), object.field) != object.seen.end()) {
    return fail_here(ec, "the key comes twice");
  }
  object.seen.push_back(object.field);
  return true;
}

bool json_message_builder::on_string(std::string_view last, std::size_t, error_code& ec) {
  const auto text = take_held(last);
  return store_scalar(ec, "a string", [&](auto& message, auto& field) { return store_text(message, field, text); });
}

bool json_message_builder::on_int64(std::int64_t number, std::string_view, error_code& ec) {
  held_.clear();
  return store_scalar(ec, "a number", [&](auto& message, auto& field) { return store_number(message, field, number); });
}

bool json_message_builder::on_uint64(std::uint64_t number, std::string_view, error_code& ec) {
  held_.clear();
  return store_scalar(ec, "a number", [&](auto& message, auto& field) { return store_number(message, field, number); });
}

// The parser's own doubles are off by a last digit now and then, so the text is converted again.
bool json_message_builder::on_double(double, std::string_view last, error_code& ec) {
  const auto number = parse_json_number(take_held(last));
  return store_scalar(ec, "a number", [&](auto& message, auto& field) -> result<void> {
    if (!number) return invalid("expected a number of double precision, got one beyond its range");
    return store_number(message, field, *number);
  });
}

bool json_message_builder::on_bool(bool value, error_code& ec) {
  return store_scalar(ec, value ? "true" : "false",
                      [&](auto& message, auto& field) { return store_bool(message, field, value); });
}

bool json_message_builder::on_null(error_code& ec) {
  if (!begin_value(ec, "null")) return false;
  end_value();
  return true;
}

bool json_message_builder::note_missing(error_code& ec, const Message& message) {
  const auto* type = message.GetDescriptor();
  for (int i = 0; i < type->field_count(); ++i) {
    const auto& field = *type->field(i);
    if (!field.is_required() || message.GetReflection()->HasField(message, &field)) continue;
    if (missing_.size() == most_missing) return fail(ec, missing() + " and more");
    const auto where = path();
    missing_.push_back(where.empty() ? field.name() : where + "." + field.name());
  }
  return true;
}

}  // namespace troupe
