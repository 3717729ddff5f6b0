// Template of a new potential: copy it, change the name and the energy. The tests are what every potential must hold.
#include <gtest/gtest.h>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/tests/support/finite_differences.hpp"
#include "tamiz/tests/support/random_cells.hpp"

namespace {

using namespace tamiz;

/// Springs between all pairs within the cutoff r_c: E = Σ_pairs ½ k (r − r_c)², whose force vanishes at r_c.
class Springs : public Potential {
 public:
  Springs(double stiffness, double cutoff) : stiffness_(stiffness), cutoff_(cutoff) {}

  std::string name() const override { return "springs"; }
  Capabilities capabilities() const override { return {.stress = true, .atom_energies = true, .n_members = 0, .elements = {}}; }
  NeighborRequest neighbors() const override { return {.cutoff = cutoff_, .skin = 0.0}; }

  Prediction evaluate(const Batch& batch, const State& state, const NeighborList& list, const Outputs& outputs) const override {
    const auto n_structures = static_cast<Eigen::Index>(batch.n_structures()), n_atoms = static_cast<Eigen::Index>(batch.n_atoms());
    Prediction p;
    p.energies = Eigen::VectorXd::Zero(n_structures);
    p.forces = Coordinates::Zero(n_atoms, 3);
    p.atom_energies = Eigen::VectorXd::Zero(n_atoms);
    p.stresses.assign(batch.n_structures(), Mat3::Zero());
    for (std::size_t k = 0; k < list.n_pairs(); ++k) {
      const Vec3 d = list.vector(k, batch, state);
      const double r = d.norm(), excess = r - cutoff_;
      if (excess >= 0.0) continue;  // a list with a skin holds pairs beyond the cutoff
      const auto i = static_cast<Eigen::Index>(list.centers()[k]);
      const auto s = static_cast<std::size_t>(batch.owners()[static_cast<std::size_t>(i)]);
      // Every pair stands twice in the list: the full slope is this atom's force, half of it its virial.
      p.atom_energies[i] += 0.25 * stiffness_ * excess * excess;
      p.forces.row(i) += (stiffness_ * excess / r) * d.transpose();
      p.stresses[s] += (0.5 * stiffness_ * excess / r) * d * d.transpose();
    }
    for (std::size_t s = 0; s < batch.n_structures(); ++s) {
      p.energies[static_cast<Eigen::Index>(s)] = p.atom_energies
          .segment(static_cast<Eigen::Index>(batch.offsets()[s]), static_cast<Eigen::Index>(batch.n_atoms(s))).sum();
      if (outputs.stress) p.stresses[s] /= Lattice(state.cells[s]).volume();
    }
    return p;
  }

 private:
  double stiffness_, cutoff_;
};

TEST(TemplatePotential, a_pair_has_the_energy_of_its_formula) {
  const Springs springs(2.0, 3.0);
  Coordinates positions(2, 3);
  positions << 0, 0, 0, 2.5, 0, 0;
  const Structure pair(Lattice(), k_molecule, {Element(18), Element(18)}, Cartesian{positions});

  EXPECT_NEAR(test_support::energy_of(springs, pair), 0.5 * 2.0 * 0.25, 1e-12);
}

TEST(TemplatePotential, forces_and_stress_are_derivatives_of_the_energy) {
  const Springs springs(2.0, 3.0);
  Mat3 cell;
  cell << 4.0, 0.3, 0.0, -0.5, 4.4, 0.6, 0.2, 0.1, 3.8;
  Philox random(1, test_support::k_stream_of_tests, 0, 0);
  const std::vector<Element> elements{Element(18)};
  const Structure structure = test_support::random_structure(cell, k_periodic, 4, 1.8, elements, random);

  test_support::expect_derivatives_of_energy(springs, structure, "triclinic cell", 1e-5);
}

}  // namespace
