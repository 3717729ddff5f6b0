#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <set>

#include "../../support/crystals.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/screening/select/select.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

std::unique_ptr<Potential> committee() {
  return load_potential(std::string(TAMIZ_SOURCE_DIR) + "/datasets/models/ca-mg-si-n.safetensors", {.dtype = "float64"});
}

/// Rocksalt of a metal and nitrogen, at an edge of the cube.
Structure nitride(const char* metal, double edge) {
  return crystal(Lattice(0.5 * edge * (Mat3() << 0, 1, 1, 1, 0, 1, 1, 1, 0).finished()), {{metal, {0, 0, 0}}, {"N", {0.5, 0.5, 0.5}}});
}

std::vector<Structure> pool() {
  std::vector<Structure> structures;
  for (const char* metal : {"Mg", "Ca"})
    for (int k = 0; k < 12; ++k) structures.push_back(nitride(metal, 3.8 + 0.15 * k));
  return structures;
}

double sigma_of(const Potential& potential, const Structure& structure) {
  const Eigen::MatrixXd members = evaluate(potential, std::vector{structure}, {.forces = false, .members = true}).member_energies;
  const Eigen::ArrayXd row = members.row(0).transpose().array();
  return std::sqrt((row - row.mean()).square().sum() / static_cast<double>(row.size() - 1)) / static_cast<double>(structure.size());
}

TEST(Select, begins_with_the_most_doubtful_and_goes_on_with_what_differs) {
  const auto potential = committee();
  const std::vector<Structure> structures = pool();
  const std::vector<Selected> chosen = select(*potential, structures, {}, {.n = 6});

  ASSERT_EQ(chosen.size(), 6u);
  EXPECT_TRUE(std::isinf(chosen[0].distance));
  std::set<std::size_t> indices;
  for (const Selected& one : chosen) {
    indices.insert(one.index);
    EXPECT_NEAR(one.sigma, sigma_of(*potential, structures[one.index]), 1e-9);
    EXPECT_LE(one.sigma, chosen[0].sigma);
  }
  EXPECT_EQ(indices.size(), 6u);
  // In the order of doubt alone, the first six would be neighbours; these are farther apart.
  std::vector<double> all;
  for (const Structure& structure : structures) all.push_back(sigma_of(*potential, structure));
  std::ranges::sort(all, std::greater());
  EXPECT_LT(std::ranges::min(chosen, {}, &Selected::sigma).sigma, all[5]);
}

TEST(Select, the_beginning_does_not_hang_on_the_number) {
  const auto potential = committee();
  const std::vector<Selected> few = select(*potential, pool(), {}, {.n = 4}), many = select(*potential, pool(), {}, {.n = 9});
  ASSERT_EQ(few.size(), 4u);
  ASSERT_EQ(many.size(), 9u);
  for (std::size_t k = 0; k < few.size(); ++k) EXPECT_EQ(few[k].index, many[k].index);
}

TEST(Select, what_is_known_is_not_chosen_and_what_is_like_it_is_late) {
  const auto potential = committee();
  const std::vector<Structure> structures = pool();
  const std::size_t first = select(*potential, structures, {}, {.n = 1})[0].index;
  const std::vector<Structure> known{structures[first]};

  const std::vector<Selected> chosen = select(*potential, structures, known, {.n = 100});

  EXPECT_EQ(chosen.size(), structures.size() - 1);
  for (const Selected& one : chosen) EXPECT_NE(one.index, first);
  EXPECT_TRUE(std::isfinite(chosen[0].distance));
  const auto neighbour = std::ranges::find(chosen, first == 0 ? 1u : first - 1, &Selected::index);
  EXPECT_GT(neighbour - chosen.begin(), 2);
}

TEST(Select, copies_in_other_cells_are_chosen_once) {
  const auto potential = committee();
  std::vector<Structure> structures{nitride("Mg", 4.2), nitride("Mg", 4.2), nitride("Ca", 4.9)};
  const Structure& one = structures[0];
  const Mat3 other = (Mat3() << 1, 0, 0, 1, 1, 0, 0, -1, 1).finished() * one.lattice().rows();
  structures.push_back(Structure(Lattice(other), k_periodic, {one.species().begin(), one.species().end()}, Cartesian{one.positions()}));

  EXPECT_EQ(select(*potential, structures, {}, {.n = 10}).size(), 2u);
}

TEST(Select, what_a_label_costs_counts_where_it_is_asked_for) {
  const auto potential = committee();
  std::vector<Structure> structures = pool();
  const std::size_t n_symmetric = structures.size();
  for (std::size_t k = 0; k < n_symmetric; ++k) {  // the same with one atom moved: hardly another energy, but hardly a symmetry
    Coordinates positions = structures[k].positions();
    positions.row(1) += Eigen::RowVector3d(0.02, 0.03, 0.05);
    structures.push_back(structures[k].with_positions(Cartesian{positions}));
  }
  const auto share_of_symmetric = [&](bool per_cost) {
    const auto chosen = select(*potential, structures, {}, {.n = 12, .per_cost = per_cost});
    for (const Selected& one : chosen) EXPECT_NEAR(one.cost, 3.0 * std::pow(19.0, 1.5) / (one.index < n_symmetric ? std::pow(48.0, 0.4) : 1.0), 1e-9);
    return std::ranges::count_if(chosen, [&](const Selected& one) { return one.index < n_symmetric; });
  };

  EXPECT_EQ(share_of_symmetric(true), 12);
  EXPECT_LT(share_of_symmetric(false), 12);
}

TEST(Select, limits_of_doubt_are_kept) {
  const auto potential = committee();
  std::vector<double> all;
  for (const Structure& structure : pool()) all.push_back(sigma_of(*potential, structure));
  std::ranges::sort(all);
  const double low = 0.5 * (all[5] + all[6]), high = 0.5 * (all[17] + all[18]);

  const std::vector<Selected> chosen = select(*potential, pool(), {}, {.n = 100, .min_sigma = low, .max_sigma = high});

  EXPECT_EQ(chosen.size(), 12u);
  for (const Selected& one : chosen) EXPECT_TRUE(one.sigma >= low && one.sigma <= high);
}

TEST(Select, without_a_committee_there_is_no_doubt) {
  const auto classical = load_potential(std::string(TAMIZ_SOURCE_DIR) + "/datasets/potentials/stillinger-weber-si.toml", {});
  EXPECT_THROW(select(*classical, std::vector{diamond()}, {}, {}), CapabilityError);
}

TEST(Select, of_nothing_nothing_is_chosen) { EXPECT_TRUE(select(*committee(), {}, {}, {}).empty()); }

}  // namespace
