#pragma once

#include "protocol/error.hpp"

#include <google/protobuf/message.h>

#include <boost/system/error_code.hpp>

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace troupe {

/// An array or object that is open.
struct json_frame {
  enum kind {
    message_fields,  ///< an object whose keys are fields of `message`
    list_elements,   ///< an array whose elements go to `field` of `message`
    map_entries,     ///< an object whose keys and values go to `field` of `message`
    skipped,         ///< below a key that nobody knows
  };
  kind is;
  google::protobuf::Message* message = nullptr;
  const google::protobuf::FieldDescriptor* field =
      nullptr;            ///< message_fields: that of the present key; null if none is
  std::string key = {};   ///< the present one; empty between values
  std::size_t index = 0;  ///< of the present element
  std::vector<const google::protobuf::FieldDescriptor*> seen = {};
  std::set<std::string> seen_keys = {};  ///< of map_entries
};

/// Fills a message while boost::json::basic_parser reads the text, so that no tree of the text is ever built: the
/// memory is that of the message. Calls come in the order of the text; one that returns false ends it.
class json_message_builder {
 public:
  using error_code = boost::system::error_code;

  // The size of the text is capped before.
  static constexpr std::size_t max_object_size = std::size_t(-1);
  static constexpr std::size_t max_array_size = std::size_t(-1);
  static constexpr std::size_t max_key_size = std::size_t(-1);
  static constexpr std::size_t max_string_size = std::size_t(-1);

  json_message_builder(google::protobuf::Message& root, std::size_t max_values)
      : root_(root), values_left_(max_values) {}

  bool on_document_begin(error_code&) { return true; }
  bool on_document_end(error_code&) { return true; }

  bool on_object_begin(error_code& ec);
  bool on_object_end(std::size_t, error_code& ec);
  bool on_array_begin(error_code& ec);
  bool on_array_end(std::size_t, error_code&);

  bool on_key_part(std::string_view part, std::size_t, error_code&) { return hold(part); }
  bool on_key(std::string_view last, std::size_t, error_code& ec);
  bool on_string_part(std::string_view part, std::size_t, error_code&) { return hold(part); }
  bool on_string(std::string_view last, std::size_t, error_code& ec);
  bool on_number_part(std::string_view part, error_code&) { return hold(part); }
  bool on_int64(std::int64_t number, std::string_view, error_code& ec);
  bool on_uint64(std::uint64_t number, std::string_view, error_code& ec);
  bool on_double(double, std::string_view last, error_code& ec);
  bool on_bool(bool value, error_code& ec);
  bool on_null(error_code& ec);
  bool on_comment_part(std::string_view, error_code&) { return true; }
  bool on_comment(std::string_view, error_code&) { return true; }

  /// Why a call returned false; empty if the parser stopped by itself.
  const std::string& problem() const { return problem_; }

  /// "missing required fields: " and their paths; empty if all are there. Call it after the end of the text.
  std::string missing() const;

  /// Where the parser is; empty for the document itself.
  std::string path() const;

 private:
  struct target {
    google::protobuf::Message* message = nullptr;
    const google::protobuf::FieldDescriptor* field = nullptr;  ///< null: the value goes nowhere
  };

  bool hold(std::string_view part);
  std::string take_held(std::string_view last);
  bool fail(error_code& ec, std::string problem);
  bool fail_here(error_code& ec, const std::string& problem);
  bool finish(error_code& ec, const result<void>& stored);
  bool begin_value(error_code& ec, std::string_view kind);
  void end_value();
  bool next_target(error_code& ec, target& next);
  template <class Store>
  bool store_scalar(error_code& ec, std::string_view kind, Store store);
  bool select_field(error_code& ec, json_frame& object);
  bool note_missing(error_code& ec, const google::protobuf::Message& message);

  google::protobuf::Message& root_;
  std::size_t values_left_;
  std::vector<json_frame> open_;
  std::string held_;  ///< of a key, string or number that comes in parts
  std::string problem_;
  std::vector<std::string> missing_;
};

}  // namespace troupe
