#pragma once

#include "actors/runtime/net/tls_files.hpp"

#include <openssl/types.h>

#include <memory>
#include <string>

/// Certificates for tests, made on the spot.
namespace troupe::test {

/// A folder that is gone afterwards, with all that is in it.
class certificate_folder {
 public:
  certificate_folder();
  ~certificate_folder();
  certificate_folder(const certificate_folder&) = delete;
  certificate_folder& operator=(const certificate_folder&) = delete;
  std::string path(const std::string& name) const { return path_ + "/" + name; }
  /// Its path.
  std::string write(const std::string& name, const std::string& content) const;

 private:
  std::string path_;
};

/// Signs certificates, and writes them into the folder.
class tls_authority {
 public:
  tls_authority(const certificate_folder& folder, const std::string& name);

  struct wish {
    std::string names = "IP:127.0.0.1,DNS:localhost";  ///< as OpenSSL writes subjectAltName
    long begins_s = -3600, ends_s = 3600;              ///< from now
  };
  /// Files with a fresh key, its certificate, and this authority.
  tls_files issue(const std::string& name) const { return issue(name, wish()); }
  tls_files issue(const std::string& name, const wish& wanted) const;

  const std::string& file() const { return file_; }

 private:
  const certificate_folder& folder_;
  std::shared_ptr<EVP_PKEY> key_;
  std::shared_ptr<X509> certificate_;
  std::string file_;
};

}  // namespace troupe::test
