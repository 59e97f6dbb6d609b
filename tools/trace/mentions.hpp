#pragma once

#include <google/protobuf/message.h>

#include <string>

namespace troupe {

/// Which tasks a message speaks of, by the fields of type TaskID anywhere in it.
enum class task_mention {
  none,    ///< of no task at all
  others,  ///< of other tasks alone
  ours     ///< of the one that was asked for, and perhaps of others
};

task_mention mentions(const google::protobuf::Message& message, const std::string& task);

}  // namespace troupe
