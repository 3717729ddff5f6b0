#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tamiz/potentials/engine/trainable.hpp"

namespace tamiz {

/// AdamW with AMSGrad on a flat array (Loshchilov and Hutter 2019, arXiv:1711.05101; Reddi et al. 2018,
/// arXiv:1904.09237), with β = (0.9, 0.999) and ε = 1e-8.
class Optimizer {
 public:
  /// Everything that a later step depends on.
  struct State {
    std::int64_t step = 0;
    std::vector<double> first, second, largest_second;
  };

  /// `threads` share a step (0: available_threads()) and change nothing in it.
  Optimizer(std::vector<ParameterBlock> layout, double weight_decay, int threads = 1);

  /// Before the first step.
  State start() const;

  /// One step along −gradient.
  void step(State& state, std::span<double> parameters, std::span<const double> gradient, double learning_rate) const;

 private:
  std::vector<ParameterBlock> pieces_;  ///< the layout, in pieces that threads take
  double weight_decay_;
  int threads_;
  std::size_t size_ = 0;
};

/// Scales the gradient down to norm `limit` where it is longer; returns its norm before.
double clip(std::span<double> gradient, double limit);

/// Exponential moving average of the parameters behind step `step` >= 1, decay·average + (1 − decay)·parameters. A young
/// average forgets faster, with step/(step + 10) where that is less, or it would remember the random start.
void update_average(std::span<double> average, std::span<const double> parameters, std::int64_t step, double decay);

}  // namespace tamiz
