#include "tamiz/potentials/engine/training/predict_frames.hpp"

#include <vector>

namespace tamiz {
namespace {

constexpr std::size_t k_frames = 256, k_atoms = 20000;  // at once; a larger frame alone

/// The frames from `begin` on that are evaluated together.
std::span<const Frame> chunk_from(std::span<const Frame> frames, std::size_t begin) {
  std::size_t end = begin, n_atoms = 0;
  while (end < frames.size() && end - begin < k_frames) {
    n_atoms += frames[end].structure.size();
    if (end > begin && n_atoms > k_atoms) break;
    ++end;
  }
  return frames.subspan(begin, end - begin);
}

PredictedFrame predicted(const Prediction& p, const Structure& structure, std::size_t k, Eigen::Index first_atom) {
  PredictedFrame frame{.energy = p.energies[static_cast<Eigen::Index>(k)], .forces = {}, .stress = {}};
  if (p.forces.rows() > 0) frame.forces = p.forces.middleRows(first_atom, static_cast<Eigen::Index>(structure.size()));
  if (!p.stresses.empty() && structure.lattice().volume() > 0.0) frame.stress = p.stresses[k];
  return frame;
}

}  // namespace

void predict_frames(const Potential& potential, std::span<const Frame> frames, const Outputs& outputs,
                    const std::function<void(std::size_t k, const PredictedFrame&)>& take) {
  for (std::size_t begin = 0; begin < frames.size();) {
    const auto chunk = chunk_from(frames, begin);
    std::vector<Structure> structures;
    for (const Frame& frame : chunk) structures.push_back(frame.structure);
    const Prediction p = evaluate(potential, structures, outputs);
    const Eigen::VectorXd deviations = p.member_energies.cols() > 1 ? energy_deviations(p) : Eigen::VectorXd();
    Eigen::Index atom = 0;
    for (std::size_t k = 0; k < chunk.size(); ++k) {
      PredictedFrame frame = predicted(p, structures[k], k, atom);
      if (deviations.size() > 0) frame.deviation = deviations[static_cast<Eigen::Index>(k)];
      take(begin + k, frame);
      atom += static_cast<Eigen::Index>(structures[k].size());
    }
    begin += chunk.size();
  }
}

}  // namespace tamiz
