#include <gtest/gtest.h>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/classical/classical.hpp"
#include "tamiz/potentials/engine/mace/fused_potential.hpp"
#include "tamiz/tests/potentials/torch/mace_cases.hpp"
#include "tamiz/tests/support/finite_differences.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::mace_cases;

// Relative to the largest component.
constexpr double k_exact = 1e-7;    // differences of fourth order with a step of 1e-4 Å, rounding 1e-12/1e-4
constexpr double k_splined = 2e-3;  // the same across knots, where third derivatives jump
constexpr double k_narrow = 2e-3;   // float32
constexpr double k_symmetry = 1e-10;

struct Case {
  std::string name;
  ModelDescription description;
  double tolerance;
};

void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

using D = ModelDescription;

std::vector<Case> cases() {
  const std::vector<std::string> density{"RealAgnosticDensity", "RealAgnosticDensityResidual"};
  return {{"scalars", small_description(0, 3, 0), k_exact},
          {"vectors", small_description(1, 3, 0), k_exact},
          {"tensors", with(small_description(2, 2, 0), [](D& d) { d.repulsion = 0.0; }), k_exact},
          {"density", with(small_description(1, 2, 0), [&](D& d) { d.blocks = density; }), k_exact},
          {"cohesion", with(small_description(0, 2, 0), [](D& d) { d.cohesion = {-7.0, -1.5, -4.5}; }), k_exact},
          {"agnesi_apart",
           with(small_description(0, 2, 0),
                [&](D& d) {
                  d.blocks = density;
                  d.distance_transform = "agnesi";
                  d.envelope_on_weights = true;
                }),
           k_exact},
          {"one_layer", with(small_description(0, 4, 0), [](D& d) { d.n_interactions = 1; }), k_exact},
          {"three_layers", with(small_description(1, 2, 0), [](D& d) { d.n_interactions = 3; }), k_exact},
          {"high_l", with(small_description(0, 2, 0), [](D& d) { d.l_max = 5; }), k_exact},
          {"splined", small_description(1, 2), k_splined},
          {"splined_density", with(small_description(0, 2), [&](D& d) { d.blocks = density; }), k_splined}};
}

std::vector<Structure> structures() {
  return {triclinic(5, 11), triclinic(1, 12), triclinic(7, 13, true),
          Structure({}, k_molecule, {Element(7), Element(14), Element(12)},
                    Cartesian{(Coordinates(3, 3) << 0, 0, 0, 1.9, 0.1, 0, -0.4, 2.1, 0.3).finished()})};
}

Coordinates directions_for(const std::vector<Structure>& several, std::uint64_t seed) {
  Eigen::Index n = 0;
  for (const Structure& structure : several) n += static_cast<Eigen::Index>(structure.size());
  Coordinates directions(n, 3);
  Philox random(seed, streams::k_crystals, 0, 0);
  for (Eigen::Index k = 0; k < directions.size(); ++k) directions.data()[k] = random.normal();
  return directions;
}

std::vector<Structure> moved(std::vector<Structure> several, const Coordinates& directions, double t) {
  Eigen::Index row = 0;
  for (Structure& structure : several) {
    const auto n = static_cast<Eigen::Index>(structure.size());
    structure = structure.with_positions(Cartesian{structure.positions() + t * directions.middleRows(row, n)});
    row += n;
  }
  return several;
}

double largest(const Coordinates& x) { return x.cwiseAbs().maxCoeff(); }

class SecondDerivatives : public testing::TestWithParam<Case> {
 protected:
  std::unique_ptr<Potential> potential(const std::string& dtype = "float64", int threads = 1) const {
    return make_fused_potential(initial_model(GetParam().description, 7), {.dtype = dtype, .threads = threads});
  }
};
INSTANTIATE_TEST_SUITE_P(shapes, SecondDerivatives, testing::ValuesIn(cases()),
                         [](const auto& each) { return each.param.name; });

TEST_P(SecondDerivatives, are_differences_of_forces) {
  const auto model = potential();
  const std::vector<Structure> several = structures();
  const Coordinates directions = directions_for(several, 1);

  const Coordinates products = hessian_vector_products(*model, several, directions);

  constexpr double h = 1e-4;
  const auto forces = [&](double t) { return evaluate(*model, moved(several, directions, t)).forces; };
  const Coordinates expected = -(8.0 * (forces(h) - forces(-h)) - (forces(2.0 * h) - forces(-2.0 * h))) / (12.0 * h);
  EXPECT_LT(largest(products - expected), GetParam().tolerance * largest(expected));
  EXPECT_GT(largest(expected), 1e-3);
}

TEST_P(SecondDerivatives, are_symmetric) {
  const auto model = potential();
  const std::vector<Structure> several = structures();
  const Coordinates u = directions_for(several, 1), v = directions_for(several, 2);

  const double one = u.cwiseProduct(hessian_vector_products(*model, several, v)).sum();
  const double other = v.cwiseProduct(hessian_vector_products(*model, several, u)).sum();

  EXPECT_NEAR(one, other, k_symmetry * u.cwiseProduct(hessian_vector_products(*model, several, v)).cwiseAbs().sum());
}

TEST_P(SecondDerivatives, of_a_translation_are_zero) {
  const auto model = potential();
  const std::vector<Structure> several = structures();
  Coordinates shift = directions_for(several, 1);
  shift.rowwise() = Eigen::RowVector3d(0.3, -0.7, 0.2);

  EXPECT_LT(largest(hessian_vector_products(*model, several, shift)), 1e-12);
}

TEST_P(SecondDerivatives, in_float32_follow_float64) {
  const std::vector<Structure> several = structures();
  const Coordinates directions = directions_for(several, 1);

  const Coordinates wide = hessian_vector_products(*potential(), several, directions);

  EXPECT_LT(largest(hessian_vector_products(*potential("float32"), several, directions) - wide),
            k_narrow * largest(wide));
}

TEST_P(SecondDerivatives, of_a_batch_are_those_of_its_structures_to_the_bit) {
  const std::vector<Structure> several = structures();
  const Coordinates directions = directions_for(several, 1);
  for (const std::string dtype : {"float32", "float64"}) {
    const auto model = potential(dtype);
    const Coordinates batch = hessian_vector_products(*model, several, directions);

    EXPECT_EQ(batch, hessian_vector_products(*potential(dtype, 2), several, directions));
    Eigen::Index row = 0;
    for (const Structure& structure : several) {
      const auto n = static_cast<Eigen::Index>(structure.size());
      EXPECT_EQ(hessian_vector_products(*model, {&structure, 1}, directions.middleRows(row, n)),
                batch.middleRows(row, n));
      row += n;
    }
  }
}

double spread(const Potential& model, const Structure& structure) {
  const Eigen::RowVectorXd members = evaluate(model, {&structure, 1}, {.forces = false, .members = true}).member_energies.row(0);
  return std::sqrt((members.array() - members.mean()).square().sum() / static_cast<double>(members.size() - 1));
}

TEST_P(SecondDerivatives, with_weights_of_members_are_gradients_of_their_spread) {
  const ModelDescription committee = with(GetParam().description, [](D& d) { d.n_members = 4, d.uncertainty_scale = 1.7; });
  const auto model = make_fused_potential(initial_model(committee, 7), {.dtype = "float64"});
  const std::vector<Structure> several{triclinic(5, 11), triclinic(7, 13, true)};
  const Coordinates directions = directions_for(several, 1);
  Mat3 strain;
  strain << 0.3, 0.1, -0.4, 0.1, -0.6, 0.2, -0.4, 0.2, 0.5;

  const Prediction p = evaluate(*model, several, {.stress = true, .uncertainty_gradients = true});

  constexpr double h = 1e-4;
  Eigen::Index row = 0;
  for (std::size_t s = 0; s < several.size(); ++s) {
    const auto n = static_cast<Eigen::Index>(several[s].size());
    const Coordinates along = directions.middleRows(row, n);
    const auto difference = [&](const auto& sigma) {
      return (8.0 * (sigma(h) - sigma(-h)) - (sigma(2.0 * h) - sigma(-2.0 * h))) / (12.0 * h);
    };
    const double by_positions = difference([&](double t) { return spread(*model, moved({several[s]}, along, t)[0]); });
    const double by_strain = difference([&](double t) { return spread(*model, several[s].strained(t * strain)); });

    EXPECT_NEAR(p.uncertainty_gradients.middleRows(row, n).cwiseProduct(along).sum(), by_positions,
                GetParam().tolerance * std::abs(by_positions));
    EXPECT_NEAR(several[s].lattice().volume() * p.uncertainty_stresses[s].cwiseProduct(strain).sum(), by_strain,
                GetParam().tolerance * std::abs(by_strain));
    EXPECT_GT(std::abs(by_positions), 1e-4);
    EXPECT_GT(std::abs(by_strain), 1e-4);
    row += n;
  }
  const Prediction plain = evaluate(*model, several, {.stress = true, .members = true});
  EXPECT_EQ(p.forces, plain.forces);
  EXPECT_EQ(p.member_energies, plain.member_energies);
}

TEST(SecondDerivativesOfPotentials, a_spread_of_nothing_has_no_gradient) {
  const ModelFile one = initial_model(with(small_description(0), [](D& d) { d.n_members = 1; }), 7);
  const Structure crystal = triclinic(5, 11);
  const ModelFile raw = initial_model(with(small_description(0), [](D& d) { d.n_members = 2; d.uncertainty_scale = 0.0; }), 7);
  // So small a spread has a square of zero.
  const ModelFile same = initial_model(with(small_description(0), [](D& d) { d.n_members = 2; d.uncertainty_scale = 1e-300; }), 7);

  for (const ModelFile& model : {one, raw})
    EXPECT_THROW(evaluate(*make_fused_potential(model, {.dtype = "float64"}), {&crystal, 1}, {.uncertainty_gradients = true}),
                 CapabilityError);
  EXPECT_EQ(largest(evaluate(*make_fused_potential(same, {.dtype = "float64"}), {&crystal, 1},
                             {.uncertainty_gradients = true}).uncertainty_gradients), 0.0);
}

TEST(SecondDerivativesOfPotentials, misuse_is_an_error) {
  const auto model = make_fused_potential(initial_model(small_description(0), 7), {.dtype = "float64"});
  const auto classical = make_classical_potential(std::filesystem::path(TAMIZ_SOURCE_DIR) /
                                                  "datasets/potentials/stillinger-weber-si.toml");
  const Structure silicon({}, k_molecule, {Element(14)}, Cartesian{Coordinates::Zero(1, 3)});

  EXPECT_THROW(hessian_vector_products(*model, {&silicon, 1}, Coordinates::Zero(2, 3)), ShapeError);
  EXPECT_THROW(hessian_vector_products(*model, {&silicon, 1}, Coordinates::Constant(1, 3, std::nan(""))),
               NumericsError);
  EXPECT_THROW(hessian_vector_products(*classical, {&silicon, 1}, Coordinates::Zero(1, 3)), CapabilityError);
}

}  // namespace
