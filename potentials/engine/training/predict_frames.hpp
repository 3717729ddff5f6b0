#pragma once

#include <functional>
#include <optional>
#include <span>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// What a potential says of one frame; what was not asked for is not there.
struct PredictedFrame {
  double energy = 0.0;          ///< [eV]
  Coordinates forces;           ///< [eV/Å]
  std::optional<Mat3> stress;   ///< [eV/Å³], where there is a volume
  double deviation = 0.0;       ///< standard deviation of the committee's energies [eV]
};

/// Calls `take(k, prediction)` for every frame in their order. They are evaluated some at a time, which bounds the memory.
void predict_frames(const Potential& potential, std::span<const Frame> frames, const Outputs& outputs,
                    const std::function<void(std::size_t k, const PredictedFrame&)>& take);

}  // namespace tamiz
