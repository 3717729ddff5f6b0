#include <gtest/gtest.h>

#include <cmath>

#include "tamiz/potentials/engine/model_description.hpp"
#include "tamiz/potentials/engine/radial/pair_repulsion.hpp"

using namespace tamiz;

namespace {

ModelDescription silicon_nitride() {
  ModelDescription d;
  d.elements = {Element(7), Element(14)};
  d.atomic_energies = {0.0, 0.0};
  d.repulsion = 1.0;
  return d;
}

double energy(const PairRepulsion& repulsion, double r) { return repulsion.pair(0, 1, r).value; }

}  // namespace

TEST(PairRepulsion, is_the_screened_coulomb_energy_of_the_nuclei_when_they_are_close) {
  const PairRepulsion repulsion(silicon_nitride());
  const double r = 0.02, length = 0.4543 * 0.529 / (std::pow(7.0, 0.3) + std::pow(14.0, 0.3)), x = r / length;
  const double screening = 0.1818 * std::exp(-3.2 * x) + 0.5099 * std::exp(-0.9423 * x) + 0.2802 * std::exp(-0.4028 * x) +
                           0.02817 * std::exp(-0.2016 * x);

  // The envelope differs from 1 by 28·(r/1.78 Å)⁶.
  EXPECT_NEAR(energy(repulsion, r) * r / (14.3996 * 98.0 * screening), 1.0, 1e-10);
}

TEST(PairRepulsion, slope_is_the_derivative_of_the_energy) {
  const PairRepulsion repulsion(silicon_nitride());

  for (const double r : {0.3, 0.7, 1.1, 1.5, 1.7}) {
    const double h = 1e-5, numeric = (energy(repulsion, r + h) - energy(repulsion, r - h)) / (2.0 * h);
    EXPECT_NEAR(repulsion.pair(0, 1, r).slope, numeric, 1e-6 * std::max(1.0, std::abs(numeric))) << r;
  }
}

TEST(PairRepulsion, ends_smoothly_at_the_sum_of_the_covalent_radii) {
  const PairRepulsion repulsion(silicon_nitride());
  const double contact = Element(7).covalent_radius() + Element(14).covalent_radius();

  EXPECT_EQ(energy(repulsion, contact), 0.0);
  EXPECT_LT(energy(repulsion, contact - 1e-3), 1e-6);
  EXPECT_GT(energy(repulsion, contact - 1e-3), 0.0);
}

TEST(PairRepulsion, is_absent_where_the_model_has_none) {
  ModelDescription d = silicon_nitride();
  d.repulsion = 0.0;

  EXPECT_FALSE(repulsion_of(d));
}

TEST(PairRepulsion, a_description_written_before_it_existed_has_none) {
  ModelDescription d = silicon_nitride();
  std::string text = to_json(d);
  for (const char* key : {"\"repulsion\":1.0,", "\"repulsion_exponent\":0.3,", "\"repulsion_power\":6,", "\"repulsion_prefactor\":0.4543,"}) {
    const auto place = text.find(key);
    ASSERT_NE(place, std::string::npos) << key;
    text.erase(place, std::string(key).size());
  }

  EXPECT_EQ(description_from_json(text).repulsion, 0.0);
  EXPECT_EQ(text.find("cohesion"), std::string::npos) << "nor has it what no earlier version knows";
}
