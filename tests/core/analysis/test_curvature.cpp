#include <gtest/gtest.h>

#include "tamiz/core/analysis/curvature.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/potentials/engine/load.hpp"

using namespace tamiz;

namespace {

std::unique_ptr<Potential> silicon_potential() {
  return load_potential(std::string(TAMIZ_SOURCE_DIR) + "/datasets/potentials/stillinger-weber-si.toml", {});
}

/// Four atoms in a skew cell, at rest.
Structure at_rest(const Potential& potential) {
  const Mat3 rows = (Mat3() << 3.84, 0.0, 0.0, 1.92, 3.33, 0.0, 1.92, 1.11, 6.27).finished();
  const Structure start(Lattice(rows), k_periodic, std::vector<Element>(4, Element(14)),
                        Fractional{(Coordinates(4, 3) << 0, 0, 0, 0.25, 0.25, 0.125, 0.02, 0, 0.5, 0.25, 0.27, 0.625).finished()});
  return relax(potential, std::vector<Structure>{start}, {.fmax = 1e-6, .smax = 1e-7, .max_steps = 2000}).front().structure;
}

double energy_at(const Potential& potential, const Structure& structure, const Eigen::VectorXd& step) {
  const auto n = static_cast<Eigen::Index>(structure.size());
  Coordinates positions = structure.positions();
  for (Eigen::Index k = 0; k < 3 * n; ++k) positions(k / 3, k % 3) += step[k];
  Mat3 strain;
  for (Eigen::Index k = 0; k < 9; ++k) strain(k / 3, k % 3) = step[3 * n + k];
  const Mat3 stretch = 0.5 * strain * strain + strain;  // exp(ε) − 1
  return evaluate(potential, std::vector<Structure>{structure.with_positions(Cartesian{positions}).strained(stretch)}).energies[0];
}

}  // namespace

TEST(Curvature, predicts_the_energy_of_small_steps_of_positions_and_strain) {
  const auto potential = silicon_potential();
  const Structure crystal = at_rest(*potential);
  const double energy = energy_at(*potential, crystal, Eigen::VectorXd::Zero(21));

  const Eigen::MatrixXd matrix = curvature(*potential, crystal);

  ASSERT_EQ(matrix.rows(), 21);
  EXPECT_EQ(matrix, matrix.transpose());
  for (std::uint64_t seed = 1; seed <= 6; ++seed) {
    Philox random(seed, 0, 0, 0);
    Eigen::VectorXd step(21);
    for (Eigen::Index k = 0; k < 21; ++k) step[k] = (k < 12 ? 2e-3 : 5e-4) * (2.0 * random.uniform() - 1.0);
    // The third order of both signs cancels.
    const double rise = 0.5 * (energy_at(*potential, crystal, step) + energy_at(*potential, crystal, -step)) - energy;
    EXPECT_NEAR(rise, 0.5 * step.dot(matrix * step), 2e-3 * rise) << seed;
  }
}

TEST(Curvature, is_by_the_logarithm_of_the_strain_where_the_crystal_is_squeezed) {
  const auto potential = silicon_potential();
  const Structure crystal = at_rest(*potential).strained(-0.05 * Mat3::Identity());
  const Eigen::MatrixXd matrix = curvature(*potential, crystal);
  Eigen::VectorXd step = Eigen::VectorXd::Zero(21);
  step.tail(9) << 1.0, 0.3, 0.0, 0.3, -0.5, 0.2, 0.0, 0.2, 0.7;
  step *= 1e-3;

  const double rise = 0.5 * (energy_at(*potential, crystal, step) + energy_at(*potential, crystal, -step)) -
                      energy_at(*potential, crystal, Eigen::VectorXd::Zero(21));

  EXPECT_NEAR(rise, 0.5 * step.dot(matrix * step), 2e-3 * std::abs(rise));
}

TEST(Curvature, neither_shifts_nor_rotations_cost_energy) {
  const auto potential = silicon_potential();
  const Eigen::MatrixXd matrix = curvature(*potential, at_rest(*potential));

  Eigen::VectorXd shift = Eigen::VectorXd::Zero(21), rotation = Eigen::VectorXd::Zero(21);
  for (int atom = 0; atom < 4; ++atom) shift[3 * atom + 1] = 1.0;
  rotation[12 + 1] = 1.0;
  rotation[12 + 3] = -1.0;

  EXPECT_LT((matrix * shift).norm(), 1e-6);
  EXPECT_LT((matrix * rotation).norm(), 1e-6);
}

TEST(Curvature, needs_a_cell) {
  const auto potential = silicon_potential();
  const Structure molecule({}, k_molecule, std::vector<Element>(2, Element(14)), Cartesian{(Coordinates(2, 3) << 0, 0, 0, 0, 0, 2.3).finished()});

  EXPECT_THROW(curvature(*potential, molecule), CapabilityError);
}
