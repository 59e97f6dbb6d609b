#pragma once

#include "actors/master/master.hpp"
#include "storage/recording.hpp"
#include "tests/unit/master/master_driver.hpp"

#include <functional>
#include <memory>
#include <string>

namespace troupe::testing {

/// A master whose inbox is recorded while a test plays everybody else: it admits an agent, subscribes a framework,
/// launches task `t1` and hears that it has finished.
class recorded_master {
 public:
  recorded_master();

  const std::string& recording() const { return bytes_; }
  std::uint64_t events() const { return events_; }

  /// The recording as it would be had its steps been these: each may be changed before it is written.
  std::string changed(const std::function<void(internal::RecordedStep&)>& change) const;

 private:
  template <class Message>
  Message hear(const Address& from, const google::protobuf::Message& event);
  outbox hear(const Address& from, const google::protobuf::Message& event);

  std::string bytes_;
  std::unique_ptr<recording_writer> writer_;
  master_options options_;
  master core_;
  context now_;
  std::uint64_t events_ = 0;
};

}  // namespace troupe::testing
