#pragma once

#include <span>
#include <vector>

#include "tamiz/core/simulation/potential.hpp"

namespace tamiz {

struct SelectOptions {
  int n = 50;              ///< structures to choose, at most
  double min_sigma = 0.0;  ///< [eV/atom] below it a potential knows enough
  double max_sigma = 1e9;  ///< [eV/atom] above it a structure is torn, and DFT would fail or teach nothing
  bool per_cost = false;   ///< by what a label teaches for what it costs (`relative_cost`)
};

/// A structure that was chosen.
struct Selected {
  std::size_t index;  ///< among the structures
  double sigma;       ///< standard deviation of the committee's energies [eV/atom]
  double distance;    ///< to the nearest one that was chosen before or is known; infinite for the first
  double cost;        ///< `relative_cost` of its label
};

/// Chooses structures to label, one after the other: the one with the largest σ·d, where σ is the committee's doubt about its energy and d the
/// distance of its features (`crystal_features`, scaled to the spread of all) to the nearest one that is chosen or known. With
/// `per_cost` it is σ·d/cost. So doubt counts, and nothing is labelled twice: copies of what is known are never chosen, and fewer than `n` are
/// where nothing else is left. Deterministic; ties fall to the first.
/// Throws CapabilityError for a potential without a committee or descriptors, SpeciesError for elements that it does not know.
std::vector<Selected> select(const Potential& potential, std::span<const Structure> structures, std::span<const Structure> known,
                             const SelectOptions& options);

}  // namespace tamiz
