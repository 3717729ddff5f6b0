#include <gtest/gtest.h>
#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "../../support/crystals.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/temporary_folder.hpp"
#include "tamiz/screening/campaign/downloads.hpp"
#include "tamiz/screening/oracle/worker_oracle.hpp"

namespace tamiz {
namespace {

const std::string k_level = R"({"name":"coarse","code":"gpaw","xc":"PBE","cutoff":250.0,"smearing":0.1,"energy_tolerance":1e-6,
  "kpoint_density":{"anion":2.5,"covalent":2.0,"metal":3.5,"large":1.5,"molecule":0.0},"pulay":{"Si":-1e-4,"N":-2e-3,"Mg":-1e-5},
  "relax":{"fmax":0.03,"smax_gpa":0.5,"max_steps":20}})";

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

std::string input_of(const std::string& formula, const std::string& level = k_level) {
  std::vector<Element> species;
  const Composition composition = Composition::from_formula(formula);
  for (const auto& [element, count] : composition.counts()) species.insert(species.end(), static_cast<std::size_t>(count), element);
  Coordinates positions = Coordinates::Zero(static_cast<Eigen::Index>(species.size()), 3);
  for (Eigen::Index a = 0; a < positions.rows(); ++a) positions(a, 0) = 2.0 * static_cast<double>(a);
  return gpaw_input(Structure(test_support::cubic(20.0), k_periodic, species, Cartesian{positions}), "c0001", level);
}

/// Runs Python in a folder of its own; true when it ended well.
bool python(const std::filesystem::path& folder, const std::string& arguments) {
  std::filesystem::create_directories(folder);
  const std::string command = "cd '" + folder.string() + "' && '" + TAMIZ_PYTHON + "' " + arguments + " > output.txt 2> errors.txt";
  return std::system(command.c_str()) == 0;
}

double first_number_after(const std::string& text, const std::string& key) {
  return std::stod(text.substr(text.find(key) + key.size()));
}

TEST(GpawInput, has_the_mesh_of_its_composition) {
  EXPECT_TRUE(holds(input_of("Mg3N2"), "density = 2.5 "));
  EXPECT_TRUE(holds(input_of("Mg2Si"), "density = 2.0 "));
  EXPECT_TRUE(holds(input_of("Si2N2"), "density = 2.0 ")) << "SiN has an odd number of electrons";
  EXPECT_TRUE(holds(input_of("Mg"), "density = 3.5 "));
  EXPECT_TRUE(holds(input_of("N2"), "density = 2.0 "));
}

TEST(GpawInput, follows_a_level_that_names_a_mesh) {
  nlohmann::json level = nlohmann::json::parse(k_level);
  level["mesh"] = "large";

  const std::string input = input_of("Mg3N2", level.dump());

  EXPECT_TRUE(holds(input, "density = 1.5 "));
  EXPECT_TRUE(holds(input, "'symmorphic': False"));
}

TEST(GpawInput, follows_the_mesh_of_a_label) {
  const Structure crystal(test_support::cubic(3.0), k_periodic, {Element::from_symbol("Si")}, Cartesian{Coordinates::Zero(1, 3)});

  EXPECT_TRUE(holds(gpaw_input(crystal, "c0001", k_level, "metal"), "density = 3.5 "));
  EXPECT_TRUE(holds(gpaw_input(crystal, "c0001", k_level), "density = 2.0 "));
}

TEST(GpawInput, is_empty_where_the_worker_would_refuse) {
  EXPECT_EQ(input_of("Ca"), "");
  EXPECT_EQ(input_of("Mg", R"({"name":"other","code":"vasp"})"), "");
}

TEST(GpawInput, follows_a_level_with_meshes_by_length_and_made_sets) {
  nlohmann::json level = nlohmann::json::parse(k_level);
  level.erase("kpoint_density");
  level["kpoint_length"] = {{"anion", 25.0}, {"covalent", 38.0}, {"metal", 50.0}, {"intermetallic", 32.0}};
  level["paw"] = {{"Si", {{"electrons", 4}, {"radius", 1.8}}}, {"Mg", 10}, {"Zn", 20}};

  const std::string input = input_of("Mg2Si", level.dump());

  EXPECT_TRUE(holds(input, "density = 5.09")) << "32 Å / 2π";
  EXPECT_TRUE(holds(input, R"(setups = {"Mg":"tamiz10","Si":"tamiz4r1.8"})"));
  EXPECT_TRUE(holds(input, R"(options = {"Mg":["-e","10"],"Si":["-e","4","-r","1.8"]})"));
  EXPECT_TRUE(holds(input_of("Mg3N2", level.dump()), "density = 3.97")) << "25 Å / 2π";
  EXPECT_TRUE(holds(input_of("Si", level.dump()), "density = 6.04")) << "38 Å / 2π";
}

TEST(GpawInput, is_python) {
  const TemporaryFolder folder("tamiz-gpaw-input");
  std::filesystem::create_directories(folder.path());
  std::ofstream(folder.path() / "input.py") << input_of("Mg3N2");

  EXPECT_TRUE(python(folder.path(), "-m py_compile input.py")) << read_file(folder.path() / "errors.txt");
}

/// Runs the script of a crystal and the worker, and compares.
void expect_the_label_of_the_worker(const Structure& crystal, const nlohmann::json& level) {
  const TemporaryFolder folder("tamiz-gpaw-input");
  if (!python(folder.path(), "-c 'import gpaw'")) GTEST_SKIP() << "GPAW is not installed in " << TAMIZ_PYTHON;
  const std::string settings = level.dump();
  std::ofstream(folder.path() / "input.py") << gpaw_input(crystal, "c0001", settings);

  ASSERT_TRUE(python(folder.path(), "input.py")) << read_file(folder.path() / "errors.txt");
  const std::string output = read_file(folder.path() / "output.txt");
  ::setenv("TAMIZ_PYTHON", TAMIZ_PYTHON, 1);
  const auto oracle = make_gpaw_oracle(1, folder.path() / "workers");
  oracle->submit({.id = "x", .structure = crystal, .task = LabelTask::single_point, .level = "coarse", .settings = settings, .timeout = 0.0});
  auto results = oracle->poll(280.0);

  ASSERT_EQ(results.size(), 1u);
  const LabelResult& label = results[0].second;
  ASSERT_EQ(label.status, LabelStatus::finished) << label.reason;
  EXPECT_NEAR(first_number_after(output, "\nfree energy [eV]"), *label.frame->labels.free_energy, 1e-8);
  EXPECT_NEAR(first_number_after("\n" + output, "\nenergy [eV]"), *label.frame->labels.energy, 1e-8);
  EXPECT_NEAR(first_number_after(output, "forces [eV/Å] [["), (*label.frame->labels.forces)(0, 0), 1e-6);
  EXPECT_NEAR(first_number_after(output, "stress [eV/Å³] [["), (*label.frame->labels.stress)(0, 0), 1e-7);
}

const Structure& silicon() {
  static const Structure crystal = test_support::crystal(test_support::face_centred(5.3), {{"Si", {0, 0, 0}}, {"Si", {0.26, 0.24, 0.25}}});
  return crystal;
}

TEST(GpawInput, gives_the_label_of_the_worker) {
  nlohmann::json level = nlohmann::json::parse(k_level);
  level["cutoff"] = 200.0;
  level["kpoint_density"]["covalent"] = 1.0;

  expect_the_label_of_the_worker(silicon(), level);
}

TEST(GpawInput, gives_the_label_of_the_worker_with_made_sets_and_the_same_mesh_by_length) {
  nlohmann::json level = nlohmann::json::parse(k_level);
  level["cutoff"] = 200.0;
  level.erase("kpoint_density");
  level["kpoint_length"] = {{"covalent", 6.2}};  // 2 × 2 × 2 for both: planes are 3.06 Å apart, lattice vectors 3.75 Å long
  level["paw"] = {{"Si", {{"electrons", 4}, {"radius", 1.8}}}};

  expect_the_label_of_the_worker(silicon(), level);
}

TEST(GpawInput, a_mesh_by_length_forgives_as_little_as_the_worker_does) {
  nlohmann::json level = nlohmann::json::parse(k_level);
  level.erase("kpoint_density");
  level["kpoint_length"] = {{"covalent", 18.0}};

  EXPECT_NE(gpaw_input(silicon(), "Si", level.dump(), "").find("math.ceil(0.97 * density * length)"), std::string::npos);
}

}  // namespace
}  // namespace tamiz
