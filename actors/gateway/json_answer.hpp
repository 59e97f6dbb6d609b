#pragma once

#include "actors/runtime/net/http_message.hpp"

#include <string>

namespace troupe {

/// A JSON text as the answer to a request; wrapped into a call when the client asks for that (`?jsonp=NAME`), 400 if
/// NAME is none.
http_response json_answer(const http_request& request, std::string json);

}  // namespace troupe
