#include <gtest/gtest.h>

#include <Eigen/Geometry>
#include <cmath>
#include <nlohmann/json.hpp>
#include <numbers>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/units.hpp"
#include "tamiz/potentials/engine/classical/classical.hpp"
#include "tamiz/tests/support/finite_differences.hpp"
#include "tamiz/tests/support/random_cells.hpp"

using namespace tamiz;

namespace {

const std::string k_gallium_nitride = R"(
kind = "stillinger-weber"
source = "Bere and Serra 2006, doi:10.1080/14786430500520858"
pair = [
  {elements = ["Ga", "Ga"], epsilon = 1.2, sigma = 2.1, a = 1.6, A = 7.917, B = 0.72, p = 4, q = 0, gamma = 1.2},
  {elements = ["N", "N"], epsilon = 1.2, sigma = 1.3, a = 1.8, A = 7.917, B = 0.72, p = 4, q = 0, gamma = 1.2},
  {elements = ["Ga", "N"], epsilon = 2.17, sigma = 1.695, a = 1.8, A = 7.917, B = 0.72, p = 4, q = 0, gamma = 1.2},
]
triplet = [
  {center = "Ga", ends = ["Ga", "Ga"], epsilon = 1.2, lambda = 32.5, cos_theta0 = -0.333333333333},
  {center = "Ga", ends = ["Ga", "N"], epsilon = 1.6136914, lambda = 32.5, cos_theta0 = -0.333333333333},
  {center = "Ga", ends = ["N", "N"], epsilon = 2.17, lambda = 32.5, cos_theta0 = -0.333333333333},
  {center = "N", ends = ["N", "N"], epsilon = 1.2, lambda = 32.5, cos_theta0 = -0.333333333333},
  {center = "N", ends = ["N", "Ga"], epsilon = 1.6136914, lambda = 32.5, cos_theta0 = -0.333333333333},
  {center = "N", ends = ["Ga", "Ga"], epsilon = 2.17, lambda = 32.5, cos_theta0 = -0.333333333333},
]
)";

const std::string k_noble_gases = R"(
kind = "lennard-jones"
cutoff = 7.0
smoothing = "shifted-force"
pair = [
  {elements = ["Ar", "Ar"], epsilon = 0.0103, sigma = 3.405},
  {elements = ["Kr", "Kr"], epsilon = 0.0140, sigma = 3.65},
  {elements = ["Ar", "Kr"], epsilon = 0.0118, sigma = 3.50},
]
)";

const std::string k_zbl = R"(
kind = "zbl"
elements = ["Si", "N"]
inner = 1.5
outer = 2.0
)";

std::filesystem::path shipped(const std::string& name) {
  return std::filesystem::path(TAMIZ_SOURCE_DIR) / "datasets" / "potentials" / name;
}
std::unique_ptr<Potential> silicon() { return make_classical_potential(shipped("stillinger-weber-si.toml")); }
std::unique_ptr<Potential> argon() { return make_classical_potential(shipped("lennard-jones-ar.toml")); }

struct Sample {
  std::string name;
  std::unique_ptr<Potential> potential;
  std::vector<Element> elements;
  double spacing;  // [Å]
};

std::vector<Sample> samples() {
  const auto e = [](const char* symbol) { return Element::from_symbol(symbol); };
  std::vector<Sample> result;
  result.push_back({"Stillinger-Weber Si", silicon(), {e("Si")}, 2.4});
  result.push_back({"Stillinger-Weber GaN", parse_classical_potential(k_gallium_nitride), {e("Ga"), e("N")}, 2.0});
  result.push_back({"Lennard-Jones Ar", argon(), {e("Ar")}, 3.8});
  result.push_back({"Lennard-Jones Ar-Kr", parse_classical_potential(k_noble_gases), {e("Ar"), e("Kr")}, 3.8});
  result.push_back({"ZBL", parse_classical_potential(k_zbl), {e("Si"), e("N")}, 1.6});
  return result;
}

Structure dimer(const std::string& a, const std::string& b, double distance) {
  Coordinates positions(2, 3);
  positions << 0.3, -0.2, 0.1, 0.3 + distance, -0.2, 0.1;
  return Structure(Lattice(), k_molecule, {Element::from_symbol(a), Element::from_symbol(b)}, Cartesian{positions});
}

Structure diamond(double a) {
  Mat3 cell;
  cell << 0.0, 0.5, 0.5, 0.5, 0.0, 0.5, 0.5, 0.5, 0.0;
  Coordinates fractional(2, 3);
  fractional << 0.0, 0.0, 0.0, 0.25, 0.25, 0.25;
  const Element si = Element::from_symbol("Si");
  return Structure(Lattice(a * cell), k_periodic, {si, si}, Fractional{fractional});
}

Prediction evaluate_one(const Potential& potential, const Structure& structure) {
  const std::vector<Structure> one{structure};
  return evaluate(potential, one, {.forces = true, .stress = true, .atom_energies = true});
}

double largest_difference(const Eigen::Ref<const Eigen::MatrixXd>& a, const Eigen::Ref<const Eigen::MatrixXd>& b) {
  return (a - b).cwiseAbs().maxCoeff();
}

}  // namespace

TEST(LennardJones, a_dimer_below_the_switch_follows_the_closed_form) {
  const double r = 4.0, x6 = std::pow(3.405 / r, 6), epsilon = 0.010323565;

  const Prediction prediction = evaluate_one(*argon(), dimer("Ar", "Ar", r));

  EXPECT_NEAR(prediction.energies[0], 4.0 * epsilon * x6 * (x6 - 1.0), 1e-14);
  EXPECT_NEAR(prediction.forces(1, 0), 24.0 * epsilon * x6 * (2.0 * x6 - 1.0) / r, 1e-14);
  EXPECT_NEAR(prediction.forces(0, 0), -prediction.forces(1, 0), 1e-16);
  EXPECT_NEAR(prediction.atom_energies[0], 0.5 * prediction.energies[0], 1e-16);
}

TEST(LennardJones, mixing_takes_the_means_of_the_pure_pairs) {
  const auto potential = parse_classical_potential(R"(
kind = "lennard-jones"
cutoff = 9.0
mixing = "lorentz-berthelot"
pair = [{elements = ["Ar", "Ar"], epsilon = 0.01, sigma = 3.4}, {elements = ["Kr", "Kr"], epsilon = 0.0144, sigma = 3.6}]
)");

  // At r = σ = 3.5 Å the energy is zero, and the force 24 ε/σ.
  const Prediction prediction = evaluate_one(*potential, dimer("Ar", "Kr", 3.5));

  EXPECT_NEAR(prediction.energies[0], 0.0, 1e-14);
  EXPECT_NEAR(prediction.forces(1, 0), 24.0 * 0.012 / 3.5, 1e-14);
}

TEST(Zbl, a_dimer_follows_the_closed_form) {
  const double r = 0.7, a = 0.46850 / (std::pow(14.0, 0.23) + std::pow(7.0, 0.23));
  const double phi = 0.18175 * std::exp(-3.1998 * r / a) + 0.50986 * std::exp(-0.94229 * r / a) +
                     0.28022 * std::exp(-0.4029 * r / a) + 0.02817 * std::exp(-0.20162 * r / a);

  const Prediction prediction = evaluate_one(*parse_classical_potential(k_zbl), dimer("Si", "N", r));

  EXPECT_NEAR(prediction.energies[0], 14.0 * 7.0 * 14.3996454 / r * phi, 1e-5);
}

TEST(StillingerWeber, silicon_has_the_published_lattice_constant_and_cohesive_energy) {
  const auto potential = silicon();
  const auto energy = [&](double a) { return test_support::energy_of(*potential, diamond(a)) / 2.0; };

  // Golden-section search of the minimum.
  double low = 5.3, high = 5.6;
  const double ratio = 1.0 / std::numbers::phi;
  while (high - low > 1e-7) {
    const double left = high - ratio * (high - low), right = low + ratio * (high - low);
    (energy(left) < energy(right) ? high : low) = energy(left) < energy(right) ? right : left;
  }

  EXPECT_NEAR(low, 5.431, 5e-4);
  EXPECT_NEAR(energy(low), -4.3366, 1e-4);
}

TEST(Classical, agrees_with_lammps) {
  const auto cases = nlohmann::json::parse(read_file(std::string(TAMIZ_TEST_DATA) + "/potentials/engine/classical_cases.json")).at("cases");
  std::map<std::string, std::unique_ptr<Potential>> potentials;
  potentials["sw-si"] = silicon();
  potentials["sw-gan"] = parse_classical_potential(k_gallium_nitride);
  potentials["lj-ar-kr"] = parse_classical_potential(k_noble_gases);
  potentials["zbl-si-n"] = parse_classical_potential(k_zbl);
  for (const auto& [name, potential] : potentials) {
    const auto& test = cases.at(name);
    const auto n = static_cast<Eigen::Index>(test.at("symbols").size());
    std::vector<Element> species;
    for (const auto& symbol : test.at("symbols")) species.push_back(Element::from_symbol(symbol.get<std::string>()));
    Mat3 cell, stress;
    Coordinates positions(n, 3), forces(n, 3);
    for (Eigen::Index k = 0; k < 3; ++k)
      for (Eigen::Index i = 0; i < n; ++i) {
        positions(i, k) = test.at("positions")[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)];
        forces(i, k) = test.at("forces")[static_cast<std::size_t>(i)][static_cast<std::size_t>(k)];
      }
    for (int a = 0; a < 3; ++a)
      for (int b = 0; b < 3; ++b) {
        cell(a, b) = test.at("cell")[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)];
        stress(a, b) = test.at("stress")[static_cast<std::size_t>(a)][static_cast<std::size_t>(b)];
      }

    const Prediction prediction = evaluate_one(*potential, Structure(Lattice(cell), k_periodic, species, Cartesian{positions}));

    // LAMMPS' constants of units differ from CODATA 2018 in the seventh digit (pressure, charge), its own
    // potential files are rounded to twelve.
    const double unit_error = name == "zbl-si-n" ? 1e-5 : 1e-9;
    EXPECT_LT(largest_difference(prediction.forces, forces), unit_error * std::max(1.0, forces.cwiseAbs().maxCoeff())) << name;
    if (name == "zbl-si-n") continue;  // LAMMPS adds a constant to the energy inside its own switch
    EXPECT_NEAR(prediction.energies[0], test.at("energy").get<double>(), 1e-8) << name;
    EXPECT_LT(largest_difference(prediction.stresses[0], stress), 1e-6 * stress.cwiseAbs().maxCoeff()) << name;
  }
}

TEST(Classical, forces_and_stress_are_derivatives_of_the_energy) {
  for (const Sample& sample : samples())
    for (const auto& [cell_name, structure] : test_support::sample_cells(sample.elements, sample.spacing))
      test_support::expect_derivatives_of_energy(*sample.potential, structure, sample.name + ", " + cell_name, 1e-6, 2e-4, 5e-5);
}

TEST(Classical, energy_is_invariant_and_forces_turn_with_the_structure) {
  const Mat3 rotation = Eigen::AngleAxisd(0.7, Vec3(1.0, -2.0, 0.5).normalized()).toRotationMatrix();
  for (const Sample& sample : samples()) {
    const Structure structure = test_support::sample_cells(sample.elements, sample.spacing)[1].structure;
    const Prediction before = evaluate_one(*sample.potential, structure);
    const std::vector<Element> species(structure.species().begin(), structure.species().end());
    const Coordinates shift = Coordinates::Ones(structure.positions().rows(), 3) * 0.37;
    const Structure moved(Lattice(structure.lattice().rows() * rotation), k_periodic, species,
                          Cartesian{(structure.positions() + shift) * rotation});

    const Prediction after = evaluate_one(*sample.potential, moved);

    const double scale = std::max(1.0, before.forces.cwiseAbs().maxCoeff());
    EXPECT_NEAR(after.energies[0], before.energies[0], 1e-11 * scale) << sample.name;
    EXPECT_LT(largest_difference(after.forces, before.forces * rotation), 1e-10 * scale) << sample.name;
    EXPECT_LT(largest_difference(after.stresses[0], rotation.transpose() * before.stresses[0] * rotation), 1e-11 * scale) << sample.name;
  }
}

TEST(Classical, permuted_atoms_and_supercells_have_the_same_energy_per_atom) {
  for (const Sample& sample : samples()) {
    const Structure structure = test_support::sample_cells(sample.elements, sample.spacing)[1].structure;
    std::vector<Element> reversed(structure.species().rbegin(), structure.species().rend());
    const Structure permuted(structure.lattice(), k_periodic, reversed, Cartesian{structure.positions().colwise().reverse()});

    const double energy = test_support::energy_of(*sample.potential, structure);
    const double scale = std::max(1.0, std::abs(energy));

    EXPECT_NEAR(test_support::energy_of(*sample.potential, permuted), energy, 1e-12 * scale) << sample.name;
    EXPECT_NEAR(test_support::energy_of(*sample.potential, structure.supercell({2, 1, 3})), 6.0 * energy, 1e-10 * scale) << sample.name;
  }
}

TEST(Classical, energy_and_force_go_smoothly_to_zero_at_the_cutoff) {
  for (const Sample& sample : samples()) {
    const std::string symbol(sample.elements.front().symbol());
    const bool several = sample.name == "Stillinger-Weber GaN";  // Ga-Ga ends before the longest pair
    const double cutoff = several ? 1.6 * 2.1 : sample.potential->neighbors().cutoff;

    const Prediction inside = evaluate_one(*sample.potential, dimer(symbol, symbol, cutoff - 1e-4));
    const Prediction outside = evaluate_one(*sample.potential, dimer(symbol, symbol, cutoff + 1e-4));

    EXPECT_LT(std::abs(inside.energies[0]), 1e-9) << sample.name;
    // A quintic switch of width w leaves 30·u·δ²/w³ of the force at a distance δ: 10⁻⁵ for u = 5 eV, w = 0.5 Å.
    EXPECT_LT(inside.forces.cwiseAbs().maxCoeff(), 1e-5) << sample.name;
    EXPECT_EQ(outside.energies[0], 0.0) << sample.name;
    EXPECT_EQ(outside.forces.cwiseAbs().maxCoeff(), 0.0) << sample.name;
  }
}

TEST(Classical, a_batch_gives_the_same_bits_as_single_structures_with_any_skin) {
  for (const Sample& sample : samples()) {
    std::vector<Structure> structures;
    for (const auto& cell : test_support::sample_cells(sample.elements, sample.spacing)) structures.push_back(cell.structure);
    const Batch batch(structures);
    const State state = State::of(structures);
    const NeighborList list = build_neighbors(batch, state, {sample.potential->neighbors().cutoff, 0.8});

    const Prediction together = sample.potential->evaluate(batch, state, list, {.forces = true, .stress = true});

    for (std::size_t s = 0; s < structures.size(); ++s) {
      const Prediction alone = evaluate_one(*sample.potential, structures[s]);
      const auto begin = static_cast<Eigen::Index>(batch.offsets()[s]);
      EXPECT_EQ(together.energies[static_cast<Eigen::Index>(s)], alone.energies[0]) << sample.name;
      EXPECT_EQ(together.forces.middleRows(begin, alone.forces.rows()), alone.forces) << sample.name;
      EXPECT_EQ(together.stresses[s], alone.stresses[0]) << sample.name;
    }
  }
}

TEST(Classical, refuses_what_it_cannot_compute) {
  const auto potential = silicon();
  const std::vector<Structure> wrong_element{dimer("Si", "Ge", 2.4)}, right{dimer("Si", "Si", 2.4)}, overlapping{dimer("Si", "Si", 0.0)};

  EXPECT_THROW(evaluate(*potential, wrong_element), SpeciesError);
  EXPECT_THROW(evaluate(*potential, right, {.members = true}), CapabilityError);
  EXPECT_THROW(evaluate(*potential, overlapping), NumericsError);
}

TEST(Classical, a_wrong_key_is_named_with_its_line) {
  const auto message = [](const std::string& text) {
    try {
      parse_classical_potential(text, "file.toml");
    } catch (const FormatError& error) {
      return std::string(error.what());
    }
    return std::string();
  };

  EXPECT_NE(message("kind = \"lenard\"").find("file.toml:1: kind: expected lennard-jones"), std::string::npos);
  EXPECT_NE(message("kind = \"zbl\"\nelements = [\"Si\"]\niner = 1.0\nouter = 2.0").find("did you mean inner?"), std::string::npos);
  EXPECT_NE(message("kind = \"zbl\"\nelements = [\"Sj\"]\ninner = 1.0\nouter = 2.0").find("file.toml:2: elements:"), std::string::npos);
  EXPECT_NE(message("kind = \"zbl\"\nelements = [\"Si\"]\ninner = 3.0\nouter = 2.0").find("file.toml:4: outer:"), std::string::npos);
  EXPECT_NE(message("kind = \"lennard-jones\"\ncutoff = 5.0\n[[pair]]\nelements = [\"Ar\", \"Ar\"]\nepsilon = 1.0\nsigma = -1.0")
                .find("file.toml:6: pair.sigma:"), std::string::npos);
  EXPECT_NE(message("kind = \"lennard-jones\"\ncutoff = 5.0\npair = [{elements = [\"Ar\", \"Kr\"], epsilon = 1.0, sigma = 1.0}]")
                .find("no [[pair]] for Ar and Ar"), std::string::npos);
  std::string nowhere = read_file(shipped("stillinger-weber-si.toml"));
  const std::size_t at = nowhere.find("\nA = ");
  ASSERT_NE(at, std::string::npos);
  nowhere.replace(at, nowhere.find('\n', at + 1) - at, "\nA = nan");
  EXPECT_NE(message(nowhere).find("A: expected a finite number"), std::string::npos) << message(nowhere);
}
