#pragma once

#include <cstdlib>
#include <string>

namespace troupe {

/// Where a process finds what it needs for TLS: paths of PEM files.
struct tls_files {
  std::string certificate;  ///< our own, leaf first, then what leads to the authority; empty: none
  std::string key;          ///< its private key, without a passphrase; given if and only if there is a certificate
  std::string authority;    ///< who signs for those whom we trust; empty: whoever the system trusts

  /// $TROUPE_TLS_CERT, $TROUPE_TLS_KEY and $TROUPE_TLS_CA.
  static tls_files from_environment() {
    const auto value = [](const char* name) {
      const char* found = std::getenv(name);
      return std::string(found ? found : "");
    };
    return {value("TROUPE_TLS_CERT"), value("TROUPE_TLS_KEY"), value("TROUPE_TLS_CA")};
  }
};

}  // namespace troupe
