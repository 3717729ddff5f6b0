#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// Factor by which the spread of a committee's energies has to be multiplied so that errors on `frames`,
/// which the committee was not trained on, lie within it in 68.3 % of the cases. Nothing for fewer than five
/// frames with energies.
std::optional<double> calibrated_scale(const Potential& potential, std::span<const Frame> frames);

/// What a committee's standard deviations σ say of the errors of energies per atom.
struct Calibration {
  std::size_t n_frames = 0;
  std::vector<double> expected;  ///< shares of a normal distribution, 0.05 to 0.95
  std::vector<double> observed;  ///< shares of the frames whose error lies in the central interval of that share
  /// ∫|observed − expected| over all shares: 0 where σ is right, 0.5 at worst (Tran et al. 2020,
  /// doi:10.1088/2632-2153/ab7e1a).
  double miscalibration_area = 0.0;
  double sharpness = 0.0;  ///< root mean square of σ [eV/atom]
  double spearman = 0.0;   ///< rank correlation of σ and |error|, −1 to 1
};

/// Over the frames with energies, which should lie outside of the training. Nothing without a committee or for fewer than
/// five of them.
std::optional<Calibration> calibration(const Potential& potential, std::span<const Frame> frames);

}  // namespace tamiz
