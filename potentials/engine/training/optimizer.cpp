#include "tamiz/potentials/engine/training/optimizer.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>

#include "tamiz/core/base/parallel.hpp"

namespace tamiz {
namespace {

constexpr double k_beta_1 = 0.9, k_beta_2 = 0.999, k_epsilon = 1e-8;
constexpr std::size_t k_piece = 16384;

}  // namespace

Optimizer::Optimizer(std::vector<ParameterBlock> layout, double weight_decay, int threads)
    : weight_decay_(weight_decay), threads_(threads) {
  for (const ParameterBlock& block : layout) {
    size_ = std::max(size_, block.offset + block.size);
    for (std::size_t begin = 0; begin < block.size; begin += k_piece)
      pieces_.push_back({block.name, block.offset + begin, std::min(k_piece, block.size - begin), block.decays});
  }
}

Optimizer::State Optimizer::start() const {
  const std::vector<double> zeros(size_, 0.0);
  return {0, zeros, zeros, zeros};
}

void Optimizer::step(State& state, std::span<double> parameters, std::span<const double> gradient,
                     double learning_rate) const {
  ++state.step;
  const auto t = static_cast<double>(state.step);
  const double correction_1 = 1.0 - std::pow(k_beta_1, t), correction_2 = std::sqrt(1.0 - std::pow(k_beta_2, t));
  parallel_for(pieces_.size(), threads_, [&](std::size_t piece) {
    const ParameterBlock& block = pieces_[piece];
    const double kept = block.decays ? 1.0 - learning_rate * weight_decay_ : 1.0, rate = learning_rate / correction_1;
    const double root = 1.0 / correction_2;
    // The arrays do not overlap, which the compiler cannot know.
    const double* __restrict slope = gradient.data() + block.offset;
    double* __restrict value = parameters.data() + block.offset;
    double* __restrict first = state.first.data() + block.offset;
    double* __restrict second = state.second.data() + block.offset;
    double* __restrict largest = state.largest_second.data() + block.offset;
    for (std::size_t k = 0; k < block.size; ++k) {
      first[k] = k_beta_1 * first[k] + (1.0 - k_beta_1) * slope[k];
      second[k] = k_beta_2 * second[k] + (1.0 - k_beta_2) * slope[k] * slope[k];
      largest[k] = largest[k] < second[k] ? second[k] : largest[k];
      const double scale = std::sqrt(largest[k]) * root + k_epsilon;
      value[k] = kept * value[k] - rate * first[k] / scale;
    }
  });
}

double clip(std::span<double> gradient, double limit) {
  std::array<double, 8> sums{};  // one sum would wait for itself at every number
  std::size_t k = 0;
  for (; k + sums.size() <= gradient.size(); k += sums.size())
    for (std::size_t lane = 0; lane < sums.size(); ++lane) sums[lane] += gradient[k + lane] * gradient[k + lane];
  for (; k < gradient.size(); ++k) sums[0] += gradient[k] * gradient[k];
  const double norm = std::sqrt(std::accumulate(sums.begin(), sums.end(), 0.0));
  if (norm > limit)
    for (double& value : gradient) value *= limit / norm;
  return norm;
}

void update_average(std::span<double> average, std::span<const double> parameters, std::int64_t step, double decay) {
  const auto age = static_cast<double>(step);
  const double kept = std::min(decay, age / (age + 10.0));
  for (std::size_t k = 0; k < average.size(); ++k) average[k] = kept * average[k] + (1.0 - kept) * parameters[k];
}

}  // namespace tamiz
