#include <gtest/gtest.h>

#include <bit>
#include <cstdlib>
#include <cstring>
#include <fstream>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/potentials/engine/kernels/bfloat16.hpp"
#include "tamiz/potentials/engine/mace/fused_potential.hpp"
#include "tamiz/potentials/engine/mace/packed_matrix.hpp"
#include "tamiz/potentials/engine/mace/slabs.hpp"
#include "tamiz/tests/potentials/torch/mace_cases.hpp"
#include "tamiz/tests/support/bits_by_instruction_set.hpp"
#include "tamiz/tests/support/finite_differences.hpp"
#include "tamiz/tests/support/random_cells.hpp"

namespace {

using namespace tamiz;
using namespace tamiz::mace_cases;

constexpr double k_energy = 1e-9;   // float64, per atom [eV]: sums of some thousand terms of order 1
constexpr double k_force = 1e-9;    // float64 [eV/Å]
constexpr double k_stress = 1e-10;  // float64 [eV/Å³]
constexpr double k_rounded = 0.015;  // bfloat16, of forces: root mean square, as a share of that of the forces
constexpr double k_narrow = 1e-4;   // float32, of forces [eV/Å], relative to the largest where that is above 1

const Outputs k_all{.forces = true, .stress = true, .atom_energies = true, .members = true, .descriptors = true};
const Outputs k_without_cell{.forces = true, .atom_energies = true, .members = true, .descriptors = true};

const std::vector<std::string> k_residual{"RealAgnosticResidual", "RealAgnosticResidual"};
const std::vector<std::string> k_density{"RealAgnosticDensity", "RealAgnosticDensityResidual"};
const std::vector<std::string> k_density_residual{"RealAgnosticDensityResidual", "RealAgnosticDensityResidual"};
const std::vector<std::string> k_plain{"RealAgnostic", "RealAgnostic"};

struct Radial {
  int nodes = 64;
  const char *basis = "bessel", *transform = "none";
  bool envelope_on_weights = false;
};

ModelDescription shape(int hidden_l, int correlation, const Radial& radial = {},
                       const std::vector<std::string>& blocks = {}, double repulsion = 1.0) {
  ModelDescription d = small_description(hidden_l, correlation, radial.nodes);
  d.radial_basis = radial.basis;
  d.distance_transform = radial.transform;
  d.envelope_on_weights = radial.envelope_on_weights;
  d.blocks = blocks;
  d.repulsion = repulsion;
  d.uncertainty_scale = 1.7;
  return d;
}

/// The shape of a description changed in what `shape` leaves alone.
template <typename Change>
ModelDescription changed(ModelDescription d, const Change& change) {
  change(d);
  return d;
}

std::vector<ModelDescription> shapes() {
  return {shape(0, 3), shape(1, 3), shape(2, 3), shape(0, 1), shape(0, 2, {}, {}, 0.0), shape(0, 4), shape(1, 4),
          shape(0, 3, {.nodes = 0}), shape(2, 2, {.nodes = 0}),
          shape(1, 2, {}, k_residual), shape(1, 2, {.nodes = 0}, k_density), shape(0, 3, {}, k_density),
          shape(1, 2, {.basis = "bessel", .transform = "agnesi"}, k_density_residual), shape(1, 3, {}, k_plain, 0.0),
          shape(0, 2, {0, "gaussian", "agnesi"}), shape(0, 2, {0, "bessel", "soft"}),
          shape(0, 2, {64, "gaussian", "soft", true}, k_density), shape(0, 2, {0, "bessel", "none", true}, k_density),
          changed(shape(1, 2), [](ModelDescription& d) { d.channels = 20; }),
          changed(shape(0, 2), [](ModelDescription& d) { d.cohesion = {-7.0, -1.5, -4.5}; }),
          changed(shape(1, 2), [](ModelDescription& d) { d.channels = 32; d.n_members = 1; }),
          changed(shape(0, 2), [](ModelDescription& d) { d.n_interactions = 1; }),
          changed(shape(0, 2, {0}, {"RealAgnosticDensityResidual"}), [](ModelDescription& d) { d.n_interactions = 1; }),
          changed(shape(2, 2), [](ModelDescription& d) { d.n_interactions = 3; }),
          changed(shape(0, 3), [](ModelDescription& d) { d.l_max = 1; d.radial_mlp = {}; }),
          changed(shape(0, 2), [](ModelDescription& d) { d.l_max = 0; }),
          changed(shape(1, 2), [](ModelDescription& d) { d.l_max = 5; }),
          changed(shape(2, 1), [](ModelDescription& d) { d.l_max = 6; })};
}

const std::vector<Element>& elements() {
  static const std::vector<Element> list{Element(7), Element(12), Element(14)};
  return list;
}

/// Cells of every kind; those without a volume behind the others.
std::vector<Structure> samples(bool periodic) {
  std::vector<Structure> found;
  for (const auto& [name, structure] : test_support::sample_cells(elements(), 2.0))
    if ((structure.lattice().volume() > 0.0 && structure.is_periodic()) == periodic) found.push_back(structure);
  if (periodic) {
    found.push_back(triclinic(3, 31, true));
    found.push_back(triclinic(12, 32));
  } else {
    found.push_back(Structure({}, k_molecule, {Element(14)}, Cartesian{Coordinates::Zero(1, 3)}));
  }
  return found;
}

std::unique_ptr<Potential> fused(const ModelFile& model, const std::string& dtype = "float64", int threads = 1) {
  return make_fused_potential(model, {.dtype = dtype, .threads = threads});
}

double largest(const auto& matrix) { return matrix.size() == 0 ? 0.0 : matrix.cwiseAbs().maxCoeff(); }

void expect_close(const Prediction& a, const Prediction& b, std::size_t n_atoms) {
  EXPECT_LT(largest(a.energies - b.energies), k_energy * static_cast<double>(n_atoms));
  EXPECT_LT(largest(a.atom_energies - b.atom_energies), k_energy);
  EXPECT_LT(largest(a.member_energies - b.member_energies), k_energy * static_cast<double>(n_atoms));
  EXPECT_LT(largest(a.descriptors - b.descriptors), k_energy);
  EXPECT_LT(largest(a.forces - b.forces), k_force);
  ASSERT_EQ(a.stresses.size(), b.stresses.size());
  for (std::size_t s = 0; s < a.stresses.size(); ++s) EXPECT_LT(largest(a.stresses[s] - b.stresses[s]), k_stress);
}

/// All numbers of a prediction, to be compared to the bit.
std::vector<double> numbers(const Prediction& p) {
  std::vector<double> all;
  const auto add = [&](const auto& m) { for (Eigen::Index k = 0; k < m.size(); ++k) all.push_back(m.data()[k]); };
  add(p.energies);
  add(p.forces);
  add(p.atom_energies);
  add(p.member_energies);
  add(p.descriptors);
  for (const Mat3& stress : p.stresses) add(stress);
  return all;
}
bool same_bits(const Prediction& a, const Prediction& b) {
  const std::vector<double> x = numbers(a), y = numbers(b);
  return x.size() == y.size() && std::memcmp(x.data(), y.data(), x.size() * sizeof(double)) == 0;
}

class FusedMace : public testing::TestWithParam<ModelDescription> {
 protected:
  ModelFile model() const { return initial_model(GetParam(), 7); }
};
INSTANTIATE_TEST_SUITE_P(shapes, FusedMace, testing::ValuesIn(shapes()),
                         [](const auto& each) { return "shape" + std::to_string(each.index); });

TEST_P(FusedMace, float64_agrees_with_libtorch) {
  const ModelFile file = model();
  std::unique_ptr<Potential> reference;
  try {
    reference = potential_of(file);
  } catch (const CapabilityError& error) {
    GTEST_SKIP() << error.what();
  }
  const auto potential = fused(file);

  for (const bool periodic : {true, false}) {
    const std::vector<Structure> structures = samples(periodic);
    ASSERT_GT(structures.size(), 2u);
    const Outputs& outputs = periodic ? k_all : k_without_cell;
    const Prediction a = evaluate(*potential, structures, outputs), b = evaluate(*reference, structures, outputs);
    expect_close(a, b, 12);
    EXPECT_GT(largest(b.forces), 1e-3);
  }
}

TEST_P(FusedMace, float32_follows_float64) {
  const ModelFile file = model();
  const std::vector<Structure> structures = samples(true);

  const Prediction narrow = evaluate(*fused(file, "float32"), structures, k_all);
  const Prediction wide = evaluate(*fused(file), structures, k_all);

  EXPECT_LT(largest(narrow.forces - wide.forces), k_narrow * std::max(1.0, largest(wide.forces)));
  EXPECT_LT(largest(narrow.energies - wide.energies), 12 * k_narrow);
}

std::vector<std::string> dtypes() {
  std::vector<std::string> known{"float32", "float64"};
  if (kernels::has_bfloat16()) known.push_back("bfloat16");
  return known;
}

TEST_P(FusedMace, bfloat16_follows_float64) {
  if (!kernels::has_bfloat16()) {
    EXPECT_THROW(fused(model(), "bfloat16"), CapabilityError);
    GTEST_SKIP() << "this processor, or TAMIZ_ISA, has no products in bfloat16";
  }
  ModelDescription d = GetParam();
  d.repulsion = 0.0;  // of atoms so close as some here, it would hide what the network does, and so would this:
  d.cohesion.clear();
  const ModelFile file = initial_model(d, 7);
  const std::vector<Structure> structures = samples(true);

  const Prediction rounded = evaluate(*fused(file, "bfloat16"), structures, k_all);
  const Prediction wide = evaluate(*fused(file), structures, k_all);

  EXPECT_LT((rounded.forces - wide.forces).norm(), k_rounded * wide.forces.norm());
  EXPECT_GT((rounded.forces - wide.forces).norm(), 1e-5 * wide.forces.norm()) << "nothing was rounded";
}

TEST(Bfloat16, is_the_nearest_and_of_two_the_even) {
  const auto rounded = [](float value) { return std::bit_cast<float>(static_cast<std::uint32_t>(mace::to_bfloat16(value)) << 16); };
  EXPECT_EQ(rounded(1.0f), 1.0f);
  EXPECT_EQ(rounded(1.0f + 1.0f / 256.0f), 1.0f);
  EXPECT_EQ(rounded(1.0f + 3.0f / 256.0f), 1.0f + 1.0f / 64.0f);
  EXPECT_EQ(rounded(-1.0f - 1.1f / 256.0f), -1.0f - 1.0f / 128.0f);
}

TEST_P(FusedMace, forces_and_stress_are_derivatives_of_the_energy) {
  const auto potential = fused(model());

  test_support::expect_derivatives_of_energy(*potential, triclinic(4, 11, true), "triclinic", 1e-6);
}

TEST_P(FusedMace, a_batch_is_its_single_structures_to_the_bit) {
  const ModelFile file = model();
  for (const std::string& dtype : dtypes()) {
    const auto potential = fused(file, dtype), threaded = fused(file, dtype, 2);
    const std::vector<Structure> structures = samples(true);
    const Prediction batch = evaluate(*potential, structures, k_all);

    EXPECT_TRUE(same_bits(batch, evaluate(*threaded, structures, k_all))) << dtype;
    Eigen::Index atom = 0;
    for (std::size_t s = 0; s < structures.size(); ++s) {
      const Prediction one = evaluate(*potential, {&structures[s], 1}, k_all);
      const auto n = static_cast<Eigen::Index>(structures[s].size()), row = static_cast<Eigen::Index>(s);
      EXPECT_EQ(one.energies[0], batch.energies[row]) << dtype << s;
      EXPECT_EQ(one.forces, batch.forces.middleRows(atom, n)) << dtype << s;
      EXPECT_EQ(one.stresses[0], batch.stresses[s]) << dtype << s;
      EXPECT_EQ(one.atom_energies, batch.atom_energies.segment(atom, n)) << dtype << s;
      EXPECT_EQ(one.member_energies.row(0), batch.member_energies.row(row)) << dtype << s;
      EXPECT_EQ(one.descriptors, batch.descriptors.middleRows(atom, n)) << dtype << s;
      EXPECT_TRUE(same_bits(one, evaluate(*threaded, {&structures[s], 1}, k_all))) << dtype << s;
      atom += n;
    }
  }
}

/// Longer than eight times the cutoff along one vector, and nowhere the same.
Structure bar(int axis, bool left_handed = false) {
  std::array<int, 3> copies{1, 1, 1};
  copies[static_cast<std::size_t>(axis)] = 10;
  const Structure whole = triclinic(5, 61, left_handed).supercell(copies);
  Coordinates moved = whole.positions();
  Philox random(3, streams::k_crystals, 0, 0);
  for (Eigen::Index k = 0; k < moved.size(); ++k) moved.data()[k] += 0.3 * random.normal();
  return whole.with_positions(Cartesian{moved});
}

/// Evaluated as if memory were too short for a structure at once.
std::unique_ptr<Potential> in_slabs(const ModelFile& model, const std::string& dtype, int threads = 1) {
  return make_fused_potential(model, {.dtype = dtype, .threads = threads, .memory = 1});
}

TEST_P(FusedMace, slabs_change_no_bit) {
  const ModelFile file = model();
  for (const std::string& dtype : dtypes())
    for (const auto& structures : {std::vector{bar(0)}, std::vector{bar(1, true)}, std::vector{bar(2)}}) {
      const Prediction whole = evaluate(*fused(file, dtype), structures, k_all);

      EXPECT_TRUE(same_bits(whole, evaluate(*in_slabs(file, dtype), structures, k_all))) << dtype;
      EXPECT_TRUE(same_bits(whole, evaluate(*in_slabs(file, dtype, 2), structures, k_all))) << dtype;
    }
}

TEST(FusedMaceModel, slabs_of_what_has_no_cell_and_of_three_layers_change_no_bit) {
  const Structure crystal = bar(2);
  const Structure molecule({}, k_molecule, {crystal.species().begin(), crystal.species().end()},
                           Cartesian{crystal.positions()});
  const Structure wire(crystal.lattice(), {false, false, true}, {crystal.species().begin(), crystal.species().end()},
                       Cartesian{crystal.positions()});
  for (const int layers : {1, 2, 3}) {
    const ModelFile file = initial_model(with(small_description(1), [&](auto& d) { d.n_interactions = layers; }), 5);
    for (const Structure& structure : {molecule, wire}) {
      const Outputs outputs{.atom_energies = true, .members = true};
      const Prediction whole = evaluate(*fused(file, "float32"), {&structure, 1}, outputs);

      EXPECT_TRUE(same_bits(whole, evaluate(*in_slabs(file, "float32"), {&structure, 1}, outputs))) << layers;
    }
  }
}

TEST(Slabs, hold_neighbours_in_those_beside_them) {
  const std::vector<Structure> structures{bar(0), bar(1, true), bar(2)};
  const Batch batch(structures);
  const State state = State::of(structures);
  const NeighborList neighbors = build_neighbors(batch, state, {4.0, 0.0});
  for (std::size_t s = 0; s < structures.size(); ++s) {
    const mace::Slabs slabs = mace::cut_into_slabs(batch, state, s, 4.0, 8);
    ASSERT_GE(slabs.n, 8u);
    const std::size_t begin = batch.offsets()[s];
    for (std::size_t i = begin; i < batch.offsets()[s + 1]; ++i)
      for (std::size_t pair = neighbors.first()[i]; pair < neighbors.first()[i + 1]; ++pair) {
        const auto j = static_cast<std::size_t>(neighbors.neighbors()[pair]);
        const std::size_t apart = (static_cast<std::size_t>(slabs.of[j - begin]) + slabs.n - static_cast<std::size_t>(slabs.of[i - begin])) % slabs.n;
        EXPECT_TRUE(apart <= 1 || apart == slabs.n - 1) << s;
      }
  }
  EXPECT_EQ(mace::cut_into_slabs(batch, state, 0, 4.0, 100).n, 0u);
}

TEST(Slabs, are_not_cut_through_vacuum) {
  // A sheet of 48 by 36 Å, 300 Å from the next; and a lump in a large box, where no cut would save anything.
  Coordinates sheet(108, 3), lump = Coordinates::Random(108, 3);
  for (Eigen::Index k = 0; k < sheet.rows(); ++k) sheet.row(k) << static_cast<double>(k / 9) * 4.0, static_cast<double>(k % 9) * 4.0, 150.0;
  const std::vector<Element> species(108, small_description(0).elements[0]);
  const Mat3 cell = Vec3(48.0, 36.0, 300.0).asDiagonal();
  const std::vector<Structure> structures{Structure(Lattice(cell), k_periodic, species, Cartesian{sheet}),
                                          Structure(Lattice(cell), k_periodic, species, Cartesian{lump})};
  const Batch batch(structures);
  const State state = State::of(structures);

  EXPECT_EQ(mace::cut_into_slabs(batch, state, 0, 4.0, 8).n, 11u);
  EXPECT_EQ(mace::cut_into_slabs(batch, state, 1, 4.0, 8).n, 0u);
}

TEST(Slabs, of_a_sheet_without_a_vector_out_of_its_plane_change_no_bit) {
  // Sheared: neighbours across the second vector are half the length of the first apart along x.
  Mat3 rows = Mat3::Zero();
  rows.row(0) << 60.0, 0.0, 0.0;
  rows.row(1) << 30.0, 5.0, 0.0;
  Coordinates positions(48, 3);
  std::vector<Element> species;
  for (Eigen::Index a = 0; a < 48; ++a) {
    positions.row(a) << 2.5 * static_cast<double>(a / 2) + 0.2 * std::sin(a), 2.5 * static_cast<double>(a % 2) + 0.2 * std::cos(3.0 * a), 0.1 * std::sin(2.0 * a);
    species.push_back(Element(a % 3 == 0 ? 7 : 14));
  }
  const Structure sheet(Lattice(rows), {true, true, false}, species, Cartesian{positions});
  const ModelFile file = initial_model(small_description(1), 5);
  const Outputs outputs{.forces = true, .atom_energies = true};

  EXPECT_TRUE(same_bits(evaluate(*fused(file, "float32"), {&sheet, 1}, outputs), evaluate(*in_slabs(file, "float32"), {&sheet, 1}, outputs)));
}

TEST(FusedMaceModel, a_radial_network_that_no_grid_meets_is_evaluated_itself) {
  // Of functions with a wavelength of 0.002 Å every table is wrong by far.
  ModelDescription d = shape(0, 2, {.nodes = 0}, {}, 0.0);
  d.radial_points = {0.5, 1.0, 1.6, 2.1, 2.6, 3.1, 3.7, 3000.0};
  const ModelFile file = initial_model(d, 3);
  const std::vector<Structure> structures{triclinic(6, 41)};

  const double narrow = evaluate(*fused(file, "float32"), structures, {.forces = false}).energies[0];

  EXPECT_NEAR(narrow, evaluate(*fused(file), structures, {.forces = false}).energies[0], 1e-3);
}

TEST(FusedMaceModel, a_skin_changes_no_bit) {
  const auto potential = fused(initial_model(shape(1, 3), 3), "float32");
  const std::vector<Structure> structures{triclinic(6, 41)};
  const Batch batch(structures);
  const State state = State::of(structures);

  const Prediction tight = potential->evaluate(batch, state, build_neighbors(batch, state, {4.0, 0.0}), k_all);
  const Prediction wide = potential->evaluate(batch, state, build_neighbors(batch, state, {4.0, 1.0}), k_all);

  EXPECT_TRUE(same_bits(tight, wide));
}

TEST(FusedMaceModel, what_else_is_asked_for_changes_no_bit_of_the_energy) {
  const auto potential = fused(initial_model(shape(1, 3), 3), "float32");
  const std::vector<Structure> structures{triclinic(6, 41)};

  const double alone = evaluate(*potential, structures, {.forces = false}).energies[0];

  EXPECT_EQ(alone, evaluate(*potential, structures, k_all).energies[0]);
}

TEST(FusedMaceModel, a_large_structure_gives_the_same_bits_on_any_number_of_threads) {
  const ModelFile file = initial_model(shape(1, 3), 3);
  const std::vector<Structure> structures{triclinic(2, 51), triclinic(5, 52).supercell({3, 3, 3}), triclinic(3, 53)};
  const Prediction one = evaluate(*fused(file, "float32"), structures, k_all);

  for (const int threads : {2, 3, 7})
    EXPECT_TRUE(same_bits(one, evaluate(*fused(file, "float32", threads), structures, k_all))) << threads;
}

TEST(FusedMaceModel, an_isolated_atom_has_its_reference_energy_and_no_force) {
  const ModelDescription d = changed(shape(0, 3), [](ModelDescription& d) { d.cohesion = {-7.0, -1.5, -4.5}; });
  const Structure atom({}, k_molecule, {Element(14)}, Cartesian{Coordinates::Zero(1, 3)});

  const Prediction p = evaluate(*fused(initial_model(d, 3)), {&atom, 1});

  EXPECT_EQ(p.energies[0], -5.0 + d.shift);
  EXPECT_EQ(p.forces, Coordinates::Zero(1, 3));
}

TEST(FusedMaceModel, an_empty_batch_gives_an_empty_prediction) {
  const Prediction p = evaluate(*fused(initial_model(shape(0, 3), 3)), {}, k_all);

  EXPECT_EQ(p.energies.size(), 0);
  EXPECT_EQ(p.forces.rows(), 0);
}

TEST(FusedMaceModel, misuse_is_an_error) {
  const ModelFile file = initial_model(shape(0, 3), 3);
  const auto potential = fused(file);
  const Structure oxygen({}, k_molecule, {Element(8)}, Cartesian{Coordinates::Zero(1, 3)});
  const Structure silicon({}, k_molecule, {Element(14)}, Cartesian{Coordinates::Zero(1, 3)});

  EXPECT_THROW(evaluate(*potential, {&oxygen, 1}), SpeciesError);
  const Structure pair({}, k_molecule, {Element(14), Element(14)}, Cartesian{Coordinates::Zero(2, 3)});
  EXPECT_THROW(evaluate(*potential, {&pair, 1}), NumericsError);  // at one place
  const std::vector<Structure> one{silicon};
  const Batch batch(one);
  const State state = State::of(one);
  EXPECT_THROW(potential->evaluate(batch, state, build_neighbors(batch, state, {1.0, 0.0}), {}), ShapeError);
  EXPECT_THROW(make_fused_potential(file, {.device = "cuda"}), CapabilityError);
}

TEST(FusedMaceModel, without_a_volume_there_is_no_stress_beside_structures_that_have_one) {
  const auto potential = fused(initial_model(shape(0, 3), 3));
  Coordinates positions = Coordinates::Zero(2, 3);
  positions(1, 0) = 2.0;
  const std::vector<Structure> structures{Structure({}, k_molecule, {Element(7), Element(7)}, Cartesian{positions}), triclinic(4, 9)};

  const Prediction p = evaluate(*potential, structures, {.forces = true, .stress = true});
  const auto relaxed = relax(*potential, structures, {.max_steps = 2});

  EXPECT_EQ(p.stresses[0], Mat3::Zero());
  EXPECT_NE(p.stresses[1], Mat3::Zero());
  EXPECT_EQ(relaxed.size(), 2u);
}

/// Run by the next test in processes of their own.
TEST(FusedMaceBits, written_where_asked) {
  const char* target = std::getenv("TAMIZ_TEST_BITS");
  if (target == nullptr) GTEST_SKIP() << "TAMIZ_TEST_BITS names no file";
  std::ofstream out(target, std::ios::binary);
  for (const ModelDescription& d : shapes())
    for (const std::string dtype : {"float32", "float64"}) {
      const std::vector<double> all = numbers(evaluate(*fused(initial_model(d, 5), dtype), samples(true), k_all));
      ASSERT_FALSE(all.empty());
      out.write(reinterpret_cast<const char*>(all.data()), static_cast<std::streamsize>(all.size() * sizeof(double)));
    }
}

TEST(FusedMaceBits, are_the_same_on_avx2_and_avx512) {
  if (!__builtin_cpu_supports("avx512bw") || !__builtin_cpu_supports("avx512dq"))
    GTEST_SKIP() << "this processor has no AVX-512";
  const std::string filter = "FusedMaceBits.written*";

  const std::string two = test_support::bits_under("avx2", filter);

  EXPECT_GT(two.size(), 1000u);
  EXPECT_TRUE(two == test_support::bits_under("avx512", filter));
}

}  // namespace
