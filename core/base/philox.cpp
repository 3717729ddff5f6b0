#include "tamiz/core/base/philox.hpp"

#include <cmath>
#include <numbers>

namespace tamiz {
namespace {

// Constants of Philox-4x32 (Salmon et al. 2011, table 2).
constexpr std::uint32_t k_multiplier_0 = 0xD2511F53u;
constexpr std::uint32_t k_multiplier_1 = 0xCD9E8D57u;
constexpr std::uint32_t k_weyl_0 = 0x9E3779B9u;
constexpr std::uint32_t k_weyl_1 = 0xBB67AE85u;
constexpr int k_rounds = 10;

}  // namespace

std::array<std::uint32_t, 4> Philox::block(std::array<std::uint32_t, 4> counter, std::array<std::uint32_t, 2> key) {
  for (int round = 0; round < k_rounds; ++round) {
    const std::uint64_t p0 = std::uint64_t{k_multiplier_0} * counter[0];
    const std::uint64_t p1 = std::uint64_t{k_multiplier_1} * counter[2];
    counter = {static_cast<std::uint32_t>(p1 >> 32) ^ counter[1] ^ key[0], static_cast<std::uint32_t>(p1),
               static_cast<std::uint32_t>(p0 >> 32) ^ counter[3] ^ key[1], static_cast<std::uint32_t>(p0)};
    key[0] += k_weyl_0;
    key[1] += k_weyl_1;
  }
  return counter;
}

Philox::Philox(std::uint64_t seed, std::uint32_t stream, std::uint64_t id, std::uint32_t step)
    : counter_{0, static_cast<std::uint32_t>(id), static_cast<std::uint32_t>(id >> 32), step},
      key_{static_cast<std::uint32_t>(seed) ^ (stream * k_weyl_1), static_cast<std::uint32_t>(seed >> 32) + stream} {}

std::uint32_t Philox::bits() {
  if (used_ == 4) {
    buffer_ = block(counter_, key_);
    ++counter_[0];
    used_ = 0;
  }
  return buffer_[static_cast<std::size_t>(used_++)];
}

double Philox::uniform() {
  const std::uint64_t high = bits();
  const std::uint64_t low = bits();
  return static_cast<double>(((high << 32) | low) >> 11) * 0x1.0p-53;
}

double Philox::normal() {
  if (has_normal_) {
    has_normal_ = false;
    return normal_;
  }
  const double radius = std::sqrt(-2.0 * std::log(1.0 - uniform()));  // 1 − u is never zero
  const double angle = 2.0 * std::numbers::pi * uniform();
  normal_ = radius * std::sin(angle);
  has_normal_ = true;
  return radius * std::cos(angle);
}

std::uint64_t Philox::below(std::uint64_t n) {
  // Draws above the largest multiple of n are thrown away, so that no remainder is more likely.
  const std::uint64_t limit = UINT64_MAX - UINT64_MAX % n;
  for (;;) {
    const std::uint64_t high = bits();
    const std::uint64_t draw = (high << 32) | bits();
    if (draw < limit) return draw % n;
  }
}

}  // namespace tamiz
