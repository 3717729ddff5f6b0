#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace tamiz {

/// 32 hexadecimal digits of XXH3-128. A checksum and a cache key, not a signature.
std::string hash_hex(std::string_view bytes);
/// Of the pieces one after the other.
std::string hash_hex(std::span<const std::string_view> pieces);
/// 64-bit XXH3, for record frames and for keys of random numbers.
std::uint64_t hash64(std::string_view bytes);

}  // namespace tamiz
