#pragma once

#include <optional>
#include <span>
#include <vector>

#include "tamiz/potentials/engine/training/predict_frames.hpp"

namespace tamiz {

/// |Error| and standard deviation of a committee's energies per atom, of every frame that has an energy.
class CommitteeErrors {
 public:
  CommitteeErrors() = default;
  /// Of all frames; none where the potential has no committee.
  CommitteeErrors(const Potential& potential, std::span<const Frame> frames);
  void add(const Frame& frame, const PredictedFrame& prediction);

  const std::vector<double>& errors() const { return errors_; }          ///< [eV/atom]
  const std::vector<double>& deviations() const { return deviations_; }  ///< [eV/atom]
  const std::vector<double>& weights() const { return weights_; }        ///< of the energies in training (label_weights.hpp)

 private:
  std::vector<double> errors_, deviations_, weights_;
};

/// Factor by which the spread of a committee's energies has to be multiplied so that errors on frames,
/// which the committee was not trained on, lie within it in 68.3 % of the cases, which count as their energies do in
/// training: one that is known to be off says little of the committee. Nothing for fewer than five frames with energies.
std::optional<double> calibrated_scale(const CommitteeErrors& committee);

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

/// Over frames with energies, which should lie outside of the training. Nothing for fewer than five of them.
std::optional<Calibration> calibration(const CommitteeErrors& committee);

}  // namespace tamiz
