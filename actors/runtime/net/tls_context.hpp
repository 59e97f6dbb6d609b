#pragma once

#include "actors/runtime/net/tls_files.hpp"
#include "protocol/error.hpp"

#include <memory>
#include <string>

struct ssl_st;  // OpenSSL's SSL

namespace troupe {

/// What all TLS connections of one kind share: our certificate, whom we trust, TLS 1.2 or later, no renegotiation, no
/// compression, no resumption. Read from its files once, then immutable; any thread.
class tls_context {
 public:
  /// For a port. With an authority, clients are asked for a certificate and refused with a wrong one; without one they
  /// may come only where `clients_need_certificate` is false. Errors: invalid_argument or io, naming the option and
  /// the file, and what is wrong with it: missing, unreadable, no PEM, expired, a key that does not match.
  static result<std::shared_ptr<const tls_context>> of_server(const tls_files& files, bool clients_need_certificate);

  /// For who connects: verifies the server's certificate and name, shows our own certificate if there is one.
  static result<std::shared_ptr<const tls_context>> of_client(const tls_files& files);

  /// One connection's state, owned by the caller; null when memory ran out. Of a client, `host` is the name or address
  /// that the server's certificate must be for.
  ssl_st* open(const std::string& host = {}) const;

  /// Whether links must come with a certificate: there is an authority to verify it.
  bool verifies_peers() const { return verifies_peers_; }

 private:
  struct handle;
  tls_context(std::shared_ptr<handle> context, bool is_server, bool verifies_peers)
      : context_(std::move(context)), is_server_(is_server), verifies_peers_(verifies_peers) {}

  std::shared_ptr<handle> context_;
  bool is_server_, verifies_peers_;
};

/// Whether the peer has shown a certificate; it was verified if so.
bool has_peer_certificate(ssl_st* connection);

/// What a failed handshake means, for a person: `words` is what the library said.
std::string tls_failure(ssl_st* connection, const std::string& words);

}  // namespace troupe
