#include "actors/runtime/net/http_message.hpp"

#include <boost/url/parse.hpp>
#include <boost/url/url_view.hpp>

#include <algorithm>
#include <array>
#include <cstdio>

namespace troupe {

namespace {

char lower(char c) {
  return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
}

bool same_name(std::string_view a, std::string_view b) {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

/// `http://host/path` without its beginning.
std::string_view origin_form(std::string_view target) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (target.substr(0, scheme.size()) != scheme) continue;
    const auto slash = target.find('/', scheme.size());
    return slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  return target;
}

void append_header(std::string& out, std::string_view name, std::string_view value) {
  const auto clean = [&out](std::string_view text) {
    for (char c : text) out.push_back(c == '\r' || c == '\n' || c == '\0' ? ' ' : c);
  };
  clean(name);
  out += ": ";
  clean(value);
  out += "\r\n";
}

}  // namespace

const std::string* http_request::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (same_name(key, name)) return &value;
  }
  return nullptr;
}

std::string_view http_reason(unsigned status) {
  switch (status) {
    case 101:
      return "Switching Protocols";
    case 200:
      return "OK";
    case 202:
      return "Accepted";
    case 204:
      return "No Content";
    case 206:
      return "Partial Content";
    case 304:
      return "Not Modified";
    case 307:
      return "Temporary Redirect";
    case 400:
      return "Bad Request";
    case 401:
      return "Unauthorized";
    case 403:
      return "Forbidden";
    case 404:
      return "Not Found";
    case 405:
      return "Method Not Allowed";
    case 406:
      return "Not Acceptable";
    case 408:
      return "Request Timeout";
    case 409:
      return "Conflict";
    case 413:
      return "Content Too Large";
    case 415:
      return "Unsupported Media Type";
    case 426:
      return "Upgrade Required";
    case 429:
      return "Too Many Requests";
    case 431:
      return "Request Header Fields Too Large";
    case 500:
      return "Internal Server Error";
    case 501:
      return "Not Implemented";
    case 503:
      return "Service Unavailable";
    case 507:
      return "Insufficient Storage";
    default:
      return status < 400 ? "OK" : "Error";
  }
}

http_response http_text(unsigned status, std::string text) {
  http_response response;
  response.status = status;
  response.content_type = "text/plain; charset=utf-8";
  if (text.empty() && status >= 400) {
    text = std::to_string(status) + " ";
    text += http_reason(status);
    text += '.';
  }
  response.body = std::move(text);
  return response;
}

http_response http_error(const error& e) {
  switch (e.code) {
    case errc::invalid_argument:
      return http_text(400, e.message);
    case errc::not_found:
      return http_text(404, e.message);
    case errc::conflict:
      return http_text(409, e.message);
    case errc::unavailable:
      return http_text(503, e.message);
    case errc::exhausted:
      return http_text(507, e.message);
    case errc::corrupt:
    case errc::io:
    case errc::internal:
    case errc::outcome_unknown:
      return http_text(500, e.message);
  }
  return http_text(500, e.message);
}

result<http_target> parse_http_target(std::string_view target) {
  target = origin_form(target);
  auto url = boost::urls::parse_origin_form({target.data(), target.size()});
  if (!url)
    return invalid("request target: must be a path that begins with '/', percent-encoded, with an optional query");
  http_target parsed;
  parsed.path = url->path();
  if (parsed.path.find('\0') != std::string::npos) return invalid("request target: must not contain a zero byte");
  boost::urls::encoding_opts form;
  form.space_as_plus = true;
  for (const auto& parameter : url->params(form)) parsed.query.emplace(parameter.key, parameter.value);
  return parsed;
}

std::string http_date(std::time_t when) {
  static constexpr std::array<const char*, 7> days{"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  static constexpr std::array<const char*, 12> months{"Jan", "Feb", "Mar", "Apr", "May", "Jun",
                                                      "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  std::tm t{};
  ::gmtime_r(&when, &t);
  char text[64];
  std::snprintf(text, sizeof text, "%s, %02d %s %04d %02d:%02d:%02d GMT", days[static_cast<std::size_t>(t.tm_wday)],
                t.tm_mday, months[static_cast<std::size_t>(t.tm_mon)], t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
  return text;
}

std::string render_http_head(const http_response& response, const http_framing& framing) {
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " ";
  out += http_reason(response.status);
  out += "\r\n";
  append_header(out, "Date", http_date(framing.now));
  if (!response.content_type.empty()) append_header(out, "Content-Type", response.content_type);
  for (const auto& [name, value] : response.headers) append_header(out, name, value);
  if (framing.content_length) append_header(out, "Content-Length", std::to_string(*framing.content_length));
  if (framing.chunked) append_header(out, "Transfer-Encoding", "chunked");
  append_header(out, "Connection", framing.keep_alive ? "keep-alive" : "close");
  return out + "\r\n";
}

}  // namespace troupe
