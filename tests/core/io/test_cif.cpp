#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "../../support/crystals.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/cif.hpp"
#include "tamiz/core/structure/symmetry.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

std::vector<std::string> symbols_of(const Structure& structure) {
  std::vector<std::string> symbols;
  for (const Element element : structure.species()) symbols.emplace_back(element.symbol());
  return symbols;
}

/// A cell with sites, by a name, a Hall symbol or operations.
std::string cif_of(const std::string& cell, const std::string& group, const std::string& sites) {
  return "data_x\n" + cell + group + "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n" + sites;
}

std::string cell_of(double a, double b, double c, double alpha, double beta, double gamma) {
  return "_cell_length_a " + std::to_string(a) + "\n_cell_length_b " + std::to_string(b) + "\n_cell_length_c " + std::to_string(c) +
         "\n_cell_angle_alpha " + std::to_string(alpha) + "\n_cell_angle_beta " + std::to_string(beta) + "\n_cell_angle_gamma " + std::to_string(gamma) + "\n";
}

Structure read_cif(const std::string& text) { return parse_cif(text, "memory").at(0).structure; }

}  // namespace

TEST(Cif, is_read_back_as_the_same_crystal) {
  for (const Structure& structure : {wurtzite(), calcium_zinc_nitride(), perovskite(), diamond()}) {
    const std::vector<Frame> frames{{structure, {}, {}, {}}};
    const Structure again = parse_cif(format_cif(frames), "memory").at(0).structure;

    EXPECT_EQ(symbols_of(again), symbols_of(structure));
    EXPECT_LT((again.fractional().values - structure.fractional().values).cwiseAbs().maxCoeff(), 1e-9);
    EXPECT_EQ(space_group(again).number, space_group(structure).number);
  }
}

TEST(Cif, group_is_found_by_name_where_no_operations_are_listed) {
  const std::string head =
      "data_x\n_cell_length_a 5.463(2)\n_cell_length_b 5.463\n_cell_length_c 5.463\n_cell_angle_alpha 90\n_cell_angle_beta 90\n"
      "_cell_angle_gamma 90\n";
  const std::string sites = "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nCa1 0 0 0\nF1 0.25 0.25 0.25\n";
  for (const char* group : {"_symmetry_space_group_name_H-M 'F m -3 m'\n", "_space_group_name_Hall '-F 4 2 3'\n", "_space_group_IT_number 225\n"})
    EXPECT_EQ(parse_cif(head + group + sites, "memory").at(0).structure.size(), 12u) << group;
}

TEST(Cif, the_choice_of_origin_in_a_name_counts) {
  const std::string head =
      "data_x\n_cell_length_a 5.43\n_cell_length_b 5.43\n_cell_length_c 5.43\n_cell_angle_alpha 90\n_cell_angle_beta 90\n"
      "_cell_angle_gamma 90\n_space_group_IT_number 227\n";
  const auto site = [](const char* at) {
    return "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nSi1 " + std::string(at) + "\n";
  };
  const std::string second = site("0.125 0.125 0.125"), first = site("0 0 0");
  for (const char* name : {"'F d -3 m :2'", "'Fd-3m:2'", "'F d -3 m Z'"})
    EXPECT_EQ(parse_cif(head + "_space_group_name_H-M_alt " + name + "\n" + second, "memory").at(0).structure.size(), 8u) << name;
  const std::string old = "data_x\n_cell_length_a 3.3\n_cell_length_b 10.5\n_cell_length_c 4.4\n_cell_angle_alpha 90\n_cell_angle_beta 90\n"
                          "_cell_angle_gamma 90\n_space_group_IT_number 64\n_symmetry_space_group_name_H-M 'C m c a'\n";
  const Structure phosphorus = parse_cif(old + "loop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\nP1 0 0.1 0.08\n", "memory").at(0).structure;
  EXPECT_EQ(phosphorus.size(), 8u);
  EXPECT_EQ(space_group(phosphorus).number, 64);
  for (const char* name : {"'F d -3 m :1'", "'F d -3 m S'", "'F d -3 m'"})
    EXPECT_EQ(parse_cif(head + "_space_group_name_H-M_alt " + name + "\n" + first, "memory").at(0).structure.size(), 8u) << name;
}

TEST(Cif, blanks_in_a_hall_symbol_count) {
  const std::string sites = "Si1 0.11 0.23 0.37\nN1 0.31 0.05 0.71\n";
  const auto read = [&](const char* symbol) {
    return space_group(parse_cif(cif_of(cell_of(5, 5, 6, 90, 90, 90), std::string("_space_group_name_Hall '") + symbol + "'\n", sites), "memory").at(0).structure).number;
  };
  EXPECT_EQ(read("P 4 2"), 89);   // P422, and not P4_2
  EXPECT_EQ(read("P 4c"), 77);    // P4_2
  EXPECT_EQ(read("-P4 2"), 123);  // P4/mmm: one symbol only is this without blanks
}

TEST(Cif, sites_that_the_file_rounds_lie_on_their_special_positions) {
  const auto hexagonal = [](const char* a) {
    return std::string("_cell_length_a ") + a + "\n_cell_length_b " + a + "\n_cell_length_c 5.2\n_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 120\n";
  };
  for (const auto& [a, sites] : {std::pair("3.2", "Ga1 0.33 0.67 0\nN1 0.33 0.67 0.377\n"), std::pair("12.1", "Ga1 0.333 0.667 0\nN1 0.333 0.667 0.377\n")}) {
    const Structure wurtzite = parse_cif(cif_of(hexagonal(a), "_space_group_name_H-M_alt 'P 63 m c'\n", sites), "memory").at(0).structure;
    ASSERT_EQ(wurtzite.size(), 4u);
    EXPECT_EQ(space_group(wurtzite, 1e-6).number, 186);
    EXPECT_NEAR(wurtzite.fractional().values(0, 0), 1.0 / 3.0, 1e-12);
  }
}

TEST(Cif, a_site_that_is_listed_twice_is_one_atom_and_two_elements_on_it_are_refused) {
  const std::string group = "_space_group_name_H-M_alt 'F m -3 m'\n";
  const std::string cubic = "_cell_length_a 3.6\n_cell_length_b 3.6\n_cell_length_c 3.6\n_cell_angle_alpha 90\n_cell_angle_beta 90\n_cell_angle_gamma 90\n";
  EXPECT_EQ(parse_cif(cif_of(cubic, group, "Cu1 0 0 0\nCu2 0.5 0.5 0\n"), "memory").at(0).structure.size(), 4u);
  EXPECT_THROW(parse_cif(cif_of(cubic, group, "Cu1 0 0 0\nAu1 0.5 0.5 0\n"), "memory"), FormatError);
}

TEST(Cif, of_the_settings_of_a_name_the_one_that_fits_the_cell_is_taken) {
  for (const char* group : {"_space_group_name_H-M_alt 'R -3 m'\n", "_space_group_name_H-M_alt 'R -3 m :R'\n", "_symmetry_Int_Tables_number 166\n"}) {
    const Structure bismuth = read_cif(cif_of(cell_of(4.746, 4.746, 4.746, 57.23, 57.23, 57.23), group, "Bi1 0.234 0.234 0.234\n"));
    EXPECT_EQ(bismuth.size(), 2u) << group;
    EXPECT_EQ(space_group(bismuth).number, 166) << group;
  }
  const Structure hexagonal = read_cif(cif_of(cell_of(4.546, 4.546, 11.86, 90, 90, 120), "_space_group_name_H-M_alt 'R -3 m'\n", "Bi1 0 0 0.234\n"));
  EXPECT_EQ(hexagonal.size(), 6u);
  EXPECT_EQ(space_group(hexagonal).number, 166);
  const std::string monoclinic = "_space_group_name_H-M_alt 'P 21/m'\n", sites = "Si1 0.1 0.2 0.3\n";
  for (const auto& cell : {cell_of(5, 6, 7, 90, 105, 90), cell_of(5, 6, 7, 90, 90, 105)}) {
    EXPECT_EQ(read_cif(cif_of(cell, monoclinic, sites)).size(), 4u);
    EXPECT_EQ(space_group(read_cif(cif_of(cell, monoclinic, sites))).number, 11);
  }
}

TEST(Cif, of_two_origins_the_one_with_the_formula_or_with_special_sites_is_taken) {
  const std::string cubic = cell_of(5.43, 5.43, 5.43, 90, 90, 90), group = "_space_group_name_H-M_alt 'F d -3 m'\n";
  EXPECT_EQ(read_cif(cif_of(cubic, group, "Si1 0.125 0.125 0.125\n")).size(), 8u);  // 16, and 1.9 Å apart, with the first origin
  EXPECT_EQ(read_cif(cif_of(cubic, group, "Si1 0 0 0\n")).size(), 8u);
  const std::string anatase = "Ti1 0 0.75 0.125\nO1 0 0.75 0.3333\n", tetragonal = cell_of(3.785, 3.785, 9.514, 90, 90, 90);
  const Structure titania = read_cif(cif_of(tetragonal, "_space_group_name_H-M_alt 'I 41/a m d'\n_chemical_formula_sum 'Ti4 O8'\n", anatase));
  EXPECT_EQ(titania.size(), 12u);
  EXPECT_GT(titania.shortest_distance(), 1.9);
  EXPECT_EQ(read_cif(cif_of(cell_of(3.77, 3.77, 5.52, 90, 90, 90), "_space_group_name_H-M_alt 'P 4/n m m'\n", "Fe1 0.75 0.25 0\nSe1 0.25 0.25 0.267\n")).size(), 4u);
}

TEST(Cif, origins_between_which_nothing_decides_are_asked_for) {
  const std::string cubic = cell_of(9, 9, 9, 90, 90, 90), sites = "Si1 0.11 0.23 0.36\n";
  EXPECT_THROW(read_cif(cif_of(cubic, "_space_group_name_H-M_alt 'P n -3 n'\n", sites)), FormatError);
  EXPECT_EQ(read_cif(cif_of(cubic, "_space_group_name_H-M_alt 'P n -3 n :2'\n", sites)).size(), 48u);
}

TEST(Cif, of_two_origins_the_one_that_keeps_atoms_apart_is_taken) {
  // Spinel MgAl2O4, with the origin on the centre of inversion.
  const std::string sites = "Mg1 0.125 0.125 0.125\nAl1 0.5 0.5 0.5\nO1 0.2624 0.2624 0.2624\n";
  for (const char* group : {"_space_group_name_H-M_alt 'F d -3 m'\n", "_space_group_name_H-M_alt 'F d -3 m :2'\n", "_space_group_IT_number 227\n"}) {
    const Structure spinel = read_cif(cif_of(cell_of(8.08, 8.08, 8.08, 90, 90, 90), group, sites));
    EXPECT_EQ(spinel.size(), 56u) << group;
    EXPECT_EQ(space_group(spinel).number, 227) << group;
    EXPECT_GT(spinel.shortest_distance(), 1.8) << group;
  }
}

TEST(Cif, a_symmetry_that_the_cell_does_not_have_is_refused) {
  const std::string cell = cell_of(5, 5, 6, 90, 90, 90);
  for (const char* group : {"_space_group_name_H-M_alt 'F m -3 m'\n", "_space_group_IT_number 225\n", "_space_group_name_Hall '-F 4 2 3'\n",
                            "loop_\n_space_group_symop_operation_xyz\n'x, y, z'\n'y, z, x'\n"})
    EXPECT_THROW(read_cif(cif_of(cell, group, "Si1 0 0 0\n")), FormatError) << group;
}

TEST(Cif, a_left_handed_cell_does_not_become_its_mirror_image) {
  // Selenium in P3_121, in two cells of opposite hands.
  const Structure right = crystal(hexagonal(4.37, 4.95), {{"Se", {0.225, 0, 1.0 / 3}}, {"Se", {0, 0.225, 2.0 / 3}}, {"Se", {0.775, 0.775, 0}}});
  const Eigen::Matrix3i exchange = (Eigen::Matrix3i() << 0, 1, 0, 1, 0, 0, 0, 0, 1).finished();
  const Structure left = on_other_cell(right, exchange);
  ASSERT_LT(left.lattice().signed_volume(), 0.0);
  for (const Structure& structure : {right, left}) {
    const std::vector<Frame> frames{{structure, {}, {}, {}}};
    EXPECT_EQ(space_group(read_cif(format_cif(frames))).number, space_group(right).number);
  }
}
