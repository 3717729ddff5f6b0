#include "tamiz/potentials/engine/training/split_batch.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <new>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"

namespace tamiz {

double SplitBatch::loss_gradient(Trainable& model, std::span<const TrainingFrame* const> frames,
                                 const LossWeights& weights, std::span<double> gradient) {
  for (;;) {
    const std::size_t parts = std::min(parts_, frames.size());
    try {
      return parts <= 1 ? model.loss_gradient(frames, weights, gradient) : sum_parts(model, frames, weights, gradient);
    } catch (const std::bad_alloc&) {
      if (parts >= frames.size()) {
        std::size_t largest = 0;
        for (const TrainingFrame* frame : frames) largest = std::max(largest, frame->frame.structure.size());
        throw CapabilityError(fmt::format("out of memory in a single frame of up to {} atoms: leave the largest frames "
                                          "out, use float32 or a smaller model, or grant more memory", largest));
      }
      parts_ = 2 * parts;
      log::warning(fmt::format("out of memory in a batch of {} frames: it is split into {} parts from now on",
                               frames.size(), std::min(parts_, frames.size())));
    }
  }
}

double SplitBatch::sum_parts(Trainable& model, std::span<const TrainingFrame* const> frames, const LossWeights& weights,
                             std::span<double> gradient) {
  const std::size_t n = frames.size(), parts = std::min(parts_, n);
  part_.resize(gradient.size());
  std::fill(gradient.begin(), gradient.end(), 0.0);
  double loss = 0.0;
  for (std::size_t p = 0; p < parts; ++p) {
    const std::size_t begin = p * n / parts, end = (p + 1) * n / parts;
    // The loss of a batch is the mean over its frames.
    const double share = static_cast<double>(end - begin) / static_cast<double>(n);
    loss += share * model.loss_gradient(frames.subspan(begin, end - begin), weights, part_);
    for (std::size_t k = 0; k < part_.size(); ++k) gradient[k] += share * part_[k];
  }
  return loss;
}

}  // namespace tamiz
