#include <gtest/gtest.h>

#include <algorithm>
#include <set>

#include "tamiz/core/structure/composition.hpp"
#include "tamiz/potentials/engine/training/held_out.hpp"

namespace tamiz {
namespace {

Frame crystal(std::vector<Element> species, double edge) {
  Coordinates positions = Coordinates::Zero(static_cast<Eigen::Index>(species.size()), 3);
  for (Eigen::Index a = 0; a < positions.rows(); ++a) positions(a, 0) = 2.0 * static_cast<double>(a);
  return {Structure(Lattice(Mat3::Identity() * edge), k_periodic, std::move(species), Cartesian{positions}), {}, {}, {}};
}

/// Ten steps of each of twenty compositions of Mg and N.
std::vector<Frame> paths() {
  std::vector<Frame> frames;
  for (std::size_t n = 1; n <= 20; ++n)
    for (int step = 0; step < 10; ++step) {
      std::vector<Element> species(n, Element(7));
      species.insert(species.end(), 21 - n, Element(12));
      frames.push_back(crystal(std::move(species), 50.0 + 0.1 * step));
    }
  return frames;
}

std::vector<bool> drawn(std::span<const Frame> frames, double fraction, std::uint64_t seed = 1) {
  return held_out(frames, draw_keys(frames), fraction, seed, 6.0);
}

std::set<std::string> formulas_of(std::span<const Frame> frames, const std::vector<bool>& held, bool which) {
  std::set<std::string> formulas;
  for (std::size_t k = 0; k < frames.size(); ++k)
    if (held[k] == which) formulas.insert(frames[k].structure.composition().reduced().formula());
  return formulas;
}

TEST(HeldOut, a_composition_is_on_one_side) {
  const auto frames = paths();
  const auto held = drawn(frames, 0.1);

  EXPECT_EQ(std::ranges::count(held, true), 20);
  for (const std::string& formula : formulas_of(frames, held, true)) EXPECT_FALSE(formulas_of(frames, held, false).contains(formula)) << formula;
}

TEST(HeldOut, the_order_of_the_frames_does_not_matter_but_the_seed_does) {
  auto frames = paths();
  const auto before = formulas_of(frames, drawn(frames, 0.1), true);
  EXPECT_NE(formulas_of(frames, drawn(frames, 0.1, 2), true), before);
  std::ranges::reverse(frames);
  EXPECT_EQ(formulas_of(frames, drawn(frames, 0.1), true), before);
}

TEST(HeldOut, few_compositions_are_drawn_by_their_frames) {
  const auto all = paths();
  const std::vector<Frame> frames(all.begin(), all.begin() + 90);  // of nine

  EXPECT_EQ(std::ranges::count(drawn(frames, 0.1), true), 9);
  EXPECT_GT(formulas_of(frames, drawn(frames, 0.1), true).size(), 2u);
}

TEST(HeldOut, copies_are_on_one_side) {
  std::vector<Frame> frames;
  for (int k = 0; k < 20; ++k) frames.push_back(crystal({Element(12), Element(7)}, 20.0 + k / 4));

  const auto held = drawn(frames, 0.2);

  EXPECT_EQ(std::ranges::count(held, true), 4);
  for (std::size_t k = 0; k < frames.size(); ++k) EXPECT_EQ(held[k], held[k / 4 * 4]);
}

TEST(HeldOut, isolated_atoms_are_trained_on) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    auto frames = paths();
    frames.push_back(crystal({Element(7)}, 12.0));
    frames.push_back(crystal({Element(12)}, 12.0));
    frames.push_back(crystal({Element(12)}, 3.0));

    const auto held = drawn(frames, 0.6, seed);

    EXPECT_FALSE(held[frames.size() - 3] || held[frames.size() - 2]) << seed;
    EXPECT_GT(std::ranges::count(held, true), 100) << seed;
  }
}

TEST(HeldOut, every_element_is_trained_on) {
  for (std::uint64_t seed = 1; seed < 20; ++seed) {
    auto frames = paths();
    frames.push_back(crystal({Element(14), Element(7)}, 12.0));

    EXPECT_FALSE(drawn(frames, 0.6, seed).back()) << seed;
  }
}

TEST(HeldOut, something_validates_where_every_composition_is_more_than_the_share) {
  auto frames = paths();
  EXPECT_EQ(std::ranges::count(drawn(frames, 0.01), true), 10);
  EXPECT_EQ(std::ranges::count(drawn(std::span(frames).first(10), 0.01), true), 0) << "less than half a frame";
}

TEST(HeldOut, a_share_of_zero_holds_nothing_out) {
  EXPECT_EQ(std::ranges::count(drawn(paths(), 0.0), true), 0);
  EXPECT_EQ(std::ranges::count(drawn({}, 0.5), true), 0);
}

}  // namespace
}  // namespace tamiz
