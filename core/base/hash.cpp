#include "tamiz/core/base/hash.hpp"

#include <xxhash.h>

#include <memory>
#include <new>

namespace tamiz {
namespace {

void append_hex(std::string& text, std::uint64_t value) {
  constexpr char k_digits[] = "0123456789abcdef";
  for (int shift = 60; shift >= 0; shift -= 4) text += k_digits[(value >> shift) & 0xF];
}

std::string as_hex(const XXH128_hash_t& hash) {
  std::string text;
  append_hex(text, hash.high64);
  append_hex(text, hash.low64);
  return text;
}

}  // namespace

std::string hash_hex(std::string_view bytes) { return as_hex(XXH3_128bits(bytes.data(), bytes.size())); }

std::string hash_hex(std::span<const std::string_view> pieces) {
  const std::unique_ptr<XXH3_state_t, decltype(&XXH3_freeState)> state(XXH3_createState(), XXH3_freeState);
  if (!state) throw std::bad_alloc();
  XXH3_128bits_reset(state.get());
  for (const std::string_view piece : pieces) XXH3_128bits_update(state.get(), piece.data(), piece.size());
  return as_hex(XXH3_128bits_digest(state.get()));
}

std::uint64_t hash64(std::string_view bytes) { return XXH3_64bits(bytes.data(), bytes.size()); }

}  // namespace tamiz
