#pragma once

#include <span>

#include "tamiz/screening/properties/gap_model.hpp"

namespace tamiz {

/// Of predicted gaps, beside guesses that need no model: all from the crystals that the model was trained on. Means are over
/// `n`, `n_gaps` and `n_plain` crystals, 0 where there is none.
struct GapErrors {
  std::size_t n = 0;
  double right = 0.0;           ///< share of the crystals whose kind, metal or not, is right
  double commoner = 0.0;        ///< of the guess that all are of the commoner kind
  double log_loss = 0.0;        ///< −ln of the probability of what is true

  std::size_t n_gaps = 0;       ///< crystals with a gap
  double mae = 0.0;             ///< of gaps from the structure alone [eV]
  double mae_of_mean = 0.0;     ///< of their mean as the prediction [eV]
  double within_sigma = 0.0;    ///< share of those gaps within σ; 0.683 is right

  std::size_t n_plain = 0;      ///< crystals with both gaps
  double mae_with_plain = 0.0;  ///< of gaps where the plain one is known [eV]
  double mae_of_scaled = 0.0;   ///< of the plain gap times a factor of least squares [eV]
};

/// Of a model on crystals that it was not trained on.
GapErrors gap_errors(const GapModel& model, std::span<const GapSample> crystals);

/// Of models that are trained without a part of the crystals, on that part; all crystals of a group are in the same of
/// `folds` parts. Throws as the constructor of `GapModel`, for what is left of the crystals.
GapErrors cross_validated(std::span<const GapSample> samples, int folds = 5);

}  // namespace tamiz
