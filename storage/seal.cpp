#include "storage/seal.hpp"

#include "storage/checksum.hpp"

namespace troupe {

namespace {

constexpr std::size_t opening_bytes = 1 + checksum_bytes;

std::string mark(std::string_view key, std::string_view record) {
  return checksum({key, record.substr(0, opening_bytes)});
}

}  // namespace

std::string seal(std::string_view key, std::string_view record) {
  std::string sealed;
  sealed.reserve(record.size() + checksum_bytes);
  return sealed.append(record).append(mark(key, record));
}

std::optional<std::string_view> unseal(std::string_view key, std::string_view sealed) {
  if (sealed.size() < checksum_bytes) return std::nullopt;
  const auto record = sealed.substr(0, sealed.size() - checksum_bytes);
  if (mark(key, record) != sealed.substr(record.size())) return std::nullopt;
  return record;
}

}  // namespace troupe
