#pragma once

#include <boost/json.hpp>

#include <string>

namespace troupe {

/// Fields of `/state`, read as what a person is shown: what is not there, or not of the kind, is empty.

/// The items of an array. What is returned lives as long as the object does.
const boost::json::array& list(const boost::json::value& object, const char* key);

/// A string as it is, anything else as JSON.
std::string text(const boost::json::value& object, const char* key);

/// As `/state` writes it: numbers in plain digits.
std::string json_line(const boost::json::value& value);

/// A field, or null.
const boost::json::value& member(const boost::json::value& object, const char* key);

}  // namespace troupe
