#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <type_traits>

namespace google::protobuf {
class Message;
}

/// Writing JSON by hand, for answers that are no message (`/state`). Everything appends to a string; there is no tree.
///
///     json_object_writer state(out);
///     state.field("id", id);
///     {
///       json_array_writer tasks(state.key("tasks"));
///       for (auto& task : all) json_object_writer(tasks.element()).field("id", task.id);
///     }
///
/// A nested writer must be gone before its parent writes again.
namespace troupe {

/// Quoted and escaped. What is not UTF-8 becomes U+FFFD, so that the result always is.
void append_json_string(std::string_view text, std::string& out);

/// The shortest form that reads back as the same number, with at least one fraction digit ("1.0", "1.0e+30").
/// Infinity, -Infinity and NaN are bare tokens, which are not legal JSON, as clients of the v1 API know them.
void append_json_double(double number, std::string& out);
void append_json_float(float number, std::string& out);

void append_json_integer(std::int64_t number, std::string& out);
void append_json_integer(std::uint64_t number, std::string& out);

/// In protocol/json_writer.hpp.
void append_json(const google::protobuf::Message& message, std::string& out);

/// Any of the above, by the type of `value`. Pointers other than strings and enums are refused by the compiler.
template <class T>
void append_json_value(const T& value, std::string& out) {
  if constexpr (std::is_same_v<T, bool>) {
    out += value ? "true" : "false";
  } else if constexpr (std::is_same_v<T, double>) {
    append_json_double(value, out);
  } else if constexpr (std::is_same_v<T, float>) {
    append_json_float(value, out);
  } else if constexpr (std::is_integral_v<T> && std::is_signed_v<T>) {
    append_json_integer(static_cast<std::int64_t>(value), out);
  } else if constexpr (std::is_integral_v<T>) {
    append_json_integer(static_cast<std::uint64_t>(value), out);
  } else if constexpr (std::is_convertible_v<const T&, std::string_view>) {
    append_json_string(value, out);
  } else {
    static_assert(std::is_base_of_v<google::protobuf::Message, T>, "not a JSON value");
    append_json(value, out);
  }
}

/// Opens an object in `out` and closes it when it goes. The caller keeps keys unique.
class json_object_writer {
 public:
  explicit json_object_writer(std::string& out) : out_(out) { out_ += '{'; }
  ~json_object_writer() { out_ += '}'; }
  json_object_writer(const json_object_writer&) = delete;
  json_object_writer& operator=(const json_object_writer&) = delete;

  /// Writes a key; the caller appends exactly one value to what is returned.
  std::string& key(std::string_view name);

  template <class T>
  json_object_writer& field(std::string_view name, const T& value) {
    append_json_value(value, key(name));
    return *this;
  }

 private:
  std::string& out_;
  bool empty_ = true;
};

/// Opens an array in `out` and closes it when it goes.
class json_array_writer {
 public:
  explicit json_array_writer(std::string& out) : out_(out) { out_ += '['; }
  ~json_array_writer() { out_ += ']'; }
  json_array_writer(const json_array_writer&) = delete;
  json_array_writer& operator=(const json_array_writer&) = delete;

  /// Begins an element; the caller appends exactly one value to what is returned.
  std::string& element();

  template <class T>
  json_array_writer& add(const T& value) {
    append_json_value(value, element());
    return *this;
  }

 private:
  std::string& out_;
  bool empty_ = true;
};

}  // namespace troupe
