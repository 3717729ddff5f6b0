#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/simulation/potential.hpp"

namespace tamiz {

struct RelaxOptions {
  bool cell = true;             ///< relax the lattice too
  double fmax = 0.01;           ///< largest norm of the force on an atom [eV/Å]
  double smax = 0.0006;         ///< largest stress component [eV/Å³], about 0.1 GPa; of the whole cell, in which vacuum of a sheet dilutes it
  double pressure = 0.0;        ///< target [eV/Å³], positive compresses; other than 0 of cells that are periodic in all directions only
  int max_steps = 500;
  double max_displacement = 0.1;///< per step and atom [Å]
  std::size_t atoms_per_batch = 512;
  double max_volume_change = 2.5;   ///< factor either way before the run counts as exploded or collapsed
  double min_distance_factor = 0.6; ///< of the sum of covalent radii; below it counts as collapsed
};

/// Why a relaxation ended. Everything but `converged` is a state, not an error.
enum class RelaxStatus { converged, out_of_steps, exploded, collapsed, unknown_species, not_finite, stopped };
std::string_view to_string(RelaxStatus status);

struct RelaxResult {
  Structure structure;
  RelaxStatus status;
  std::string reason;  ///< empty when converged
  int steps = 0;
  // NaN where the structure was never evaluated.
  double energy;       ///< [eV]
  double fmax;         ///< [eV/Å]
  double smax;         ///< [eV/Å³]; NaN too where the cell was not relaxed
};

/// Limited-memory BFGS with a trust radius (minimizer.hpp) on atoms and log-strain of the cell, as batches:
/// structures that finish leave, waiting ones enter. Results come in the order of `structures` and do not depend on the
/// batching beyond the potential's own rounding. The cell of a sheet or a wire that has no vectors along its open directions
/// gets unit vectors there. `progress(done)` is called after each step with the finished count; where it says false the relaxation ends, and what
/// is not at its end is `stopped` at the last geometry that was evaluated. Throws CapabilityError where there is a pressure
/// on a cell with open directions.
std::vector<RelaxResult> relax(const Potential& potential, std::span<const Structure> structures,
                               const RelaxOptions& options = {},
                               const std::function<bool(std::size_t done)>& progress = {});

}  // namespace tamiz
