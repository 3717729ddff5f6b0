#include "tamiz/core/base/hash.hpp"

#include <xxhash.h>

namespace tamiz {
namespace {

void append_hex(std::string& text, std::uint64_t value) {
  constexpr char k_digits[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) text += k_digits[(value >> shift) & 0xF];
}

}  // namespace

std::string hash_hex(std::string_view bytes) {
  const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
  std::string text;
  append_hex(text, hash.high64);
  append_hex(text, hash.low64);
  return text;
}

std::uint64_t hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace tamiz
