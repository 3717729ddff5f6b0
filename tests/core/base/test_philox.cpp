#include <gtest/gtest.h>

#include <array>
#include <cmath>
#include <set>
#include <vector>

#include "tamiz/core/base/philox.hpp"

using namespace tamiz;

namespace {

using Block = std::array<std::uint32_t, 4>;
using Key = std::array<std::uint32_t, 2>;

struct KnownAnswer {
  Block counter;
  Key key;
  Block output;
};

// The lines "philox4x32 10" of kat_vectors in Random123 1.14.
const std::vector<KnownAnswer> k_known_answers{
    {{0, 0, 0, 0}, {0, 0}, {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8}},
    {{0xffffffff, 0xffffffff, 0xffffffff, 0xffffffff},
     {0xffffffff, 0xffffffff},
     {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd}},
    {{0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344},
     {0xa4093822, 0x299f31d0},
     {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1}}};

std::vector<double> uniforms(Philox random, std::size_t n) {
  std::vector<double> values;
  for (std::size_t k = 0; k < n; ++k) values.push_back(random.uniform());
  return values;
}

/// Correlation coefficient of two samples of uniform numbers; its standard deviation is 1/√n when independent.
double correlation(const std::vector<double>& a, const std::vector<double>& b) {
  double sum = 0.0;
  for (std::size_t k = 0; k < a.size(); ++k) sum += (a[k] - 0.5) * (b[k] - 0.5);
  return 12.0 * sum / static_cast<double>(a.size());
}

constexpr std::size_t k_draws = 20000;
// Five standard deviations: one false alarm in two million seeds, and the seeds here are fixed.
const double k_bound = 5.0 / std::sqrt(static_cast<double>(k_draws));

}  // namespace

TEST(Philox, block_function_gives_the_published_vectors) {
  for (const KnownAnswer& known : k_known_answers) EXPECT_EQ(Philox::block(known.counter, known.key), known.output);
}

TEST(Philox, is_a_function_of_seed_stream_id_and_step) {
  EXPECT_EQ(uniforms(Philox(7, 1, 42, 3), 100), uniforms(Philox(7, 1, 42, 3), 100));
}

TEST(Philox, every_argument_changes_the_numbers) {
  const std::vector<Philox> generators{Philox(7, 1, 42, 3),          Philox(8, 1, 42, 3), Philox(7, 2, 42, 3),
                                       Philox(7, 1, 43, 3),          Philox(7, 1, 42, 4), Philox(7 + (1ull << 32), 1, 42, 3),
                                       Philox(7, 1, 42 + (1ull << 32), 3)};

  std::set<std::vector<double>> sequences;
  for (const Philox& generator : generators) sequences.insert(uniforms(generator, 4));

  EXPECT_EQ(sequences.size(), generators.size());
}

TEST(Philox, neighbouring_streams_ids_steps_and_seeds_are_uncorrelated) {
  const auto base = uniforms(Philox(1, 1, 1, 1), k_draws);

  EXPECT_LT(std::abs(correlation(base, uniforms(Philox(1, 2, 1, 1), k_draws))), k_bound);
  EXPECT_LT(std::abs(correlation(base, uniforms(Philox(1, 1, 2, 1), k_draws))), k_bound);
  EXPECT_LT(std::abs(correlation(base, uniforms(Philox(1, 1, 1, 2), k_draws))), k_bound);
  EXPECT_LT(std::abs(correlation(base, uniforms(Philox(2, 1, 1, 1), k_draws))), k_bound);
}

TEST(Philox, uniform_numbers_fill_the_unit_interval) {
  const auto values = uniforms(Philox(3, 1, 0, 0), k_draws);

  double mean = 0.0, square = 0.0;
  for (const double value : values) {
    ASSERT_GE(value, 0.0);
    ASSERT_LT(value, 1.0);
    mean += value / k_draws;
    square += value * value / k_draws;
  }
  EXPECT_NEAR(mean, 0.5, k_bound / std::sqrt(12.0));
  EXPECT_NEAR(square, 1.0 / 3.0, k_bound * std::sqrt(4.0 / 45.0));
}

TEST(Philox, normal_numbers_have_the_moments_of_a_gaussian) {
  Philox random(4, 2, 0, 0);

  double mean = 0.0, square = 0.0, fourth = 0.0;
  for (std::size_t k = 0; k < k_draws; ++k) {
    const double value = random.normal();
    mean += value / k_draws;
    square += value * value / k_draws;
    fourth += std::pow(value, 4) / k_draws;
  }

  EXPECT_NEAR(mean, 0.0, k_bound);
  EXPECT_NEAR(square, 1.0, k_bound * std::sqrt(2.0));
  EXPECT_NEAR(fourth, 3.0, k_bound * std::sqrt(96.0));
}

TEST(Philox, below_reaches_every_number_equally_often) {
  Philox random(5, 3, 0, 0);
  std::array<double, 6> counts{};

  for (std::size_t k = 0; k < k_draws; ++k) counts.at(random.below(6)) += 1.0;

  const double expected = k_draws / 6.0;
  double chi_squared = 0.0;
  for (const double count : counts) chi_squared += (count - expected) * (count - expected) / expected;
  EXPECT_LT(chi_squared, 20.5);  // 99.9 % of the χ² distribution with five degrees of freedom
  EXPECT_EQ(random.below(1), 0u);
}
