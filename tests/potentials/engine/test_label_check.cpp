#include <gtest/gtest.h>

#include <cmath>

#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/base/units.hpp"
#include "tamiz/potentials/engine/classical/classical.hpp"
#include "tamiz/potentials/engine/training/label_check.hpp"

namespace {

using namespace tamiz;

const char* const k_silicon = TAMIZ_SOURCE_DIR "/datasets/potentials/stillinger-weber-si.toml";

Structure diamond() {
  Mat3 cell;
  cell << 0, 2.715, 2.715, 2.715, 0, 2.715, 2.715, 2.715, 0;
  Coordinates places(2, 3);
  places << 0, 0, 0, 0.25, 0.25, 0.25;
  return Structure(Lattice(cell), k_periodic, std::vector<Element>(2, Element::from_symbol("Si")), Fractional{places})
      .supercell({2, 2, 2});
}

Frame labelled(const Potential& potential, const Structure& structure) {
  const Prediction p = evaluate(potential, {&structure, 1}, {.forces = true, .stress = true});
  return {structure, {.energy = p.energies[0], .free_energy = {}, .forces = p.forces, .stress = p.stresses[0]}, {}, {}};
}

/// Silicon by Stillinger and Weber: atoms shaken in one cell, then cells strained.
std::vector<Frame> silicon() {
  const auto potential = make_classical_potential(k_silicon);
  std::vector<Frame> frames;
  for (std::uint64_t k = 0; k < 6; ++k) {
    Philox random(7, 1, k, 0);
    Coordinates places = diamond().positions();
    for (Eigen::Index n = 0; n < places.size(); ++n) places.data()[n] += 0.04 * random.normal();
    frames.push_back(labelled(*potential, diamond().with_positions(Cartesian{places})));
  }
  for (int k = -2; k <= 2; ++k) {
    Mat3 strain = Mat3::Identity() * 0.01 * k;
    strain(0, 1) = 0.005 * k;
    frames.push_back(labelled(*potential, diamond().strained(strain)));
  }
  return frames;
}

template <typename Change>
std::string first_warning(Change change) {
  std::vector<Frame> frames = silicon();
  for (Frame& frame : frames) change(frame.labels);
  const auto warnings = label_warnings(frames);
  return warnings.empty() ? "" : warnings.front();
}

TEST(LabelCheck, slopes_are_one_where_units_and_signs_agree) {
  const std::vector<Frame> frames = silicon();

  const auto forces = force_consistency(frames), stresses = stress_consistency(frames);

  ASSERT_TRUE(forces && stresses);
  EXPECT_NEAR(forces->slope, 1.0, 0.02);    // the trapezoid rule's third order at steps of 0.06 Å
  EXPECT_NEAR(stresses->slope, 1.0, 0.05);  // the same for strains of up to 4 %
  EXPECT_GE(forces->n_pairs, 9U);
  EXPECT_TRUE(label_warnings(frames).empty());
}

TEST(LabelCheck, gradients_in_place_of_forces_are_named) {
  EXPECT_NE(first_warning([](Labels& l) { *l.forces *= -1.0; }).find("gradients"), std::string::npos);
}

TEST(LabelCheck, energies_in_hartree_are_named) {
  EXPECT_NE(first_warning([](Labels& l) { *l.energy /= units::k_hartree; }).find("energies look like hartree"), std::string::npos);
}

TEST(LabelCheck, forces_in_kcal_per_mol_are_named) {
  EXPECT_NE(first_warning([](Labels& l) { *l.forces *= 23.0605; }).find("kcal/mol/Å"), std::string::npos);
}

TEST(LabelCheck, a_pressure_in_place_of_a_stress_is_named) {
  EXPECT_NE(first_warning([](Labels& l) { *l.stress *= -1.0; }).find("compressive positive"), std::string::npos);
}

TEST(LabelCheck, stresses_in_kbar_are_named) {
  EXPECT_NE(first_warning([](Labels& l) { *l.stress *= -10.0 / units::k_gpa; }).find("kbar"), std::string::npos);
}

TEST(LabelCheck, energies_of_other_frames_are_noticed) {
  std::vector<Frame> frames = silicon();
  for (std::size_t k = 0; k < 6; ++k) frames[k].labels.energy = -4.3 * 16 + std::cos(static_cast<double>(7 * k));

  EXPECT_NE(label_warnings(frames).front().find("do not belong together"), std::string::npos);
}

TEST(LabelCheck, positions_in_bohr_are_noticed) {
  std::vector<Frame> frames;
  for (int k = 0; k < 5; ++k)
    frames.push_back({diamond().with_lattice_scaled(1.0 / units::k_bohr), {.energy = -70.0, .free_energy = {}, .forces = {}, .stress = {}}, {}, {}});

  EXPECT_NE(label_warnings(frames).front().find("bohr"), std::string::npos);
}

TEST(LabelCheck, few_or_lonely_frames_say_nothing) {
  const std::vector<Frame> frames = silicon();

  EXPECT_FALSE(force_consistency(std::span(frames).first(1)));
  EXPECT_FALSE(stress_consistency({}));
  EXPECT_TRUE(label_warnings({}).empty());
}

}  // namespace
