#pragma once

#include <array>
#include <cstdint>

namespace tamiz {

/// Counter-based random numbers: a pure function of (seed, stream, id, step), Philox-4x32-10
/// (Salmon et al. 2011, doi:10.1145/2063384.2063405). Nothing depends on call order or threads.
class Philox {
 public:
  /// `stream` separates uses (velocities, thermostat, crystals ...); `id` is a structure, candidate
  /// or frame; `step` the time step or round.
  Philox(std::uint64_t seed, std::uint32_t stream, std::uint64_t id, std::uint32_t step);

  /// Next 32 random bits.
  std::uint32_t bits();
  /// Uniform in [0, 1), 53 bits.
  double uniform();
  /// Standard normal (Box–Muller; the second value is kept for the next call).
  double normal();
  /// Uniform integer in [0, n), n > 0, without modulo bias.
  std::uint64_t below(std::uint64_t n);

  /// The raw block function, for tests against the published vectors.
  static std::array<std::uint32_t, 4> block(std::array<std::uint32_t, 4> counter,
                                            std::array<std::uint32_t, 2> key);

 private:
  std::array<std::uint32_t, 4> counter_;
  std::array<std::uint32_t, 2> key_;
  std::array<std::uint32_t, 4> buffer_{};
  int used_ = 4;
  bool has_normal_ = false;
  double normal_ = 0.0;
};

/// Named streams, so that two uses never share numbers.
namespace streams {
inline constexpr std::uint32_t k_velocities = 1;
inline constexpr std::uint32_t k_thermostat = 2;
inline constexpr std::uint32_t k_crystals = 3;
inline constexpr std::uint32_t k_training = 4;
inline constexpr std::uint32_t k_initial_weights = 5;
inline constexpr std::uint32_t k_bootstrap = 6;
inline constexpr std::uint32_t k_orderings = 8;
inline constexpr std::uint32_t k_split = 9;
}  // namespace streams

}  // namespace tamiz
