#include <gtest/gtest.h>

#include <Eigen/LU>

#include <cmath>
#include <limits>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/potentials/engine/classical/classical.hpp"
#include "tamiz/tests/support/random_cells.hpp"

using namespace tamiz;

namespace {

const Element k_si = Element::from_symbol("Si");

std::unique_ptr<Potential> shipped(const std::string& name) {
  return make_classical_potential(std::string(TAMIZ_SOURCE_DIR) + "/datasets/potentials/" + name);
}
std::unique_ptr<Potential> silicon() { return shipped("stillinger-weber-si.toml"); }

/// Primitive diamond cell; 5.431 Å and −4.3366 eV/atom are the minimum of the shipped silicon.
Structure diamond(double a = 5.431) {
  Mat3 cell;
  cell << 0.0, 0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.0;
  Coordinates fractional(2, 3);
  fractional << 0.0, 0.0, 0.0, 0.25, 0.25, 0.25;
  return Structure(Lattice(a * cell), k_periodic, {k_si, k_si}, Fractional{fractional});
}

Structure perturbed(const Structure& structure, double strain, double rattle, std::uint64_t id) {
  Philox random(11, test_support::k_stream_of_tests, id, 0);
  Mat3 tensor;
  for (double& value : tensor.reshaped()) value = strain * random.normal();
  const Structure strained = structure.strained(0.5 * (tensor + tensor.transpose()));
  Coordinates positions = strained.positions();
  for (double& value : positions.reshaped()) value += rattle * random.normal();
  return strained.with_positions(Cartesian{positions});
}

std::vector<Structure> perturbed_crystals(std::size_t n) {
  std::vector<Structure> structures;
  for (std::size_t k = 0; k < n; ++k)
    structures.push_back(perturbed(k % 2 == 0 ? diamond() : diamond().supercell({2, 2, 2}), 0.03, 0.1, k));
  return structures;
}

/// Silicon that counts its calls, breaks where it is told to, and knows no stress where it is told so.
class Watched : public Potential {
 public:
  std::string name() const override { return "watched silicon"; }
  Capabilities capabilities() const override {
    Capabilities capabilities = inner_->capabilities();
    capabilities.stress = stress;
    return capabilities;
  }
  NeighborRequest neighbors() const override { return inner_->neighbors(); }
  Prediction evaluate(const Batch& batch, const State& state, const NeighborList& list, const Outputs& outputs) const override {
    ++calls;
    most_atoms = std::max(most_atoms, batch.n_atoms());
    for (std::size_t s = 0; s < batch.n_structures(); ++s)
      if (refuses_at_size == batch.n_atoms(s)) throw NumericsError("this structure cannot be computed");
    Prediction prediction = inner_->evaluate(batch, state, list, outputs);
    for (std::size_t s = 0; s < batch.n_structures(); ++s)
      if (nan_at_size == batch.n_atoms(s)) prediction.forces.row(static_cast<Eigen::Index>(batch.offsets()[s])).setConstant(std::nan(""));
    return prediction;
  }

  mutable int calls = 0;
  mutable std::size_t most_atoms = 0;
  std::size_t refuses_at_size = 0, nan_at_size = 0;
  bool stress = true;

 private:
  std::unique_ptr<Potential> inner_ = silicon();
};

/// E = −P V: pulls every cell outwards without end.
class Inflation : public Potential {
 public:
  explicit Inflation(double pull) : pull_(pull) {}
  std::string name() const override { return "inflation"; }
  Capabilities capabilities() const override { return {}; }
  NeighborRequest neighbors() const override { return {3.0, 0.3}; }
  Prediction evaluate(const Batch& batch, const State& state, const NeighborList&, const Outputs&) const override {
    Prediction prediction;
    prediction.energies = Eigen::VectorXd::Zero(static_cast<Eigen::Index>(batch.n_structures()));
    prediction.forces = Coordinates::Zero(static_cast<Eigen::Index>(batch.n_atoms()), 3);
    for (const Mat3& cell : state.cells) {
      const auto s = static_cast<Eigen::Index>(prediction.stresses.size());
      prediction.energies[s] = -pull_ * Lattice(cell).volume();
      prediction.stresses.push_back(-pull_ * Mat3::Identity());
    }
    return prediction;
  }

 private:
  double pull_;
};

void expect_silicon(const RelaxResult& result) {
  EXPECT_EQ(result.status, RelaxStatus::converged) << result.reason;
  EXPECT_EQ(result.reason, "");
  EXPECT_LE(result.fmax, 0.01);
  EXPECT_LE(result.smax, 0.0006);
  const double n = static_cast<double>(result.structure.size());
  // A residual force of 0.01 eV/Å against a stiffness near 10 eV/Å² costs at most 10⁻⁵ eV per atom.
  EXPECT_NEAR(result.energy / n, -4.3366, 1e-4);
  EXPECT_NEAR(std::cbrt(8.0 * result.structure.lattice().volume() / n), 5.431, 0.01);
}

}  // namespace

TEST(Relax, cells_of_2_and_16_atoms_converge_to_the_known_crystal_in_few_steps) {
  const auto potential = silicon();

  const auto results = relax(*potential, perturbed_crystals(16));

  int steps = 0;
  for (const RelaxResult& result : results) {
    expect_silicon(result);
    EXPECT_LT(result.steps, 100);
    steps += result.steps;
  }
  EXPECT_LT(steps, 16 * 60);
}

TEST(Relax, tight_tolerances_reach_the_minimum_to_a_microelectronvolt) {
  const auto potential = silicon();
  const std::vector<Structure> structures{perturbed(diamond(), 0.02, 0.05, 1)};

  const auto result = relax(*potential, structures, {.fmax = 1e-5, .smax = 1e-7})[0];

  EXPECT_EQ(result.status, RelaxStatus::converged);
  EXPECT_NEAR(result.energy / 2.0, -4.33660, 1e-5);
  EXPECT_NEAR(std::cbrt(4.0 * result.structure.lattice().volume()), 5.4310, 2e-4);
}

TEST(Relax, a_structure_at_its_minimum_needs_no_step) {
  const auto potential = silicon();
  const std::vector<Structure> structures{diamond(5.43095)};

  const auto result = relax(*potential, structures)[0];

  EXPECT_EQ(result.status, RelaxStatus::converged);
  EXPECT_EQ(result.steps, 0);
  EXPECT_EQ(result.structure.positions(), structures[0].positions());
}

TEST(Relax, a_fixed_cell_stays_fixed) {
  const auto potential = silicon();
  const std::vector<Structure> structures{perturbed(diamond(), 0.03, 0.1, 2)};

  const auto result = relax(*potential, structures, {.cell = false})[0];

  EXPECT_EQ(result.status, RelaxStatus::converged);
  EXPECT_LE(result.fmax, 0.01);
  EXPECT_EQ(result.structure.lattice(), structures[0].lattice());
  EXPECT_TRUE(std::isnan(result.smax)) << "no stress was asked for";
}

TEST(Relax, pressure_compresses_to_where_the_stress_balances_it) {
  const auto potential = silicon();
  const double pressure = 0.03;  // [eV/Å³], about 5 GPa
  const std::vector<Structure> structures{diamond()};

  const auto result = relax(*potential, structures, {.smax = 1e-6, .pressure = pressure})[0];

  const std::vector<Structure> relaxed{result.structure};
  const Mat3 stress = evaluate(*potential, relaxed, {.stress = true}).stresses[0];
  EXPECT_EQ(result.status, RelaxStatus::converged);
  EXPECT_LT((stress + pressure * Mat3::Identity()).cwiseAbs().maxCoeff(), 2e-6);
  EXPECT_LT(result.structure.lattice().volume(), 0.97 * diamond().lattice().volume());
}

TEST(Relax, the_energy_does_not_rise_and_the_cell_does_not_turn) {
  const auto potential = silicon();
  const std::vector<Structure> structures{perturbed(diamond(), 0.05, 0.0, 3)};
  const double before = evaluate(*potential, structures).energies[0];

  const auto result = relax(*potential, structures)[0];

  const Mat3 deformation = structures[0].lattice().rows().inverse() * result.structure.lattice().rows();
  EXPECT_LT(result.energy, before);
  // Steps are symmetric strains; a product of those may turn by the square of the strain, not more.
  EXPECT_LT((deformation - deformation.transpose()).cwiseAbs().maxCoeff(), 0.01);
}

TEST(Relax, a_left_handed_cell_stays_left_handed) {
  const auto potential = silicon();
  const Structure right = perturbed(diamond(), 0.02, 0.05, 4);
  Mat3 rows = right.lattice().rows();
  rows.row(0).swap(rows.row(1));
  const std::vector<Structure> structures{Structure(Lattice(rows), k_periodic, {k_si, k_si}, Cartesian{right.positions()})};

  const auto result = relax(*potential, structures)[0];

  expect_silicon(result);
  EXPECT_LT(result.structure.lattice().signed_volume(), 0.0);
}

TEST(Relax, a_slab_strains_only_along_its_periodic_directions) {
  const auto potential = silicon();
  Structure bulk = diamond().supercell({2, 2, 2});
  Mat3 rows = bulk.lattice().rows();
  const Vec3 normal = bulk.lattice().reciprocal().row(2).normalized();
  rows.row(2) += 10.0 * normal.transpose();
  const std::vector<Element> species(bulk.species().begin(), bulk.species().end());
  const std::vector<Structure> structures{Structure(Lattice(rows), {true, true, false}, species, Cartesian{bulk.positions()})};

  // An ideal surface of this potential has neither force nor stress, so it starts compressed.
  const std::vector<Structure> compressed{structures[0].strained(-0.02 * Mat3::Identity())};
  rows *= 0.98;

  const auto result = relax(*potential, compressed)[0];

  EXPECT_EQ(result.status, RelaxStatus::converged) << result.reason;
  EXPECT_NEAR(result.structure.lattice().vector(2).dot(normal), rows.row(2).dot(normal), 1e-9);
  EXPECT_GT((result.structure.lattice().rows() - rows).topRows(2).cwiseAbs().maxCoeff(), 1e-3);
}

TEST(Relax, a_molecule_relaxes_its_atoms_alone) {
  const auto potential = shipped("lennard-jones-ar.toml");
  const Element argon = Element::from_symbol("Ar");
  Coordinates positions(2, 3);
  positions << 0.0, 0.0, 0.0, 4.6, 0.3, 0.0;
  const std::vector<Structure> structures{Structure(Lattice(), k_molecule, {argon, argon}, Cartesian{positions})};

  const auto result = relax(*potential, structures, {.fmax = 1e-5})[0];

  EXPECT_EQ(result.status, RelaxStatus::converged) << result.reason;
  EXPECT_NEAR((result.structure.positions().row(1) - result.structure.positions().row(0)).norm(), 3.405 * std::pow(2.0, 1.0 / 6.0), 0.01);
}

TEST(Relax, a_sheet_without_a_vector_out_of_its_plane_relaxes_in_it) {
  const auto potential = shipped("lennard-jones-ar.toml");
  const Element argon = Element::from_symbol("Ar");
  Mat3 rows = Mat3::Zero();
  rows.row(0) << 3.6, 0.0, 0.0;
  rows.row(1) << 1.8, 3.1, 0.0;
  const std::vector<Structure> sheet{Structure(Lattice(rows), {true, true, false}, {argon}, Cartesian{Coordinates::Zero(1, 3)})};

  const auto result = relax(*potential, sheet, {.fmax = 1e-4, .smax = 1e-5})[0];
  const Mat3 cell = result.structure.lattice().rows();

  EXPECT_EQ(result.status, RelaxStatus::converged) << result.reason;
  EXPECT_NEAR(cell.row(0).norm(), cell.row(1).norm(), 1e-3);
  EXPECT_NEAR(cell.row(0).dot(cell.row(1)) / cell.row(0).squaredNorm(), 0.5, 1e-3);
  EXPECT_GT(cell.row(0).norm(), 3.65);
  EXPECT_NEAR(cell.row(2).norm(), 1.0, 1e-12);
}

TEST(Relax, what_was_never_evaluated_has_no_energy) {
  const auto potential = silicon();
  const std::vector<Structure> structures{diamond(1.0), diamond()};

  const auto results = relax(*potential, structures);

  EXPECT_EQ(results[0].status, RelaxStatus::collapsed);
  EXPECT_TRUE(std::isnan(results[0].energy) && std::isnan(results[0].fmax) && std::isnan(results[0].smax));
  EXPECT_NEAR(results[1].energy, -2.0 * 4.3366, 1e-3);
}

TEST(Relax, results_keep_the_order_and_do_not_depend_on_the_batch) {
  const auto potential = silicon();
  const std::vector<Structure> structures = perturbed_crystals(10);

  const auto large = relax(*potential, structures, {.atoms_per_batch = 1000});
  const auto small = relax(*potential, structures, {.atoms_per_batch = 20});

  ASSERT_EQ(large.size(), structures.size());
  for (std::size_t k = 0; k < structures.size(); ++k) {
    EXPECT_EQ(large[k].structure.size(), structures[k].size());
    EXPECT_EQ(large[k].structure.positions(), small[k].structure.positions());
    EXPECT_EQ(large[k].steps, small[k].steps);
    EXPECT_EQ(large[k].energy, small[k].energy);
  }
}

TEST(Relax, batches_are_kept_full_as_structures_finish) {
  Watched potential;
  const std::vector<Structure> structures = perturbed_crystals(12);
  std::size_t last = 0;

  const auto results = relax(potential, structures, {.atoms_per_batch = 40}, [&](std::size_t done) {
    EXPECT_GE(done, last);
    last = done;
    return true;
  });

  int steps = 0;
  std::size_t atom_steps = 0;
  for (const auto& result : results) {
    steps += result.steps + 1;
    atom_steps += static_cast<std::size_t>(result.steps + 1) * result.structure.size();
  }
  EXPECT_EQ(last, structures.size());
  EXPECT_LE(potential.most_atoms, 40u);
  EXPECT_LT(potential.calls, steps);
  // Filled as they empty, batches of 40 atoms are at least half full on average.
  EXPECT_LT(static_cast<std::size_t>(potential.calls) * 40, 2 * atom_steps + 40 * 40);
}

TEST(Relax, ends_with_what_there_is_when_it_is_told_to) {
  const auto potential = silicon();
  const std::vector<Structure> structures = perturbed_crystals(12);

  const auto results = relax(*potential, structures, {.atoms_per_batch = 40}, [](std::size_t done) { return done < 3; });

  const auto n_with = [&](RelaxStatus status) {
    return std::ranges::count_if(results, [&](const RelaxResult& result) { return result.status == status; });
  };
  EXPECT_GE(n_with(RelaxStatus::converged), 3);
  EXPECT_GT(n_with(RelaxStatus::stopped), 0);
  EXPECT_EQ(n_with(RelaxStatus::converged) + n_with(RelaxStatus::stopped), 12);
  const auto on_its_way = std::ranges::find_if(results, [](const RelaxResult& r) { return r.status == RelaxStatus::stopped && r.steps > 0; });
  ASSERT_NE(on_its_way, results.end());
  EXPECT_TRUE(std::isfinite(on_its_way->energy));
  EXPECT_NE(on_its_way->structure.content_hash(), structures[static_cast<std::size_t>(on_its_way - results.begin())].content_hash());
  EXPECT_EQ(results.back().reason, "not begun");
}

TEST(Relax, a_structure_larger_than_a_batch_is_relaxed_alone) {
  const auto potential = silicon();

  for (const auto& result : relax(*potential, perturbed_crystals(3), {.atoms_per_batch = 1})) expect_silicon(result);
}

TEST(Relax, an_unknown_element_is_a_state_and_the_others_go_on) {
  const auto potential = silicon();
  const Element germanium = Element::from_symbol("Ge");
  const Structure foreign(diamond().lattice(), k_periodic, {k_si, germanium}, Cartesian{diamond().positions()});
  const std::vector<Structure> structures{perturbed(diamond(), 0.02, 0.05, 5), foreign, perturbed(diamond(), 0.02, 0.05, 6)};

  const auto results = relax(*potential, structures);

  expect_silicon(results[0]);
  EXPECT_EQ(results[1].status, RelaxStatus::unknown_species);
  EXPECT_NE(results[1].reason.find("Ge"), std::string::npos) << results[1].reason;
  expect_silicon(results[2]);
}

TEST(Relax, a_cell_without_width_does_not_take_the_batch_with_it) {
  Mat3 flat;
  flat << 5.0, 0.0, 0.0, 5.0, 1e-6, 0.0, 0.0, 0.0, 5.0;
  const Structure sheet(Lattice(flat), k_periodic, {k_si}, Cartesian{Coordinates::Zero(1, 3)});
  const auto potential = silicon();

  const auto results = relax(*potential, std::vector<Structure>{diamond(5.5), sheet}, {});

  EXPECT_EQ(results[0].status, RelaxStatus::converged);
  EXPECT_EQ(results[1].status, RelaxStatus::collapsed);
  EXPECT_FALSE(results[1].reason.empty());
}

TEST(Relax, atoms_on_top_of_each_other_count_as_collapsed_before_any_evaluation) {
  Watched potential;
  Coordinates positions(2, 3);
  positions << 0.0, 0.0, 0.0, 0.4, 0.0, 0.0;
  const std::vector<Structure> structures{Structure(diamond().lattice(), k_periodic, {k_si, k_si}, Cartesian{positions}),
                                          diamond(0.2)};

  const auto results = relax(potential, structures);

  for (const auto& result : results) {
    EXPECT_EQ(result.status, RelaxStatus::collapsed);
    EXPECT_NE(result.reason.find("Si and Si are"), std::string::npos) << result.reason;
  }
  EXPECT_EQ(potential.calls, 0);
}

TEST(Relax, a_cell_without_end_of_growth_explodes_and_one_without_hold_collapses) {
  const std::vector<Structure> structures{diamond()};

  const auto grown = relax(Inflation(0.1), structures)[0];
  const auto shrunk = relax(Inflation(-0.1), structures, {.min_distance_factor = 0.1})[0];
  const auto squeezed = relax(Inflation(-0.1), structures, {.max_volume_change = 1e9})[0];

  EXPECT_EQ(grown.status, RelaxStatus::exploded) << grown.reason;
  EXPECT_EQ(shrunk.status, RelaxStatus::collapsed) << shrunk.reason;
  EXPECT_NE(shrunk.reason.find("volume"), std::string::npos);
  EXPECT_EQ(squeezed.status, RelaxStatus::collapsed) << squeezed.reason;
  EXPECT_NE(squeezed.reason.find("apart"), std::string::npos);
  EXPECT_LE(grown.structure.lattice().volume(), 2.5 * diamond().lattice().volume());
}

TEST(Relax, forces_that_are_not_finite_end_only_their_own_structure) {
  Watched potential;
  potential.nan_at_size = 16;
  const std::vector<Structure> structures = perturbed_crystals(4);

  const auto results = relax(potential, structures);

  for (std::size_t k = 0; k < results.size(); ++k) {
    if (k % 2 == 0) expect_silicon(results[k]);
    else EXPECT_EQ(results[k].status, RelaxStatus::not_finite);
    EXPECT_TRUE(results[k].structure.positions().allFinite());
  }
}

TEST(Relax, a_structure_that_the_potential_refuses_does_not_take_the_batch_with_it) {
  Watched potential;
  potential.refuses_at_size = 16;

  const auto results = relax(potential, perturbed_crystals(4));

  for (std::size_t k = 0; k < results.size(); ++k) {
    if (k % 2 == 0) expect_silicon(results[k]);
    else EXPECT_EQ(results[k].status, RelaxStatus::not_finite);
  }
  EXPECT_NE(results[1].reason.find("cannot be computed"), std::string::npos);
}

TEST(Relax, running_out_of_steps_keeps_the_last_evaluated_geometry) {
  const auto potential = silicon();
  const std::vector<Structure> structures{perturbed(diamond(), 0.03, 0.1, 7)};

  const auto result = relax(*potential, structures, {.max_steps = 3})[0];

  const std::vector<Structure> relaxed{result.structure};
  EXPECT_EQ(result.status, RelaxStatus::out_of_steps);
  EXPECT_EQ(result.steps, 3);
  EXPECT_NEAR(evaluate(*potential, relaxed).energies[0], result.energy, 1e-12);
}

TEST(Relax, misuse_is_refused) {
  Watched without_stress;
  without_stress.stress = false;
  const std::vector<Structure> structures{diamond()}, empty{Structure(diamond().lattice(), k_periodic, {}, Cartesian{Coordinates(0, 3)})};

  EXPECT_THROW(relax(without_stress, structures), CapabilityError);
  EXPECT_THROW(relax(*silicon(), structures, {.fmax = 0.0}), UnitError);
  EXPECT_THROW(relax(*silicon(), empty), ShapeError);
  EXPECT_TRUE(relax(*silicon(), {}).empty());
}
