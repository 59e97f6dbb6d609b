#pragma once

#include "protocol/error.hpp"

#include <CLI/CLI.hpp>
#include <boost/json/value.hpp>

#include <string>

namespace troupe {

/// What all commands that talk to a master share.
struct master_flags {
  std::string master;
  bool json = false;
};

/// Adds --master (or TROUPE_MASTER), how to speak TLS with it, and, where `listing`, --json.
void add_master_flags(CLI::App& command, master_flags& flags, bool listing);

/// The master's URL as http://host:port or https://host:port: a missing scheme becomes http. Errors: invalid_argument
/// when none was given.
result<std::string> master_url(const master_flags& flags);

/// A daemon's /state, parsed.
result<boost::json::value> fetch_state(const std::string& url);

/// Prints `troupe: message` to stderr; the exit code of a command that failed that way.
int fail(const error& e);

}  // namespace troupe
