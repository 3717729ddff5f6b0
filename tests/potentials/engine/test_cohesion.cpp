#include <gtest/gtest.h>

#include <cmath>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/edge_list.hpp"
#include "tamiz/potentials/engine/model_description.hpp"
#include "tamiz/potentials/engine/radial/cohesion.hpp"

using namespace tamiz;

namespace {

ModelDescription silicon_nitride() {
  ModelDescription d;
  d.elements = {Element(7), Element(14)};
  d.atomic_energies = {0.0, 0.0};
  d.cohesion = {-7.0, -4.5};
  return d;
}

void expect_derivatives(const auto& curve, double x) {
  constexpr double h = 1e-5;
  const Cohesion::Curve here = curve(x), before = curve(x - h), behind = curve(x + h);
  EXPECT_NEAR(here.slope, (behind.value - before.value) / (2.0 * h), 1e-7 * std::max(1.0, std::abs(here.slope))) << x;
  EXPECT_NEAR(here.curvature, (behind.slope - before.slope) / (2.0 * h), 1e-7 * std::max(1.0, std::abs(here.curvature))) << x;
}

/// Energy per atom of silicon in the diamond structure with the lattice constant a [Å].
double diamond(double a) {
  Mat3 cell;
  cell << 0, a / 2, a / 2, a / 2, 0, a / 2, a / 2, a / 2, 0;
  const Structure silicon(Lattice(cell), k_periodic, {Element(14), Element(14)},
                          Fractional{(Coordinates(2, 3) << 0, 0, 0, 0.25, 0.25, 0.25).finished()});
  return EdgeBuilder(silicon_nitride())(silicon).baseline[0].energy;
}

}  // namespace

TEST(Cohesion, slopes_and_curvatures_are_derivatives) {
  const Cohesion cohesion(silicon_nitride());

  for (const double r : {0.5, 1.5, 2.3, 3.0, 3.6}) expect_derivatives([&](double at) { return cohesion.density(0, 1, at); }, r);
  for (const double density : {0.01, 0.2, 1.0, 3.0}) expect_derivatives([&](double at) { return cohesion.energy(1, at); }, density);
}

TEST(Cohesion, ends_smoothly_at_its_reach_and_inside_the_cutoff) {
  ModelDescription d = silicon_nitride();
  const Cohesion cohesion(d);
  const double reach = cohesion.reach(0, 1);

  EXPECT_NEAR(reach, 2.0 * (Element(7).covalent_radius() + Element(14).covalent_radius()), 1e-12);
  EXPECT_EQ(cohesion.density(0, 1, reach).value, 0.0);
  EXPECT_GT(cohesion.density(0, 1, reach - 1e-3).value, 0.0);
  EXPECT_NEAR(cohesion.density(0, 1, reach - 1e-3).curvature, 0.0, 5e-3);
  d.cutoff = 3.0;
  EXPECT_EQ(Cohesion(d).reach(0, 1), 3.0);
}

TEST(Cohesion, is_all_there_in_a_crystal_and_gone_where_atoms_are_apart) {
  EXPECT_LT(diamond(5.43), -4.5 * 0.95);
  EXPECT_GT(diamond(5.43), -4.5);
  EXPECT_LT(diamond(5.43), diamond(6.4));
  EXPECT_LT(diamond(6.4), diamond(8.0));
  EXPECT_EQ(diamond(12.0), 0.0);
}

TEST(Cohesion, is_absent_where_the_model_has_none_and_one_per_element_where_it_has) {
  ModelDescription d = silicon_nitride();
  EXPECT_EQ(description_from_json(to_json(d)), d);
  d.cohesion.pop_back();
  EXPECT_THROW(validate(d), ShapeError);
  d.cohesion.clear();

  EXPECT_FALSE(cohesion_of(d));
}
