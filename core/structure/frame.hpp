#pragma once

#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

/// What a calculation says of a structure; each part may be missing.
struct Labels {
  /// Energy extrapolated to zero smearing, or the only energy there is; total [eV].
  std::optional<double> energy;
  /// Energy that the forces derive from (free energy of the electrons); total [eV].
  std::optional<double> free_energy;
  std::optional<Coordinates> forces;  ///< (n_atoms, 3) [eV/Å]
  std::optional<Mat3> stress;         ///< [eV/Å³], tensile positive

  /// The energy to train on: the one that forces derive from, where there is one.
  std::optional<double> consistent_energy() const { return free_energy ? free_energy : energy; }
};

/// One entry of a structure file: a structure with its labels and whatever else the file says.
struct Frame {
  Structure structure;
  Labels labels;
  /// Other keys of the frame, as text (`config_type`, `level`, ...).
  std::map<std::string, std::string> info;
  /// Other per-atom columns, (n_atoms, k).
  std::map<std::string, Eigen::MatrixXd> arrays;
};

}  // namespace tamiz
