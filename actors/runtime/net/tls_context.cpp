#include "actors/runtime/net/tls_context.hpp"

#include <arpa/inet.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <cerrno>
#include <cstdio>
#include <system_error>

namespace troupe {

struct tls_context::handle {
  SSL_CTX* ssl = nullptr;
  handle() = default;
  handle(const handle&) = delete;
  handle& operator=(const handle&) = delete;
  ~handle() { SSL_CTX_free(ssl); }
};

namespace {

constexpr int chain_length_max = 4;

/// An option with its file, as errors name it.
struct named_file {
  const char* option;
  const std::string& path;
  std::string name() const { return std::string(option) + " " + path; }
};

/// OpenSSL's last words, which this takes off its queue.
std::string last_words() {
  const auto code = ERR_peek_last_error();
  const char* words = ERR_reason_error_string(code);
  ERR_clear_error();
  return words ? words : "it is not understood";
}

result<void> check_readable(const named_file& file) {
  FILE* opened = std::fopen(file.path.c_str(), "re");
  char byte = 0;
  const bool read = opened && std::fread(&byte, 1, 1, opened) == 1;
  const int code = errno;
  const bool empty = opened && !read && std::feof(opened) != 0;
  if (opened) std::fclose(opened);
  if (read) return {};
  if (empty) return invalid(file.name() + ": the file is empty; it must be PEM");
  return error{errc::io, file.name() + ": cannot be read: " + std::generic_category().message(code)};
}

std::string date_of(const ASN1_TIME* when) {
  std::tm parts{};
  char text[32] = "";
  if (ASN1_TIME_to_tm(when, &parts) == 1) std::strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts);
  return text;
}

result<void> check_validity(const named_file& file, const X509* certificate) {
  const auto* begins = X509_get0_notBefore(certificate);
  const auto* ends = X509_get0_notAfter(certificate);
  if (X509_cmp_current_time(ends) < 0) return invalid(file.name() + ": the certificate expired on " + date_of(ends));
  if (X509_cmp_current_time(begins) > 0)
    return invalid(file.name() + ": the certificate is not valid before " + date_of(begins));
  return {};
}

/// A daemon has nobody to ask.
int no_passphrase(char*, int, int, void*) {
  return -1;
}

result<void> use_certificate(SSL_CTX* context, const tls_files& files) {
  const named_file certificate{"--tls-cert", files.certificate}, key{"--tls-key", files.key};
  if (files.certificate.empty() && files.key.empty()) return {};
  if (files.key.empty()) return invalid("--tls-cert is given without --tls-key: both are needed");
  if (files.certificate.empty()) return invalid("--tls-key is given without --tls-cert: both are needed");
  if (auto ok = check_readable(certificate); !ok) return ok;
  if (auto ok = check_readable(key); !ok) return ok;
  if (SSL_CTX_use_certificate_chain_file(context, files.certificate.c_str()) != 1)
    return invalid(certificate.name() + ": holds no usable PEM certificate: " + last_words());
  if (auto valid = check_validity(certificate, SSL_CTX_get0_certificate(context)); !valid) return valid;
  SSL_CTX_set_default_passwd_cb(context, no_passphrase);
  if (SSL_CTX_use_PrivateKey_file(context, files.key.c_str(), SSL_FILETYPE_PEM) != 1) {
    const auto code = ERR_peek_last_error();
    const bool differs = ERR_GET_LIB(code) == ERR_LIB_X509 && (ERR_GET_REASON(code) == X509_R_KEY_VALUES_MISMATCH ||
                                                               ERR_GET_REASON(code) == X509_R_KEY_TYPE_MISMATCH);
    const auto words = last_words();
    if (differs) return invalid(key.name() + ": does not match the certificate in " + files.certificate);
    return invalid(key.name() + ": holds no usable PEM key without a passphrase: " + words);
  }
  return {};
}

/// Whom to trust. A server that asks for certificates also says whose it takes.
result<void> use_authority(SSL_CTX* context, const tls_files& files, bool is_server) {
  if (files.authority.empty()) {
    if (!is_server && SSL_CTX_set_default_verify_paths(context) != 1)
      return error{errc::io, "the system's certificate authorities cannot be read: " + last_words()};
    return {};
  }
  const named_file authority{"--tls-ca", files.authority};
  if (auto ok = check_readable(authority); !ok) return ok;
  if (SSL_CTX_load_verify_file(context, files.authority.c_str()) != 1)
    return invalid(authority.name() + ": holds no usable PEM certificate: " + last_words());
  auto* names = SSL_load_client_CA_file(files.authority.c_str());
  if (!names) return invalid(authority.name() + ": holds no usable PEM certificate: " + last_words());
  if (!is_server) {
    sk_X509_NAME_pop_free(names, X509_NAME_free);
    return {};
  }
  SSL_CTX_set_client_CA_list(context, names);
  return {};
}

void set_defaults(SSL_CTX* context) {
  SSL_CTX_set_min_proto_version(context, TLS1_2_VERSION);
  SSL_CTX_set_options(
      context, SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_COMPRESSION | SSL_OP_NO_TICKET | SSL_OP_CIPHER_SERVER_PREFERENCE);
  SSL_CTX_set_num_tickets(context, 0);
  SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
  // Of TLS 1.2 only what is forward secret and authenticated; TLS 1.3 has nothing else.
  SSL_CTX_set_cipher_list(context, "ECDHE+AESGCM:ECDHE+CHACHA20");
  SSL_CTX_set_verify_depth(context, chain_length_max);
}

bool is_address(const std::string& host) {
  unsigned char bytes[16];
  return ::inet_pton(AF_INET, host.c_str(), bytes) == 1 || ::inet_pton(AF_INET6, host.c_str(), bytes) == 1;
}

bool expect_host(SSL* connection, const std::string& host) {
  if (is_address(host)) return X509_VERIFY_PARAM_set1_ip_asc(SSL_get0_param(connection), host.c_str()) == 1;
  SSL_set_hostflags(connection, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
  // What SSL_set_tlsext_host_name does, without the C cast in its macro.
  std::string name = host;
  return SSL_set1_host(connection, host.c_str()) == 1 &&
         SSL_ctrl(connection, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name, name.data()) == 1;
}

}  // namespace

result<std::shared_ptr<const tls_context>> tls_context::of_server(const tls_files& files,
                                                                  bool clients_need_certificate) {
  if (files.certificate.empty() && files.key.empty())
    return invalid("TLS needs a certificate: give --tls-cert and --tls-key");
  if (clients_need_certificate && files.authority.empty())
    return invalid("--tls-require-client-cert needs --tls-ca: somebody must have signed the clients' certificates");
  auto context = std::make_shared<handle>();
  context->ssl = SSL_CTX_new(TLS_server_method());
  if (!context->ssl) return error{errc::internal, "TLS cannot be set up: " + last_words()};
  set_defaults(context->ssl);
  if (auto used = use_certificate(context->ssl, files); !used) return used.error();
  if (auto used = use_authority(context->ssl, files, true); !used) return used.error();
  const bool verifies = !files.authority.empty();
  const int demand = clients_need_certificate ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0;
  SSL_CTX_set_verify(context->ssl, verifies ? SSL_VERIFY_PEER | demand : SSL_VERIFY_NONE, nullptr);
  return std::shared_ptr<const tls_context>(new tls_context(std::move(context), true, verifies));
}

result<std::shared_ptr<const tls_context>> tls_context::of_client(const tls_files& files) {
  auto context = std::make_shared<handle>();
  context->ssl = SSL_CTX_new(TLS_client_method());
  if (!context->ssl) return error{errc::internal, "TLS cannot be set up: " + last_words()};
  set_defaults(context->ssl);
  if (auto used = use_certificate(context->ssl, files); !used) return used.error();
  if (auto used = use_authority(context->ssl, files, false); !used) return used.error();
  SSL_CTX_set_verify(context->ssl, SSL_VERIFY_PEER, nullptr);
  return std::shared_ptr<const tls_context>(new tls_context(std::move(context), false, true));
}

ssl_st* tls_context::open(const std::string& host) const {
  SSL* made = SSL_new(context_->ssl);
  if (made && !is_server_ && !expect_host(made, host)) {
    SSL_free(made);
    made = nullptr;
  }
  ERR_clear_error();
  return made;
}

bool has_peer_certificate(ssl_st* connection) {
  return SSL_get0_peer_certificate(connection) != nullptr;
}

std::string tls_failure(ssl_st* connection, const std::string& words) {
  const auto verdict = SSL_get_verify_result(connection);
  if (verdict == X509_V_OK) return "TLS: " + words;
  return std::string("TLS: the certificate of the other end is not accepted: ") +
         X509_verify_cert_error_string(verdict);
}

}  // namespace troupe
