#include <gtest/gtest.h>

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <set>

#include "../../support/crystals.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/toml.hpp"
#include "tamiz/core/structure/identity.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/propose/contacts.hpp"
#include "tamiz/screening/propose/prototypes.hpp"
#include "tamiz/screening/propose/radii.hpp"

namespace tamiz {
namespace {

/// Distinct elements for the labels of a prototype: an anion on X, cations elsewhere.
std::map<std::string, Element> typical_elements(const Prototype& prototype) {
  std::map<std::string, Element> elements;
  const std::vector<std::string> cations{"Mg", "Ca", "Zn"};
  std::size_t next = 0;
  for (const auto& [label, count] : prototype.counts) {
    elements.emplace(label, Element::from_symbol(label == "X" ? "N" : cations.at(next)));
    if (label != "X") ++next;
  }
  return elements;
}

OxidationStates typical_states(const std::map<std::string, Element>& elements) {
  OxidationStates states;
  for (const auto& [label, element] : elements) {
    states[element] = elements.size() == 1 ? 0 : element.symbol() == "N" ? -3 : 2;
  }
  return states;
}

Structure typical_crystal(const Prototype& prototype) {
  const auto elements = typical_elements(prototype);
  return scaled_to_radii(decorate(prototype, elements, 5.0), typical_states(elements)).value();
}

TEST(Prototypes, hold_at_least_the_structure_types_of_semiconductors) {
  const std::vector<std::string> wanted{
      "diamond",       "zincblende",  "wurtzite",   "rocksalt",       "CsCl",         "fluorite",     "antifluorite",
      "CdI2",          "half-Heusler", "perovskite", "antiperovskite", "chalcopyrite", "beta-NaFeO2",  "Pmc2_1",
      "CuAu-like",     "alpha-NaFeO2", "gamma-LiFeO2", "delafossite",  "CaAl2Si2",     "ThCr2Si2",     "corundum"};

  for (const std::string& name : wanted) EXPECT_NO_THROW(find_prototype(name)) << name;

  EXPECT_GE(prototypes().size(), wanted.size());
}

/// Every way to put the elements of `crystal` on the labels of another prototype that keeps the formula.
std::vector<std::map<std::string, Element>> decorations_with(const Prototype& prototype, const Composition& formula) {
  std::vector<Element> elements;
  for (const auto& [element, count] : formula.counts()) elements.push_back(element);
  std::vector<std::map<std::string, Element>> fitting;
  do {
    std::map<std::string, Element> decoration;
    std::map<Element, int> counts;
    std::size_t next = 0;
    for (const auto& [label, count] : prototype.counts) {
      decoration.emplace(label, elements[next]);
      counts[elements[next++]] = count;
    }
    if (Composition(counts) == formula) fitting.push_back(decoration);
  } while (std::next_permutation(elements.begin(), elements.end()));
  return fitting;
}

/// Structure types that are one and the same with the sites of cations and anions exchanged: their charges tell them
/// apart. (anti-CdCl2 and anti-La2O3 have other proportions than the types they are named after.)
const std::set<std::set<std::string>> k_inverse_types{{"CdI2", "anti-CdI2"}, {"fluorite", "antifluorite"}, {"perovskite", "antiperovskite"}};

TEST(Prototypes, differ_from_each_other_however_they_are_decorated) {
  std::set<std::set<std::string>> equal;
  int compared = 0;
  for (std::size_t a = 0; a < prototypes().size(); ++a) {
    const StructureIdentity first(typical_crystal(prototypes()[a]));
    for (std::size_t b = 0; b < a; ++b) {
      const Prototype& other = prototypes()[b];
      if (other.counts.size() != prototypes()[a].counts.size()) continue;
      for (const auto& decoration : decorations_with(other, first.reduced_composition())) {
        ++compared;
        if (first.same_as(StructureIdentity(decorate(other, decoration, 5.0)))) equal.insert({other.name, prototypes()[a].name});
      }
    }
  }

  EXPECT_GT(compared, 100);
  EXPECT_EQ(equal, k_inverse_types);
}

TEST(Prototypes, equal_their_copies_in_other_cells_with_the_noise_of_a_relaxation) {
  Philox random(5, 1, 0, 0);
  const Eigen::Matrix3i skew = (Eigen::Matrix3i() << 1, 1, 0, 0, 1, -1, 0, 0, 1).finished();
  for (const Prototype& prototype : prototypes()) {
    SCOPED_TRACE(prototype.name);
    const Structure crystal = typical_crystal(prototype);
    Mat3 strain;
    for (double& entry : strain.reshaped()) entry = 0.005 * (2.0 * random.uniform() - 1.0);
    const Structure super = test_support::on_other_cell(crystal.supercell({1, 2, 1}), skew).strained(strain + strain.transpose());

    const Structure copy = test_support::turned(test_support::shifted(test_support::rattled(super, 0.02, random), Vec3(1.0, -2.0, 0.5)),
                                                test_support::random_rotation(random));

    EXPECT_TRUE(StructureIdentity(crystal).same_as(StructureIdentity(copy)));
    EXPECT_TRUE(StructureIdentity(primitive_cell(crystal).with_lattice_scaled(1.1)).same_as(StructureIdentity(copy)));
  }
}

TEST(Prototypes, have_the_space_group_and_the_atoms_that_their_file_says) {
  for (const Prototype& prototype : prototypes()) {
    SCOPED_TRACE(prototype.name);
    const Structure crystal = typical_crystal(prototype);

    const SpaceGroup found = space_group(crystal, 1e-3);
    const Structure primitive = primitive_cell(crystal, 1e-3);

    EXPECT_EQ(found.number, prototype.space_group);
    EXPECT_EQ(found.symbol, prototype.symbol);
    EXPECT_EQ(static_cast<int>(primitive.size()), prototype.n_atoms);
  }
}

TEST(Prototypes, have_the_formula_that_their_file_says) {
  for (const Prototype& prototype : prototypes()) {
    SCOPED_TRACE(prototype.name);
    const auto elements = typical_elements(prototype);
    std::map<Element, int> counts;
    for (const auto& [label, count] : prototype.counts) counts[elements.at(label)] = count;

    const Composition found = typical_crystal(prototype).composition().reduced();

    EXPECT_EQ(found, Composition(counts).reduced());
  }
}

TEST(Prototypes, have_unique_names_and_aliases) {
  std::set<std::string> names;
  std::size_t n = 0;

  for (const Prototype& prototype : prototypes()) {
    names.insert(prototype.name);
    names.insert(prototype.aliases.begin(), prototype.aliases.end());
    n += 1 + prototype.aliases.size();
  }

  EXPECT_EQ(names.size(), n);
}

TEST(Prototypes, unknown_name_suggests_the_nearest) {
  try {
    find_prototype("wurtzit");
    FAIL() << "an unknown prototype was found";
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("'wurtzite'"), std::string::npos) << error.what();
  }
}

TEST(Prototypes, malformed_file_is_reported_with_its_line) {
  const auto path = std::filesystem::temp_directory_path() / "tamiz_bad_prototypes.toml";
  std::ofstream(path) << "version = 1\n[[prototype]]\nname = \"x\"\nformula = \"AX\"\nspace_group = 225\nsymbol = "
                         "\"Fm-3m\"\nhall_number = 523\npearson = \"cF8\"\natoms = 2\nlattice = [1, 1, 1]\nsites = [{ "
                         "label = \"A\", at = \"0 0 0\" }]\nsource = \"s\"\n";

  try {
    read_prototypes(path);
    FAIL() << "a lattice of three numbers was accepted";
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("tamiz_bad_prototypes.toml:10"), std::string::npos) << error.what();
  }
  std::filesystem::remove(path);
}

TEST(Radii, give_the_measured_volumes_of_known_nitrides_within_a_tenth) {
  struct Case {
    const char* prototype;
    std::map<std::string, Element> elements;
    OxidationStates states;
    double measured;  // [Å³ per atom]
  };
  const Element ca = Element::from_symbol("Ca");
  const Element mg = Element::from_symbol("Mg");
  const Element si = Element::from_symbol("Si");
  const Element n = Element::from_symbol("N");
  const std::vector<Case> cases{
      {"beta-NaFeO2", {{"A", mg}, {"B", si}, {"X", n}}, {{mg, 2}, {si, 4}, {n, -3}}, 169.9 / 16},
      {"CaAl2Si2", {{"A", ca}, {"B", mg}, {"X", n}}, {{ca, 2}, {mg, 2}, {n, -3}}, 66.1 / 5},
      {"anti-bixbyite", {{"A", mg}, {"X", n}}, {{mg, 2}, {n, -3}}, 985.9 / 80}};

  for (const Case& c : cases) {
    SCOPED_TRACE(c.prototype);
    const Structure guess = scaled_to_radii(decorate(find_prototype(c.prototype), c.elements, 5.0), c.states).value();

    const double volume = guess.lattice().volume() / static_cast<double>(guess.size());

    EXPECT_NEAR(volume / c.measured, 1.0, 0.1);
  }
}

TEST(Radii, take_the_nearest_coordination_of_the_table) {
  const Element mg = Element::from_symbol("Mg");

  EXPECT_DOUBLE_EQ(shannon_radius({mg, 2, 4}).value(), 0.57);
  EXPECT_DOUBLE_EQ(shannon_radius({mg, 2, 6}).value(), 0.72);
  EXPECT_DOUBLE_EQ(shannon_radius({mg, 2, 12}).value(), 0.89);
  EXPECT_FALSE(shannon_radius({mg, 3, 6}).has_value());
}

/// Structures of the list of known phases that come with coordinates.
TEST(KnownPhases, starting_structures_have_the_symmetry_that_is_reported) {
  const TomlTable root = TomlTable::read(data_directory() / "known" / "known_phases.toml");
  int checked = 0;

  for (const TomlTable& phase : root.tables("phase")) {
    SCOPED_TRACE(phase.text("id", ""));
    phase.allow_only({"id", "formula", "name", "role", "reason", "space_group", "symbol", "structure_type",
                      "hall_number", "lattice", "atoms", "sites", "source", "source_checked"});
    const std::string role = phase.text("role", "");
    EXPECT_TRUE(role == "competitor" || role == "excluded");
    EXPECT_EQ(phase.has("reason"), role == "excluded");
    EXPECT_FALSE(phase.text("source", "").empty());
    if (!phase.has("lattice") || !phase.has("space_group")) continue;
    const std::vector<double> l = phase.numbers("lattice", {});
    std::vector<Element> species;
    std::vector<Vec3> points;
    for (const PrototypeSite& site : sites_from_toml(phase, "element")) {
      for (const Vec3& image : orbit_of(site.at, static_cast<int>(phase.integer("hall_number", 1)))) {
        species.push_back(Element::from_symbol(site.label));
        points.push_back(image);
      }
    }
    Coordinates fractional(static_cast<Eigen::Index>(points.size()), 3);
    for (std::size_t k = 0; k < points.size(); ++k) fractional.row(static_cast<Eigen::Index>(k)) = points[k].transpose();
    const Structure structure(Lattice::from_parameters(l[0], l[1], l[2], l[3], l[4], l[5]), k_periodic, species,
                              Fractional{fractional});

    EXPECT_EQ(space_group(structure, 1e-3).number, phase.integer("space_group", 0));
    EXPECT_EQ(static_cast<std::int64_t>(primitive_cell(structure, 1e-3).size()), phase.integer("atoms", 0));
    EXPECT_EQ(structure.composition().reduced(), Composition::from_formula(phase.text("formula", "")).reduced());
    EXPECT_GT(structure.shortest_distance(), 1.5);  // that of P and N
    ++checked;
  }

  EXPECT_GE(checked, 100);
}

}  // namespace
}  // namespace tamiz
