#pragma once

#include <algorithm>
#include <vector>

#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/mace/atom_set.hpp"

namespace tamiz::mace {

/// What derivatives by the vectors of edges, or any other vectors along them, add up to for an atom.
struct EdgeSums {
  Vec3 force = Vec3::Zero();   ///< Σ along − those of the edges turned round
  Mat3 virial = Mat3::Zero();  ///< Σ along ⊗ vector
};

template <typename Real>
EdgeSums edge_sums(const AtomSet<Real>& atoms, const Real* d_vectors, std::size_t atom, bool with_virial) {
  const auto derivative = [&](std::size_t slot) -> Vec3 {
    return Vec3(d_vectors[3 * slot], d_vectors[3 * slot + 1], d_vectors[3 * slot + 2]);
  };
  EdgeSums sums;
  for (std::size_t slot = atoms.first(atom); slot < atoms.first(atom) + atoms.n_edges(atom); ++slot) {
    const Vec3 along = derivative(slot);
    sums.force += along - derivative(atoms.reverse(slot));
    if (with_virial) sums.virial += along * atoms.vector(slot).transpose();
  }
  return sums;
}

/// Those of all atoms, which threads share.
template <typename Real>
void find_edge_sums(const AtomSet<Real>& atoms, const Real* d_vectors, bool with_virial, int threads,
                    std::vector<EdgeSums>& sums) {
  constexpr std::size_t k_atoms_per_task = 64;
  sums.resize(atoms.size());
  parallel_for((atoms.size() + k_atoms_per_task - 1) / k_atoms_per_task, threads, [&](std::size_t task) {
    for (std::size_t atom = task * k_atoms_per_task; atom < std::min((task + 1) * k_atoms_per_task, atoms.size()); ++atom)
      sums[atom] = edge_sums(atoms, d_vectors, atom, with_virial);
  });
}

}  // namespace tamiz::mace
