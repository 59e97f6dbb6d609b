#include "frameworks/sdk/http_get.hpp"

#include "actors/runtime/net/tls_files.hpp"

#include <curl/curl.h>

#include <memory>

namespace troupe::sdk {

namespace {

struct easy_handle {
  easy_handle() : handle(curl_easy_init()) {}
  ~easy_handle() { curl_easy_cleanup(handle); }
  easy_handle(const easy_handle&) = delete;
  easy_handle& operator=(const easy_handle&) = delete;
  CURL* handle;
};

void initialise_once() {
  static const bool done = curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK;
  static_cast<void>(done);
}

constexpr std::size_t body_bytes_max = std::size_t{512} << 20;
constexpr std::size_t quoted_bytes_max = 500;  // of a body that explains an error
constexpr long connect_timeout_ms = 5000;      // a machine that is not there at all

void set_tls(CURL* handle, const tls_files& files) {
  curl_easy_setopt(handle, CURLOPT_SSLVERSION, static_cast<long>(CURL_SSLVERSION_TLSv1_2));
  if (!files.authority.empty()) curl_easy_setopt(handle, CURLOPT_CAINFO, files.authority.c_str());
  if (files.certificate.empty()) return;
  curl_easy_setopt(handle, CURLOPT_SSLCERT, files.certificate.c_str());
  curl_easy_setopt(handle, CURLOPT_SSLKEY, files.key.c_str());
}

std::string trusted(const tls_files& files) {
  return files.authority.empty() ? "; trusted are the system's authorities: TROUPE_TLS_CA names another"
                                 : "; trusted is the authority in " + files.authority + " (TROUPE_TLS_CA)";
}

/// Taking less than there is ends the transfer.
std::size_t append(char* data, std::size_t size, std::size_t count, void* to) {
  auto& body = *static_cast<std::string*>(to);
  if (size * count > body_bytes_max - body.size()) return 0;
  body.append(data, size * count);
  return size * count;
}

}  // namespace

result<http_answer> http_get(const std::string& url, std::chrono::milliseconds timeout) {
  initialise_once();
  easy_handle easy;
  http_answer answer;
  char words[CURL_ERROR_SIZE] = {};
  curl_easy_setopt(easy.handle, CURLOPT_URL, url.c_str());
  curl_easy_setopt(easy.handle, CURLOPT_ERRORBUFFER, words);
  curl_easy_setopt(easy.handle, CURLOPT_NOSIGNAL, 1L);
  curl_easy_setopt(easy.handle, CURLOPT_NOPROXY, "*");
  curl_easy_setopt(easy.handle, CURLOPT_PROTOCOLS_STR, "http,https");
  const auto files = tls_files::from_environment();
  set_tls(easy.handle, files);
  curl_easy_setopt(easy.handle, CURLOPT_TIMEOUT_MS, static_cast<long>(timeout.count()));
  curl_easy_setopt(easy.handle, CURLOPT_CONNECTTIMEOUT_MS, connect_timeout_ms);
  curl_easy_setopt(easy.handle, CURLOPT_WRITEFUNCTION, append);
  curl_easy_setopt(easy.handle, CURLOPT_WRITEDATA, &answer.body);
  auto code = curl_easy_perform(easy.handle);
  if (code != CURLE_OK)
    return error{errc::unavailable, "cannot read " + url + ": " +
                                        (words[0] != '\0' ? words : curl_easy_strerror(code)) +
                                        (code == CURLE_PEER_FAILED_VERIFICATION ? trusted(files) : "")};
  long status = 0;
  curl_easy_getinfo(easy.handle, CURLINFO_RESPONSE_CODE, &status);
  answer.status = static_cast<int>(status);
  return answer;
}

result<std::string> http_get_ok(const std::string& url, std::chrono::milliseconds timeout) {
  auto answer = http_get(url, timeout);
  if (!answer) return answer.error();
  if (answer->status == 200) return std::move(answer->body);
  auto code = answer->status == 404 ? errc::not_found : errc::unavailable;
  return error{code,
               url + " answered " + std::to_string(answer->status) + ": " + answer->body.substr(0, quoted_bytes_max)};
}

std::string http_url(const std::string& host, int port, const std::string& scheme) {
  const bool v6 = host.find(':') != std::string::npos && host.front() != '[';
  return (scheme.empty() ? "http" : scheme) + "://" + (v6 ? "[" + host + "]" : host) + ":" + std::to_string(port);
}

result<std::string> download_sandbox_range(const std::string& url, const std::string& path, std::uint64_t offset,
                                           std::uint64_t length) {
  return http_get_ok(url + "/files/download?path=" + url_encode(path) + "&offset=" + std::to_string(offset) +
                     "&length=" + std::to_string(length));
}

result<std::string> download_sandbox_file(const std::string& url, const std::string& path) {
  return http_get_ok(url + "/files/download?path=" + url_encode(path), std::chrono::minutes(2));
}

std::string url_encode(const std::string& text) {
  static const char digits[] = "0123456789ABCDEF";
  std::string encoded;
  for (unsigned char c : text) {
    bool unreserved = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' ||
                      c == '.' || c == '_' || c == '~' || c == '/';
    if (unreserved) {
      encoded.push_back(static_cast<char>(c));
    } else {
      encoded.push_back('%');
      encoded.push_back(digits[c >> 4]);
      encoded.push_back(digits[c & 15]);
    }
  }
  return encoded;
}

}  // namespace troupe::sdk
