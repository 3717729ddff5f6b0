#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <string>
#include <vector>

#include "../../support/crystals.hpp"
#include "../../support/random_cells.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/neighbors/neighbor_list.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

const std::vector<Element> k_elements{Element(14), Element(7)};
constexpr int k_random_cells = 150;

/// A cell with entries of both signs and both hands, each direction open or periodic.
Structure any_structure(Philox& random) {
  for (;;) {
    Mat3 cell;
    const double size = 1.5 + 7.0 * random.uniform();
    for (int k = 0; k < 9; ++k) cell.data()[k] = size * (2.0 * random.uniform() - 1.0);
    // Cells flatter than this have thousands of images inside the cutoff, which the reference cannot try in time.
    if (std::abs(cell.determinant()) < 0.15 * std::pow(size, 3)) continue;
    const Periodicity periodicity{random.below(4) > 0, random.below(4) > 0, random.below(4) > 0};
    std::vector<Element> species;
    Coordinates positions(static_cast<Eigen::Index>(1 + random.below(9)), 3);
    for (Eigen::Index a = 0; a < positions.rows(); ++a) {
      species.push_back(k_elements[random.below(2)]);
      // Up to three cells outside, since positions are never wrapped.
      for (int k = 0; k < 3; ++k) positions(a, k) = 3.0 * size * (2.0 * random.uniform() - 1.0);
    }
    return Structure(Lattice(cell), periodicity, species, Cartesian{positions});
  }
}

void expect_same_pairs(const NeighborList& list, const NeighborList& reference, const std::string& what) {
  ASSERT_EQ(list.n_pairs(), reference.n_pairs()) << what;
  EXPECT_TRUE(std::ranges::equal(list.first(), reference.first())) << what;
  EXPECT_TRUE(std::ranges::equal(list.centers(), reference.centers())) << what;
  EXPECT_TRUE(std::ranges::equal(list.neighbors(), reference.neighbors())) << what;
  EXPECT_TRUE(std::ranges::equal(list.shifts(), reference.shifts())) << what;
}

struct Lists {
  Batch batch;
  State state;
  NeighborList list;
};

Lists lists_of(const std::vector<Structure>& structures, NeighborRequest request, int threads = 1) {
  Lists result{Batch(structures), State::of(structures), {}};
  result.list = build_neighbors(result.batch, result.state, request, threads);
  return result;
}

std::size_t n_neighbours(const Structure& structure, double cutoff) {
  return lists_of({structure}, {cutoff, 0.0}).list.n_pairs() / structure.size();
}

}  // namespace

TEST(Neighbors, equal_the_reference_on_random_cells) {
  Philox random(11, k_stream_of_tests, 0, 0);
  std::size_t n_pairs = 0;
  for (int trial = 0; trial < k_random_cells; ++trial) {
    const std::vector<Structure> one{any_structure(random)};
    const NeighborRequest request{1.0 + 4.0 * random.uniform(), random.below(2) ? 0.5 : 0.0};
    const Lists found = lists_of(one, request);

    expect_same_pairs(found.list, build_neighbors_reference(found.batch, found.state, request), "trial " + std::to_string(trial));
    n_pairs += found.list.n_pairs();
  }
  EXPECT_GT(n_pairs, 10000u);
}

TEST(Neighbors, equal_the_reference_on_every_kind_of_cell) {
  for (const NamedStructure& each : sample_cells(k_elements, 2.3, 5))
    for (const double cutoff : {2.0, 5.0, 9.0}) {
      const Lists found = lists_of({each.structure}, {cutoff, 0.0});
      expect_same_pairs(found.list, build_neighbors_reference(found.batch, found.state, {cutoff, 0.0}), each.name);
    }
}

TEST(Neighbors, a_batch_is_its_structures_one_after_another) {
  std::vector<Structure> structures;
  for (const NamedStructure& each : sample_cells(k_elements, 2.3, 6)) structures.push_back(each.structure);
  const Lists together = lists_of(structures, {4.0, 0.3});

  std::size_t pair = 0;
  for (std::size_t s = 0; s < structures.size(); ++s) {
    const Lists alone = lists_of({structures[s]}, {4.0, 0.3});
    const auto offset = static_cast<std::int32_t>(together.batch.offsets()[s]);
    for (std::size_t k = 0; k < alone.list.n_pairs(); ++k, ++pair) {
      ASSERT_EQ(together.list.centers()[pair], alone.list.centers()[k] + offset);
      ASSERT_EQ(together.list.neighbors()[pair], alone.list.neighbors()[k] + offset);
      ASSERT_EQ(together.list.shifts()[pair], alone.list.shifts()[k]);
      ASSERT_EQ(together.list.vector(pair, together.batch, together.state), alone.list.vector(k, alone.batch, alone.state));
    }
  }
  EXPECT_EQ(pair, together.list.n_pairs());
}

TEST(Neighbors, do_not_depend_on_threads) {
  const std::vector<Structure> large{diamond().supercell({7, 7, 7}), perovskite().supercell({3, 3, 3})};

  expect_same_pairs(lists_of(large, {5.0, 0.0}, 3).list, lists_of(large, {5.0, 0.0}, 1).list, "three threads");
}

TEST(Neighbors, shells_of_known_crystals_are_complete) {
  EXPECT_EQ(n_neighbours(diamond(), 2.4), 4u);
  EXPECT_EQ(n_neighbours(diamond(), 3.9), 4u + 12u);
  EXPECT_EQ(n_neighbours(copper(), 2.6), 12u);
  EXPECT_EQ(n_neighbours(copper(), 3.7), 12u + 6u);
  EXPECT_EQ(n_neighbours(rocksalt(), 2.3), 6u);
}

TEST(Neighbors, every_pair_stands_in_both_directions) {
  Philox random(12, k_stream_of_tests, 0, 0);
  for (int trial = 0; trial < 30; ++trial) {
    const Lists found = lists_of({any_structure(random)}, {4.0, 0.0});
    const NeighborList& list = found.list;
    for (std::size_t pair = 0; pair < list.n_pairs(); ++pair) {
      const auto j = static_cast<std::size_t>(list.neighbors()[pair]);
      const auto& s = list.shifts()[pair];
      const std::array<std::int32_t, 3> opposite{-s[0], -s[1], -s[2]};
      bool has_opposite = false;
      for (std::size_t other = list.first()[j]; other < list.first()[j + 1]; ++other)
        has_opposite = has_opposite || (list.neighbors()[other] == list.centers()[pair] && list.shifts()[other] == opposite);
      ASSERT_TRUE(has_opposite);
    }
  }
}

TEST(Neighbors, distances_stay_within_cutoff_and_skin) {
  const Lists found = lists_of({perovskite()}, {4.0, 0.5});

  double longest = 0.0;
  for (std::size_t pair = 0; pair < found.list.n_pairs(); ++pair)
    longest = std::max(longest, found.list.vector(pair, found.batch, found.state).norm());
  EXPECT_LE(longest, 4.5);
  EXPECT_GT(longest, 4.0);
}

TEST(Neighbors, whole_cells_of_displacement_change_nothing_but_the_shifts) {
  const Structure base = perovskite();
  Coordinates positions = base.positions();
  positions.row(2) += 3.0 * base.lattice().vector(0).transpose() - 5.0 * base.lattice().vector(2).transpose();
  const Lists before = lists_of({base}, {5.0, 0.0}), after = lists_of({base.with_positions(Cartesian{positions})}, {5.0, 0.0});

  EXPECT_TRUE(std::ranges::equal(before.list.first(), after.list.first()));
  EXPECT_TRUE(std::ranges::equal(before.list.neighbors(), after.list.neighbors()));
}

TEST(Neighbors, list_is_valid_until_an_atom_has_moved_half_the_skin) {
  Lists found = lists_of({perovskite()}, {4.0, 0.5});
  const State start = found.state;

  found.state.positions(1, 0) = start.positions(1, 0) + 0.24;
  EXPECT_TRUE(found.list.still_valid(found.batch, found.state));
  found.state.positions(1, 0) = start.positions(1, 0) + 0.26;
  EXPECT_FALSE(found.list.still_valid(found.batch, found.state));
  found.state = start;
  found.state.positions(0, 0) = std::nan("");
  EXPECT_FALSE(found.list.still_valid(found.batch, found.state));
}

TEST(Neighbors, a_valid_list_has_seen_every_pair_inside_the_cutoff) {
  Philox random(13, k_stream_of_tests, 0, 0);
  int n_valid = 0;
  for (int trial = 0; trial < 200; ++trial) {
    const Lists found = lists_of({any_structure(random)}, {3.0, 0.6});
    State moved = found.state;
    for (Eigen::Index k = 0; k < moved.positions.size(); ++k) moved.positions.data()[k] += 0.12 * random.normal();
    for (int k = 0; k < 9; ++k) moved.cells[0].data()[k] += 0.01 * random.normal();
    if (!found.list.still_valid(found.batch, moved)) continue;
    ++n_valid;
    std::size_t n_inside = 0;
    for (std::size_t pair = 0; pair < found.list.n_pairs(); ++pair)
      n_inside += found.list.vector(pair, found.batch, moved).squaredNorm() <= 9.0;
    ASSERT_EQ(n_inside, build_neighbors_reference(found.batch, moved, {3.0, 0.0}).n_pairs()) << trial;
  }
  EXPECT_GT(n_valid, 10);
}

TEST(Neighbors, wrong_requests_and_states_are_refused) {
  Lists found = lists_of({perovskite()}, {4.0, 0.0});
  EXPECT_THROW(build_neighbors(found.batch, found.state, {0.0, 0.0}), UnitError);
  EXPECT_THROW(build_neighbors(found.batch, found.state, {-1.0, 0.0}), UnitError);
  EXPECT_THROW(build_neighbors(found.batch, found.state, {std::nan(""), 0.0}), UnitError);
  EXPECT_THROW(build_neighbors(found.batch, found.state, {4.0, -0.1}), UnitError);
  EXPECT_THROW(build_neighbors(Batch(), found.state, {4.0, 0.0}), ShapeError);

  found.state.positions(0, 0) = std::nan("");
  EXPECT_THROW(build_neighbors(found.batch, found.state, {4.0, 0.0}), NumericsError);
  found.state.positions(0, 0) = 1e30;
  EXPECT_THROW(build_neighbors(found.batch, found.state, {4.0, 0.0}), NumericsError);
  found.state.positions(0, 0) = 0.0;
  found.state.cells[0].row(2) = found.state.cells[0].row(1);
  EXPECT_THROW(build_neighbors(found.batch, found.state, {4.0, 0.0}), NumericsError);
}

TEST(Neighbors, an_infinite_cutoff_or_a_cell_too_flat_for_it_is_refused) {
  const Lists found = lists_of({perovskite()}, {4.0, 0.0});

  EXPECT_THROW(build_neighbors(found.batch, found.state, {1e30, 0.0}), Error);
  EXPECT_THROW(build_neighbors(found.batch, found.state, {std::numeric_limits<double>::infinity(), 0.0}), Error);
}
