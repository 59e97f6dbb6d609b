#include "tests/unit/runtime/net/tls_client.hpp"

#include <netinet/in.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include <stdexcept>

namespace troupe::test {

namespace {

int connect_to_loopback(std::uint16_t port) {
  const int fd = ::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  timeval patience{60, 0};  // guards against a hanging test only
  ::setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_port = htons(port);
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  if (::connect(fd, static_cast<const sockaddr*>(static_cast<const void*>(&address)), sizeof address) != 0)
    throw std::runtime_error("cannot connect");
  return fd;
}

}  // namespace

tls_client::tls_client(std::uint16_t port, const tls_habits& habits)
    : context_(SSL_CTX_new(TLS_client_method()), SSL_CTX_free) {
  auto* context = context_.get();
  SSL_CTX_set_min_proto_version(context, TLS1_VERSION);
  SSL_CTX_set_max_proto_version(context, habits.version_max);
  if (habits.ciphers) SSL_CTX_set_cipher_list(context, habits.ciphers);
  SSL_CTX_load_verify_file(context, habits.files.authority.c_str());
  SSL_CTX_set_verify(context, SSL_VERIFY_PEER, nullptr);
  if (!habits.files.certificate.empty()) {
    SSL_CTX_use_certificate_chain_file(context, habits.files.certificate.c_str());
    SSL_CTX_use_PrivateKey_file(context, habits.files.key.c_str(), SSL_FILETYPE_PEM);
  }
  fd_ = connect_to_loopback(port);
  ssl_ = std::shared_ptr<SSL>(SSL_new(context), SSL_free);
  SSL_set_fd(ssl_.get(), fd_);
  connected_ = SSL_connect(ssl_.get()) == 1;
  ERR_clear_error();
}

tls_client::~tls_client() {
  ::close(fd_);
}

std::string tls_client::version() const {
  return SSL_get_version(ssl_.get());
}

tls_client::answer tls_client::ask(const std::string& request) {
  answer heard;
  SSL_write(ssl_.get(), request.data(), static_cast<int>(request.size()));
  char chunk[16384];
  int got = 0;
  while ((got = SSL_read(ssl_.get(), chunk, sizeof chunk)) > 0) heard.text.append(chunk, static_cast<std::size_t>(got));
  heard.orderly = SSL_get_error(ssl_.get(), got) == SSL_ERROR_ZERO_RETURN;
  ERR_clear_error();
  return heard;
}

}  // namespace troupe::test
