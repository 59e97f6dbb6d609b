#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <utility>

namespace troupe {

/// Who is at the other end of an accepted socket, as the kernel knows it. A value; told while the connection is new,
/// since nothing can be asked of one that is gone.
class peer_address {
 public:
  /// Whoever has one source shares what one source may take.
  using source_key = std::pair<std::uint32_t, std::uint64_t>;

  peer_address() = default;
  static peer_address of(int fd);

  /// `127.0.0.1:4711`, `[::1]:4711`; of a Unix socket `uid=1000 pid=4711`; `unknown`.
  std::string text() const;
  /// An IPv4 address, the network half of an IPv6 one, or a user of this machine.
  source_key source() const;

 private:
  enum class kind : std::uint32_t { unknown, v4, v6, local };
  kind kind_ = kind::unknown;
  std::array<unsigned char, 16> bytes_{};  ///< of the address, in network order
  std::uint32_t number_ = 0;               ///< the port, or the process
  std::uint32_t user_ = 0;
};

}  // namespace troupe
