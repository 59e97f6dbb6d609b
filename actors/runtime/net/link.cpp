#include "actors/runtime/net/link.hpp"

#include <utility>

namespace troupe {

bool link::send(const Envelope& head, const google::protobuf::Message& body) {
  Envelope envelope = head;
  body.SerializeToString(envelope.mutable_payload());
  return send(std::move(envelope));
}

}  // namespace troupe
