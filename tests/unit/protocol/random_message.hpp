#pragma once

#include <google/protobuf/message.h>

#include <cstdint>
#include <random>

namespace troupe::tests {

/// Fills messages of any type by reflection: required fields always, others by chance. Equal seeds give equal messages.
class random_message_filler {
 public:
  explicit random_message_filler(std::uint64_t seed) : random_(seed) {}

  void fill(google::protobuf::Message& message) { fill(message, 0); }

 private:
  void fill(google::protobuf::Message& message, int depth);
  void fill_field(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field, int depth);
  void fill_map(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field, int depth);
  void add_value(google::protobuf::Message& message, const google::protobuf::FieldDescriptor& field, int depth);

  std::uint64_t below(std::uint64_t bound) { return random_() % bound; }
  bool chance(std::uint64_t one_in) { return below(one_in) == 0; }
  std::uint64_t number();
  double floating();
  std::string text();
  std::string bytes();

  std::mt19937_64 random_;
};

}  // namespace troupe::tests
