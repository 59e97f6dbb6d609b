#pragma once

#include "tools/duration_text.hpp"

#include <CLI/CLI.hpp>

#include <chrono>
#include <optional>
#include <string>

namespace troupe {

/// An option that is a duration, as duration_text.hpp writes it.
template <class Assign>
CLI::Option* add_duration_with(CLI::App& command, const std::string& name, const std::string& help,
                               const std::string& variable, Assign assign) {
  CLI::callback_t parse = [name, assign](const CLI::results_t& given) {
    auto parsed = parse_duration(given.at(0));
    if (!parsed) throw CLI::ValidationError(name, parsed.error().message);
    assign(*parsed);
    return true;
  };
  auto* option = command.add_option(name, parse, help)->type_name("DURATION")->expected(1);
  return variable.empty() ? option : option->envname(variable);
}

template <class Rep, class Period>
CLI::Option* add_duration(CLI::App& command, const std::string& name, std::chrono::duration<Rep, Period>& target,
                          const std::string& help, const std::string& variable = {}) {
  auto assign = [&target](std::chrono::nanoseconds value) {
    target = std::chrono::duration_cast<std::chrono::duration<Rep, Period>>(value);
  };
  return add_duration_with(command, name, help, variable, assign)->default_str(duration_text(target));
}

inline CLI::Option* add_optional_duration(CLI::App& command, const std::string& name,
                                          std::optional<std::chrono::nanoseconds>& target, const std::string& help,
                                          const std::string& variable = {}) {
  return add_duration_with(command, name, help, variable,
                           [&target](std::chrono::nanoseconds value) { target = value; });
}

}  // namespace troupe
