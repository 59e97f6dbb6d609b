#pragma once

#include "protocol/resource_amount.hpp"
#include "protocol/text_scanner.hpp"
#include "troupe/v1/troupe.pb.h"

#include <string>
#include <string_view>

namespace troupe {

// The values in the textual forms of resources and attributes: `1.5`, `[1-2,5-9]`, `{a,b}`.

/// A whole string as a decimal number (`4`, `0.25`, `1e3`): not hexadecimal, not infinite. Absent if it is none.
std::optional<double> number_from(std::string_view text);

/// `[1-2,5-9]`. Only the form is checked: what the numbers may be, their user knows.
result<v1::Value::Ranges> read_ranges(text_scanner* in);

/// `{a,b,"c d"}`.
result<v1::Value::Set> read_set(text_scanner* in);

std::string text_of_ranges(const v1::Value::Ranges& ranges);
std::string text_of_set(const v1::Value::Set& set);
/// `1.5`: at most three decimals, none where not needed.
std::string text_of_thousandths(milli amount);

}  // namespace troupe
