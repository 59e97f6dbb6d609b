#pragma once

#include "protocol/error.hpp"

#include <chrono>
#include <cstdint>
#include <string>

/// Reading from daemons over HTTP: their state, and files in sandboxes. Blocks; not for use inside an event handler.
/// https:// is verified by $TROUPE_TLS_CA, or else by whom the system trusts, and shows $TROUPE_TLS_CERT with
/// $TROUPE_TLS_KEY if they are set.
namespace troupe::sdk {

struct http_answer {
  int status = 0;
  std::string body;
};

/// GETs a URL. An answer of any status is an answer; its body has at most 512 MiB. Errors: unavailable, naming the URL
/// and what the connection said, or what is wrong with the server's certificate.
result<http_answer> http_get(const std::string& url, std::chrono::milliseconds timeout = std::chrono::seconds(30));

/// The same, an answer other than 200 being an error that carries the body's text.
result<std::string> http_get_ok(const std::string& url, std::chrono::milliseconds timeout = std::chrono::seconds(30));

/// One piece of a sandbox's file, byte for byte, from an agent's /files/download. `url` is the agent's, as
/// http://host:port or https://host:port. Shorter than `length` only at the file's present end. Errors: not_found,
/// unavailable.
result<std::string> download_sandbox_range(const std::string& url, const std::string& path, std::uint64_t offset,
                                           std::uint64_t length);

/// A whole file from /files/download.
result<std::string> download_sandbox_file(const std::string& url, const std::string& path);

/// `http://host:port`, an IPv6 address in brackets. `scheme` is http or https; empty is http.
std::string http_url(const std::string& host, int port, const std::string& scheme = "http");

/// Percent-encodes everything but unreserved characters.
std::string url_encode(const std::string& text);

}  // namespace troupe::sdk
