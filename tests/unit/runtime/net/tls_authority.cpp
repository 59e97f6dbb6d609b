#include "tests/unit/runtime/net/tls_authority.hpp"

#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdlib.h>

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <stdexcept>

namespace troupe::test {

namespace {

void must(bool ok) {
  if (!ok) throw std::runtime_error("the test's certificates cannot be made");
}

std::shared_ptr<EVP_PKEY> fresh_key() {
  auto* made = EVP_PKEY_Q_keygen(nullptr, nullptr, "EC", "P-256");
  must(made != nullptr);
  return {made, EVP_PKEY_free};
}

void extend(X509* certificate, X509* issuer, int kind, const std::string& value) {
  X509V3_CTX context;
  X509V3_set_ctx(&context, issuer, certificate, nullptr, nullptr, 0);
  auto* extension = X509V3_EXT_conf_nid(nullptr, &context, kind, value.c_str());
  must(extension != nullptr && X509_add_ext(certificate, extension, -1) == 1);
  X509_EXTENSION_free(extension);
}

std::shared_ptr<X509> unsigned_certificate(EVP_PKEY* key, const std::string& name, const tls_authority::wish& wanted) {
  static long serial = 0;
  std::shared_ptr<X509> made(X509_new(), X509_free);
  X509_set_version(made.get(), X509_VERSION_3);
  ASN1_INTEGER_set(X509_get_serialNumber(made.get()), ++serial);
  X509_gmtime_adj(X509_getm_notBefore(made.get()), wanted.begins_s);
  X509_gmtime_adj(X509_getm_notAfter(made.get()), wanted.ends_s);
  std::string subject = name;
  const auto* bytes = static_cast<const unsigned char*>(static_cast<const void*>(subject.data()));
  X509_NAME_add_entry_by_txt(X509_get_subject_name(made.get()), "CN", MBSTRING_ASC, bytes, -1, -1, 0);
  X509_set_pubkey(made.get(), key);
  return made;
}

template <class Write>
std::string write_pem(const std::string& path, Write write) {
  std::FILE* file = std::fopen(path.c_str(), "we");
  must(file && write(file) == 1);
  must(std::fclose(file) == 0);
  return path;
}

}  // namespace

certificate_folder::certificate_folder() {
  char folder[] = "/tmp/troupe-tls-XXXXXX";
  must(::mkdtemp(folder) != nullptr);
  path_ = folder;
}

certificate_folder::~certificate_folder() {
  std::error_code ignored;
  std::filesystem::remove_all(path_, ignored);
}

std::string certificate_folder::write(const std::string& name, const std::string& content) const {
  std::ofstream(path(name)) << content;
  return path(name);
}

tls_authority::tls_authority(const certificate_folder& folder, const std::string& name)
    : folder_(folder), key_(fresh_key()), certificate_(unsigned_certificate(key_.get(), name, wish())) {
  auto* self = certificate_.get();
  X509_set_issuer_name(self, X509_get_subject_name(self));
  extend(self, self, NID_basic_constraints, "critical,CA:TRUE");
  extend(self, self, NID_subject_key_identifier, "hash");
  must(X509_sign(self, key_.get(), EVP_sha256()) > 0);
  file_ = write_pem(folder.path(name + ".pem"), [&](std::FILE* to) { return PEM_write_X509(to, self); });
}

tls_files tls_authority::issue(const std::string& name, const wish& wanted) const {
  auto key = fresh_key();
  auto made = unsigned_certificate(key.get(), name, wanted);
  X509_set_issuer_name(made.get(), X509_get_subject_name(certificate_.get()));
  extend(made.get(), certificate_.get(), NID_subject_alt_name, wanted.names);
  must(X509_sign(made.get(), key_.get(), EVP_sha256()) > 0);
  tls_files files;
  files.certificate =
      write_pem(folder_.path(name + ".crt"), [&](std::FILE* to) { return PEM_write_X509(to, made.get()); });
  files.key = write_pem(folder_.path(name + ".key"), [&](std::FILE* to) {
    return PEM_write_PrivateKey(to, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  });
  files.authority = file_;
  return files;
}

}  // namespace troupe::test
