#pragma once

#include "actors/runtime/net/tls_files.hpp"

#include <openssl/types.h>

#include <cstdint>
#include <memory>
#include <string>

/// A client that speaks TLS by OpenSSL alone, so that what it may do is up to the test.
namespace troupe::test {

struct tls_habits {
  tls_files files;                ///< nothing in them is checked but by the server
  const char* ciphers = nullptr;  ///< of TLS 1.2 and earlier; null: the library's
  int version_max = 0;            ///< TLS1_1_VERSION, …; 0: the newest
};

class tls_client {
 public:
  /// Connects to loopback and shakes hands; of a server whose certificate the files' authority has not signed, nothing
  /// is read.
  tls_client(std::uint16_t port, const tls_habits& habits);
  ~tls_client();
  tls_client(const tls_client&) = delete;
  tls_client& operator=(const tls_client&) = delete;

  /// Our half of the handshake succeeded. With TLS 1.3 a server may still refuse our certificate.
  bool connected() const { return connected_; }
  /// "TLSv1.3"
  std::string version() const;

  /// What the server says until it ends the connection; `orderly` is whether it said that it would.
  struct answer {
    std::string text;
    bool orderly = false;
  };
  answer ask(const std::string& request);

 private:
  std::shared_ptr<SSL_CTX> context_;
  std::shared_ptr<SSL> ssl_;
  int fd_ = -1;
  bool connected_ = false;
};

}  // namespace troupe::test
