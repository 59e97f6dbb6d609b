#include "storage/checksum.hpp"

#include <boost/crc.hpp>

#include <cstdint>

namespace troupe {

std::string checksum(std::initializer_list<std::string_view> parts) {
  boost::crc_optimal<32, 0x1EDC6F41, 0xFFFFFFFF, 0xFFFFFFFF, true, true> crc;
  for (const auto part : parts) crc.process_bytes(part.data(), part.size());
  auto value = static_cast<std::uint32_t>(crc.checksum());
  std::string out;
  for (std::size_t i = 0; i < checksum_bytes; ++i, value >>= 8) out.push_back(static_cast<char>(value & 0xff));
  return out;
}

}  // namespace troupe
