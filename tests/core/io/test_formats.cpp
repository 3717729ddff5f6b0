#include <gtest/gtest.h>

#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../../support/crystals.hpp"
#include "../../support/random_cells.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/cif.hpp"
#include "tamiz/core/io/extxyz.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/core/io/poscar.hpp"
#include "tamiz/core/structure/symmetry.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

const std::filesystem::path k_golden = std::filesystem::path(TAMIZ_TEST_DATA) / "core" / "io" / "golden";
constexpr double k_written = 1e-9;    // ASE and Tamiz read the same digits; only their arithmetic differs
constexpr double k_symmetry = 2e-4;   // [Å] coordinates of eight decimals, images of 1/3 and special positions

nlohmann::json expected() { return nlohmann::json::parse(read_file(k_golden / "expected.json")); }

Coordinates rows_of(const nlohmann::json& values) {
  Coordinates rows(static_cast<Eigen::Index>(values.size()), 3);
  for (Eigen::Index a = 0; a < rows.rows(); ++a)
    for (Eigen::Index k = 0; k < 3; ++k) rows(a, k) = values[static_cast<std::size_t>(a)][static_cast<std::size_t>(k)];
  return rows;
}

std::vector<std::string> symbols_of(const Structure& structure) {
  std::vector<std::string> symbols;
  for (const Element element : structure.species()) symbols.emplace_back(element.symbol());
  return symbols;
}

void expect_labels(const Labels& labels, const nlohmann::json& entry, const std::string& what) {
  ASSERT_EQ(labels.energy.has_value(), entry.contains("energy")) << what;
  ASSERT_EQ(labels.free_energy.has_value(), entry.contains("free_energy")) << what;
  ASSERT_EQ(labels.forces.has_value(), entry.contains("forces")) << what;
  ASSERT_EQ(labels.stress.has_value(), entry.contains("stress")) << what;
  if (labels.energy) {
    EXPECT_NEAR(*labels.energy, entry["energy"], k_written) << what;
  }
  if (labels.free_energy) {
    EXPECT_NEAR(*labels.free_energy, entry["free_energy"], k_written) << what;
  }
  if (labels.forces) {
    EXPECT_LT((*labels.forces - rows_of(entry["forces"])).cwiseAbs().maxCoeff(), k_written) << what;
  }
  if (labels.stress) {
    EXPECT_LT((*labels.stress - Mat3(rows_of(entry["stress"]))).cwiseAbs().maxCoeff(), k_written) << what;
  }
}

/// The atom of `structure` nearest to `position` [Å] over all images.
double distance_to(const Structure& structure, const std::string& symbol, const Vec3& position) {
  double nearest = 1e9;
  const Mat3 inverse = structure.lattice().reciprocal().transpose();
  for (std::size_t a = 0; a < structure.size(); ++a) {
    if (structure.species()[a].symbol() != symbol) continue;
    Vec3 delta = ((structure.positions().row(static_cast<Eigen::Index>(a)).transpose() - position).transpose() * inverse).transpose();
    delta = delta.array() - delta.array().round();
    nearest = std::min(nearest, (delta.transpose() * structure.lattice().rows()).norm());
  }
  return nearest;
}

bool has_symmetry(const std::string& file) { return file.find("_symmetry.cif") != std::string::npos; }

void expect_bits(const Structure& a, const Structure& b) { EXPECT_EQ(a.content_hash(), b.content_hash()); }

Frame labelled(const Structure& structure, Philox& random) {
  Frame frame{structure, {}, {}, {}};
  frame.labels.energy = random.normal();
  frame.labels.free_energy = *frame.labels.energy - 0.01 * random.uniform();
  frame.labels.forces = Coordinates(structure.positions().rows(), 3);
  for (Eigen::Index k = 0; k < frame.labels.forces->size(); ++k) frame.labels.forces->data()[k] = random.normal();
  frame.labels.stress = Mat3::Constant(random.normal());
  frame.info = {{"config_type", "two words"}, {"level", "pbe-600"}, {"quote", "a \"b\" \\ c"}, {"empty", ""}, {"list", "[1, 2]"}};
  frame.arrays["descriptor"] = Eigen::MatrixXd::Random(structure.positions().rows(), 4);
  return frame;
}

}  // namespace

TEST(Formats, files_written_by_ase_hold_what_ase_reads) {
  const auto cases = expected();
  ASSERT_GE(cases.size(), 9u);
  for (const auto& [file, entries] : cases.items()) {
    if (has_symmetry(file)) continue;
    const std::vector<Frame> frames = read_frames(k_golden / file);
    ASSERT_EQ(frames.size(), entries.size()) << file;
    for (std::size_t f = 0; f < frames.size(); ++f) {
      const std::string what = file + " frame " + std::to_string(f);
      const Structure& structure = frames[f].structure;
      EXPECT_EQ(symbols_of(structure), entries[f]["symbols"].get<std::vector<std::string>>()) << what;
      EXPECT_EQ(structure.periodicity(), entries[f]["pbc"].get<Periodicity>()) << what;
      EXPECT_LT((structure.positions() - rows_of(entries[f]["positions"])).cwiseAbs().maxCoeff(), k_written) << what;
      EXPECT_LT((structure.lattice().rows() - Mat3(rows_of(entries[f]["cell"]))).cwiseAbs().maxCoeff(), k_written) << what;
      expect_labels(frames[f].labels, entries[f], what);
    }
  }
}

TEST(Formats, asymmetric_units_are_filled_by_their_operations) {
  int n_files = 0;
  const auto cases = expected();
  for (const auto& [file, entries] : cases.items()) {
    if (!has_symmetry(file)) continue;
    ++n_files;
    const Structure structure = read_structure(k_golden / file);
    ASSERT_EQ(structure.size(), entries[0]["symbols"].size()) << file;
    EXPECT_LT((structure.lattice().rows() - Mat3(rows_of(entries[0]["cell"]))).cwiseAbs().maxCoeff(), k_written) << file;
    const Coordinates positions = rows_of(entries[0]["positions"]);
    for (std::size_t a = 0; a < structure.size(); ++a)
      EXPECT_LT(distance_to(structure, entries[0]["symbols"][a], positions.row(static_cast<Eigen::Index>(a))), k_symmetry) << file;
  }
  EXPECT_EQ(n_files, 3);
  EXPECT_EQ(space_group(read_structure(k_golden / "corundum_symmetry.cif")).number, 167);
  EXPECT_EQ(space_group(read_structure(k_golden / "pna21_symmetry.cif")).number, 33);
}

TEST(Formats, other_keys_and_columns_of_ase_are_kept) {
  const Frame frame = read_frames(k_golden / "decorated.extxyz").at(0);

  EXPECT_EQ(frame.info.at("config_type"), "bulk with blanks");
  EXPECT_EQ(frame.info.at("level"), "pbe-600");
  EXPECT_EQ(frame.info.at("count"), "3");
  EXPECT_EQ(frame.arrays.at("tags").col(0), (Eigen::VectorXd(5) << 0, 1, 2, 3, 4).finished());
  EXPECT_EQ(frame.arrays.at("initial_magmoms").col(0), (Eigen::VectorXd(5) << 0.5, -0.5, 0.0, 1.0, 2.0).finished());
  EXPECT_FALSE(frame.arrays.contains("forces"));
}

TEST(Formats, selective_dynamics_says_which_atoms_move) {
  const Frame frame = read_frames(k_golden / "POSCAR_selective").at(0);

  EXPECT_EQ(frame.arrays.at("selective").col(0), (Eigen::VectorXd(4) << 1, 0, 0, 1).finished());
  const std::string head = "Si\n1.0\n5 0 0\n0 5 0\n0 0 5\nSi\n1\nSelective dynamics\nDirect\n0 0 0 ";
  EXPECT_EQ(parse_poscar(head + ".TRUE. t .false.\n", "memory").arrays.at("selective"), (Eigen::MatrixXd(1, 3) << 1, 1, 0).finished());
  EXPECT_THROW(parse_poscar(head + "T 1 F\n", "memory"), FormatError);
}

TEST(ExtXyz, reads_back_to_the_last_bit) {
  Philox random(21, k_stream_of_tests, 0, 0);
  std::vector<Frame> frames;
  for (const NamedStructure& each : sample_cells(std::vector<Element>{Element(20), Element(7)}, 2.3, 9)) frames.push_back(labelled(each.structure, random));

  const std::vector<Frame> again = parse_extxyz(format_extxyz(frames), "memory");

  ASSERT_EQ(again.size(), frames.size());
  for (std::size_t f = 0; f < frames.size(); ++f) {
    expect_bits(again[f].structure, frames[f].structure);
    EXPECT_EQ(again[f].labels.energy, frames[f].labels.energy);
    EXPECT_EQ(again[f].labels.free_energy, frames[f].labels.free_energy);
    EXPECT_EQ(*again[f].labels.forces, *frames[f].labels.forces);
    EXPECT_EQ(*again[f].labels.stress, *frames[f].labels.stress);
    EXPECT_EQ(again[f].info, frames[f].info);
    EXPECT_EQ(again[f].arrays.at("descriptor"), frames[f].arrays.at("descriptor"));
  }
}

TEST(ExtXyz, names_of_labels_in_other_data_sets_are_understood) {
  const std::string text =
      "1\nLattice=\"2 0 0 0 2 0 0 0 2\" Properties=species:S:1:pos:R:3:REF_forces:R:3 REF_energy=-1.5 virial=\"8 0 0 0 8 0 0 0 16\"\n"
      "Si 0 0 0 0.1 0.2 0.3\n";

  const Labels labels = parse_extxyz(text, "memory").at(0).labels;

  EXPECT_EQ(labels.energy, -1.5);
  EXPECT_EQ((*labels.forces)(0, 2), 0.3);
  EXPECT_EQ((*labels.stress)(0, 0), -1.0);  // −virial/V
  EXPECT_EQ((*labels.stress)(2, 2), -2.0);
}

constexpr const char* k_two_energies =
    "1\nProperties=species:S:1:pos:R:3:forces:R:3:mine:R:3 energy=-1.0 REF_energy=-2.0 e_tot=-3.0\nSi 0 0 0 0 0 1 0 0 2\n";

TEST(ExtXyz, two_names_of_one_label_with_different_values_are_refused) {
  try {
    parse_extxyz(k_two_energies, "two.xyz");
    FAIL() << "expected a FormatError";
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("two.xyz:2"), std::string::npos) << error.what();
    EXPECT_NE(std::string(error.what()).find("--energy-key"), std::string::npos) << error.what();
  }
}

TEST(ExtXyz, the_keys_of_labels_can_be_chosen) {
  const std::vector<Frame> frames = parse_extxyz(k_two_energies, "two.xyz", {.energy = "e_tot", .forces = "mine", .stress = ""});

  EXPECT_EQ(frames.at(0).labels.energy, -3.0);
  EXPECT_EQ((*frames.at(0).labels.forces)(0, 2), 2.0);
  EXPECT_EQ(frames.at(0).info.at("REF_energy"), "-2.0");
}

TEST(ExtXyz, what_was_not_chosen_as_a_label_is_written_beside_them_under_another_name) {
  const std::vector<Frame> frames = parse_extxyz(k_two_energies, "two.xyz", {.energy = "e_tot", .forces = "mine", .stress = ""});

  const Frame again = parse_extxyz(format_extxyz(frames), "memory").at(0);

  EXPECT_EQ(again.labels.energy, -3.0);
  EXPECT_EQ(*again.labels.forces, *frames.at(0).labels.forces);
  EXPECT_EQ(again.info.at("file_energy"), "-1.0");
  EXPECT_EQ(again.info.at("file_REF_energy"), "-2.0");
  EXPECT_EQ(again.arrays.at("file_forces")(0, 2), 1.0);
}

TEST(ExtXyz, texts_with_blanks_of_any_kind_stay_in_their_frame) {
  Frame frame{diamond(), {}, {{"note", "two\nlines"}, {"a\tb", "x"}}, {}};
  frame.arrays["magnetic moments"] = Eigen::MatrixXd::Constant(2, 1, 0.5);

  const Frame again = parse_extxyz(format_extxyz(std::span(&frame, 1)), "memory").at(0);

  EXPECT_EQ(again.info.at("note"), "two lines");
  EXPECT_EQ(again.info.at("a\tb"), "x");
  EXPECT_EQ(again.arrays.at("magnetic_moments")(1, 0), 0.5);
}

TEST(ExtXyz, what_no_reader_takes_is_not_written) {
  Frame unfinished{diamond(), {}, {}, {}};
  unfinished.arrays["charge"] = Eigen::MatrixXd::Constant(2, 1, std::nan(""));
  const Frame empty{Structure(Lattice(), k_molecule, {}, Cartesian{Coordinates(0, 3)}), {}, {}, {}};

  EXPECT_THROW(format_extxyz(std::span(&unfinished, 1)), FormatError);
  EXPECT_THROW(format_extxyz(std::span(&empty, 1)), FormatError);
  Frame nameless{diamond(), {}, {{"", "x"}}, {}};
  EXPECT_THROW(format_extxyz(std::span(&nameless, 1)), FormatError);
  for (int label = 0; label < 3; ++label) {
    Frame frame{diamond(), {}, {}, {}};
    if (label == 0) frame.labels.energy = std::nan("");
    if (label == 1) frame.labels.free_energy = HUGE_VAL;
    if (label == 2) frame.labels.stress = Mat3::Constant(std::nan(""));
    EXPECT_THROW(format_extxyz(std::span(&frame, 1)), FormatError) << label;
  }
}

TEST(ExtXyz, columns_have_one_row_for_each_atom) {
  Frame frame{diamond(), {}, {}, {}};
  frame.arrays["charge"] = Eigen::MatrixXd::Ones(3, 1);
  EXPECT_THROW(format_extxyz(std::span(&frame, 1)), ShapeError);
  frame.arrays.clear();
  frame.labels.forces = Coordinates::Zero(1, 3);
  EXPECT_THROW(format_extxyz(std::span(&frame, 1)), ShapeError);
}

TEST(ExtXyz, atomic_numbers_may_stand_beside_the_symbols) {
  const Frame frame = parse_extxyz("2\nProperties=species:S:1:pos:R:3:Z:I:1\nO 0 0 0 8\nH 0 0 0.96 1\n", "memory").at(0);

  EXPECT_EQ(frame.structure.size(), 2u);
  EXPECT_TRUE(frame.arrays.empty());
}

TEST(ExtXyz, six_numbers_are_no_cell) {
  EXPECT_THROW(parse_extxyz("1\nLattice=\"5 5 5 90 90 90\" Properties=species:S:1:pos:R:3\nSi 0 0 0\n", "memory"), FormatError);
}

TEST(ExtXyz, a_stress_and_a_virial_of_one_frame_must_agree) {
  const auto read = [](const std::string& labels) {
    return parse_extxyz("1\nLattice=\"2 0 0 0 2 0 0 0 2\" Properties=species:S:1:pos:R:3 " + labels + "\nSi 0 0 0\n", "memory");
  };
  const std::string virial = " virial=\"-0.8 0 0 0 0 0 0 0 0\"";

  EXPECT_EQ((*read(virial).at(0).labels.stress)(0, 0), 0.1);
  EXPECT_EQ((*read("REF_virials=\"-0.8 0 0 0 0 0 0 0 0\"").at(0).labels.stress)(0, 0), 0.1) << "as mace-torch writes it";
  EXPECT_EQ((*read("stress=\"0.1 0 0 0 0 0 0 0 0\"" + virial).at(0).labels.stress)(0, 0), 0.1);
  EXPECT_THROW(read("stress=\"-0.1 0 0 0 0 0 0 0 0\"" + virial), FormatError);
  EXPECT_THROW(read("REF_virial=\"0.8 0 0 0 0 0 0 0 0\"" + virial), FormatError);
}

TEST(ExtXyz, sheets_and_wires_without_vectors_along_open_directions_keep_their_cell) {
  for (const Periodicity& periodicity : {Periodicity{true, true, false}, Periodicity{false, true, false}}) {
    Mat3 rows = Mat3::Zero();
    for (int k = 0; k < 3; ++k)
      if (periodicity[static_cast<std::size_t>(k)]) rows.row(k) << 0.1 * k, 2.5 + k, -0.3 * k * k + (k == 0 ? 1.0 : 0.0);
    const Structure open(Lattice(rows), periodicity, {Element(6)}, Cartesian{Coordinates::Zero(1, 3)});

    expect_bits(parse_extxyz(format_extxyz(std::vector<Frame>{{open, {}, {}, {}}}), "memory").at(0).structure, open);
  }
}

TEST(ExtXyz, plain_xyz_is_a_molecule) {
  const Frame frame = parse_extxyz("2\nwater without a hydrogen\nO 0 0 0\nH 0 0 0.96\n", "memory").at(0);

  EXPECT_EQ(frame.structure.periodicity(), k_molecule);
  EXPECT_EQ(frame.structure.size(), 2u);
}

TEST(ExtXyz, blanks_may_stand_around_equals_signs) {
  const Frame frame = parse_extxyz("1\n i =        0, time =   0.000, E =   -17.16, energy = -5.0\nO 0 0 0\n", "memory").at(0);

  EXPECT_EQ(frame.labels.energy, -5.0);
  EXPECT_EQ(frame.info.at("E"), "-17.16,");
  EXPECT_EQ(frame.info.at("i"), "0,");
}

TEST(ExtXyz, without_properties_the_second_line_may_be_a_remark) {
  EXPECT_EQ(parse_extxyz("1\nlowest energy conformer\nO 0 0 0\n", "memory").at(0).info.at("comment"), "lowest energy conformer");
  EXPECT_EQ(parse_extxyz("1\n'tis = a \"remark\nO 0 0 0\n", "memory").at(0).info.at("comment"), "'tis = a \"remark");
  EXPECT_THROW(parse_extxyz("1\nProperties=species:S:1:pos:R:3 name=\"open\nO 0 0 0\n", "memory"), FormatError);
}

TEST(ExtXyz, lines_may_end_as_on_windows) {
  const Frame frame = parse_extxyz("1\r\nLattice=\"2 0 0 0 2 0 0 0 2\" energy=1.0\r\nSi 0 0 0.5\r\n", "memory").at(0);

  EXPECT_EQ(frame.labels.energy, 1.0);
  EXPECT_EQ(frame.structure.positions()(0, 2), 0.5);
}

TEST(ExtXyz, no_two_arrays_become_one_column) {
  Frame frame{diamond(), {}, {}, {}};
  frame.arrays["a b"] = Eigen::MatrixXd::Constant(2, 1, 1.0);
  frame.arrays["a_b"] = Eigen::MatrixXd::Constant(2, 1, 2.0);

  const Frame again = parse_extxyz(format_extxyz(std::span(&frame, 1)), "memory").at(0);

  ASSERT_EQ(again.arrays.size(), 2u);
  EXPECT_EQ(again.arrays.begin()->second(0, 0) + std::next(again.arrays.begin())->second(0, 0), 3.0);
}

TEST(Formats, a_known_extension_says_more_than_how_a_name_begins) {
  EXPECT_EQ(format_for("POSCAR_relaxed").name, "poscar");
  EXPECT_EQ(format_for("POSCAR").name, "poscar");
  EXPECT_EQ(format_for("POSCAR_relaxed.cif").name, "cif");
}

TEST(Poscar, reads_back_grouped_by_element) {
  const Structure structure = reordered(calcium_zinc_nitride(), {3, 1, 0, 4, 2});

  const Structure again = parse_poscar(format_poscar({structure, {}, {}, {}}), "memory").structure;

  EXPECT_EQ(symbols_of(again), (std::vector<std::string>{"N", "N", "Zn", "Zn", "Ca"}));
  EXPECT_EQ(again.lattice(), structure.lattice());
  EXPECT_EQ(again.positions().row(0), structure.positions().row(0));
}

TEST(Poscar, is_written_right_handed_with_the_flags_of_its_atoms) {
  const Mat3 rows = (Mat3() << 0, 4, 0, 4, 0, 0, 0, 0, 5).finished();
  Coordinates positions(2, 3);
  positions << 0, 0, 0, 1, 2, 3;
  Frame frame{Structure(Lattice(rows), k_periodic, {Element(14), Element(7)}, Cartesian{positions}), {}, {}, {}};
  frame.arrays["selective"] = (Eigen::MatrixXd(2, 3) << 1, 1, 0, 0, 0, 0).finished();

  const Frame again = parse_poscar(format_poscar(frame), "memory");

  EXPECT_GT(again.structure.lattice().signed_volume(), 0.0);
  EXPECT_EQ(again.structure.positions(), positions);
  EXPECT_TRUE(again.structure.lattice().rows() == -rows);
  EXPECT_EQ(again.arrays.at("selective"), frame.arrays.at("selective"));
}

TEST(Poscar, negative_scale_is_the_volume) {
  const Frame frame = parse_poscar("x\n-40\n1 0 0\n0 1 0\n0 0 1\nSi\n1\nDirect\n0 0 0\n", "memory");

  EXPECT_NEAR(frame.structure.lattice().volume(), 40.0, 1e-9);
}

TEST(Registry, formats_are_found_by_name_and_extension) {
  EXPECT_EQ(format_for("a/b.xyz").name, "extxyz");
  EXPECT_EQ(format_for("POSCAR").name, "poscar");
  EXPECT_EQ(format_for("CONTCAR_relaxed").name, "poscar");
  EXPECT_EQ(format_for("a.unknown", "cif").name, "cif");
}

TEST(Registry, unknown_formats_name_the_nearest) {
  EXPECT_THROW(format_for("a.unknown"), CapabilityError);
  try {
    format_for("a", "extxy");
    FAIL();
  } catch (const CapabilityError& error) {
    EXPECT_NE(std::string(error.what()).find("did you mean extxyz"), std::string::npos) << error.what();
  }
}

TEST(Registry, what_a_format_cannot_hold_is_refused) {
  const auto path = std::filesystem::temp_directory_path() / ("tamiz-formats-" + std::to_string(getpid()) + ".vasp");
  const std::vector<Frame> two{{wurtzite(), {}, {}, {}}, {diamond(), {}, {}, {}}};
  const Structure molecule(Lattice(), k_molecule, {Element(2)}, Cartesian{Coordinates::Zero(1, 3)});

  EXPECT_THROW(write_frames(path, two), CapabilityError);
  EXPECT_THROW(format_poscar({molecule, {}, {}, {}}), CapabilityError);
  EXPECT_THROW(format_cif(std::vector<Frame>{{molecule, {}, {}, {}}}), CapabilityError);
  EXPECT_FALSE(std::filesystem::exists(path));
  EXPECT_THROW(read_structure(k_golden / "geometry.xyz"), FormatError);
  EXPECT_THROW(read_frames(k_golden / "missing.xyz"), FileError);
}
