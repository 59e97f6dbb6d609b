#pragma once

#include "protocol/resources.hpp"
#include "tools/sim/cluster.hpp"

/// What a letter says, if it says that.
namespace troupe::sim {

template <class Message>
const Message* as(const mail& heard) {
  return heard.head.verb() == verb_number<Message>::value ? static_cast<const Message*>(heard.body.get()) : nullptr;
}

template <class Message>
const Message* as(const letter& said) {
  return said.verb == verb_number<Message>::value ? static_cast<const Message*>(said.body.get()) : nullptr;
}

inline resources sum_of(const google::protobuf::RepeatedPtrField<v1::Resource>& all) {
  return resources::from(all).value().unallocated();
}

}  // namespace troupe::sim
