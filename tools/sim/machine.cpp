#include "tools/sim/machine.hpp"

#include "protocol/deterministic_bytes.hpp"

namespace troupe::sim {

std::string bytes_of(const google::protobuf::Message& message) {
  return deterministic_bytes(message);
}

std::string bytes_of(const outbox& out) {
  std::string bytes;
  const auto add = [&](const std::string& part) { bytes += std::to_string(part.size()) + ":" + part; };
  for (const auto& e : out.edits) {
    add(e.key);
    add(e.record ? "=" + *e.record : "-");
  }
  for (const auto& l : out.letters) {
    add(to_string(l.to));
    add(std::to_string(l.verb));
    add(bytes_of(*l.body));
  }
  add(out.wake_at ? std::to_string(out.wake_at->time_since_epoch().count()) : "never");
  for (const auto& line : out.log) add(line);
  return bytes;
}

}  // namespace troupe::sim
