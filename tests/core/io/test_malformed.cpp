#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/cif.hpp"
#include "tamiz/core/io/extxyz.hpp"
#include "tamiz/core/io/poscar.hpp"

using namespace tamiz;

namespace {

struct Malformed {
  const char* what;
  std::string text;
  std::string place;    ///< how the message begins
  std::string excerpt;  ///< what it must say
};

template <typename Parse>
std::string message_of(const Parse& parse, const std::string& text) {
  try {
    parse(text, std::string("f"));
  } catch (const FormatError& error) {
    return error.what();
  } catch (const SpeciesError& error) {
    return error.what();
  }
  return "nothing was thrown";
}

template <typename Parse>
void expect_messages(const Parse& parse, const std::vector<Malformed>& cases) {
  for (const Malformed& each : cases) {
    const std::string message = message_of(parse, each.text);
    EXPECT_TRUE(message.starts_with(each.place)) << each.what << ": " << message;
    EXPECT_NE(message.find(each.excerpt), std::string::npos) << each.what << ": " << message;
  }
}

const std::string k_cubic = "Lattice=\"2 0 0 0 2 0 0 0 2\"";

std::string poscar(const std::string& scale, const std::string& first, const std::string& symbols, const std::string& counts,
                   const std::string& mode, const std::string& atom) {
  return "title\n" + scale + "\n" + first + "\n0 3 0\n0 0 3\n" + symbols + "\n" + counts + "\n" + mode + "\n" + atom + "\n";
}

/// A CIF of one silicon atom with some text in front of the cell and in the loop of sites.
std::string cif(const std::string& extra, const std::string& site, const std::string& length = "3.0") {
  return "data_x\n" + extra + "_cell_length_a " + length + "\n_cell_length_b 3\n_cell_length_c 3\n_cell_angle_alpha 90\n_cell_angle_beta 90\n" +
         "_cell_angle_gamma 90\nloop_\n_atom_site_label\n_atom_site_fract_x\n_atom_site_fract_y\n_atom_site_fract_z\n_atom_site_occupancy\n" + site + "\n";
}

}  // namespace

TEST(MalformedExtXyz, says_line_and_reason) {
  expect_messages([](const std::string& text, const std::string& name) { return parse_extxyz(text, name); }, {
      {"count", "x\n\nSi 0 0 0\n", "f:1:", "expected a whole number, got 'x'"},
      {"no atoms", "0\n\n", "f:1:", "positive number of atoms"},
      {"huge count", "999999999999\n\nSi 0 0 0\n", "f:1:", "too short"},
      {"no comment", "1\n", "f:1:", "too short"},
      {"missing atom", "2\n" + k_cubic + "\nSi 0 0 0         \n", "f:3:", "ends after 1 of 2 atoms"},
      {"missing column", "1\n" + k_cubic + "\nSi 0 0         \n", "f:3:", "expected 4 columns, got 3"},
      {"bad number", "1\n" + k_cubic + "\nSi 0 0 0.x\n", "f:3:", "got '0.x'"},
      {"nan", "1\n" + k_cubic + "\nSi 0 0 nan\n", "f:3:", "finite"},
      {"element", "1\n" + k_cubic + "\nSj 0 0 0\n", "f:3:", "did you mean"},
      {"second frame", "1\n\nSi 0 0 0\n1\n\nXx 0 0 0\n", "f:6:", "unknown element 'Xx'"},
      {"cell", "1\nLattice=\"2 0 0 0 2 0 0 0\"\nSi 0 0 0\n", "f:2:", "nine numbers"},
      {"flat cell", "1\nLattice=\"2 0 0 2 0 0 0 0 2\"\nSi 0 0 0\n", "f:3:", "volume"},
      {"quote", "1\nLattice=\"2 0 0\nSi 0 0 0\n", "f:2:", "quote is not closed"},
      {"bracket", "1\n" + k_cubic + " a=[1, 2\nSi 0 0 0\n", "f:2:", "bracket is not closed"},
      {"pbc", "1\n" + k_cubic + " pbc=\"T F\"\nSi 0 0 0\n", "f:2:", "three flags"},
      {"flag", "1\n" + k_cubic + " pbc=\"T F Q\"\nSi 0 0 0\n", "f:2:", "expected T or F, got 'Q'"},
      {"energy", "1\n" + k_cubic + " energy=low\nSi 0 0 0\n", "f:2:", "energy: expected a number, got 'low'"},
      {"properties", "1\nProperties=species:S:1:pos:R\nSi 0 0 0\n", "f:2:", "triples"},
      {"no positions", "1\nProperties=species:S:1\nSi\n       \n", "f:2:", "lacks"},
  });
}

TEST(MalformedExtXyz, columns_that_cannot_be_are_refused) {
  expect_messages([](const std::string& text, const std::string& name) { return parse_extxyz(text, name); }, {
      {"positions twice", "1\nProperties=species:S:1:pos:R:3:pos:R:1\nSi 0 0 0 0\n", "f:2:", "names pos twice"},
      {"positions as text", "1\nProperties=species:S:1:pos:S:3\nSi 0 0 0 0\n", "f:2:", "lacks"},
      {"columns beyond the file", "2\nProperties=species:S:1:pos:R:3:x:R:1000\nSi 0 0 0\nSi 0 0 1\n", "f:2:", "too short for 2 atoms of 1004 columns"},
      {"atomic number that would wrap", "1\nProperties=Z:I:1:pos:R:3\n4294967310 0 0 0\n", "f:3:", "atomic number"},
      {"atomic number", "1\nProperties=Z:I:1:pos:R:3\n1x 0 0 0\n", "f:3:", "atomic number"},
  });
}

TEST(MalformedPoscar, says_line_and_reason) {
  expect_messages(parse_poscar, {
      {"empty", "", "f:0:", "ends too early"},
      {"scale", poscar("x", "3 0 0", "Si", "1", "Direct", "0 0 0"), "f:2:", "scaling factor"},
      {"zero scale", poscar("0", "3 0 0", "Si", "1", "Direct", "0 0 0"), "f:2:", "zero"},
      {"vector", poscar("1", "3 0", "Si", "1", "Direct", "0 0 0"), "f:3:", "three numbers"},
      {"flat cell", poscar("1", "0 0 3", "Si", "1", "Direct", "0 0 0"), "f:5:", "no volume"},
      {"flat cell with a volume", poscar("-20", "0 0 3", "Si", "1", "Direct", "0 0 0"), "f:5:", "no volume"},
      {"VASP 4", poscar("1", "3 0 0", "1", "Direct", "0 0 0", ""), "f:6:", "VASP 4"},
      {"element", poscar("1", "3 0 0", "Sj", "1", "Direct", "0 0 0"), "f:6:", "unknown element"},
      {"counts", poscar("1", "3 0 0", "Si N", "1", "Direct", "0 0 0"), "f:7:", "one count per element"},
      {"negative count", poscar("1", "3 0 0", "Si", "-1", "Direct", "0 0 0"), "f:7:", "positive number"},
      {"huge count", poscar("1", "3 0 0", "Si", "9999999", "Direct", "0 0 0"), "f:7:", "too short for 9999999 atoms of Si"},
      {"huge sum", poscar("1", "3 0 0", "Si N C O", "4 4 4 4", "Direct", "0 0 0"), "f:7:", "too short"},
      {"missing atom", poscar("1", "3 0 0", "Si", "2", "Direct", "0 0 0"), "f:9:", "ends too early"},
      {"bad atom", poscar("1", "3 0 0", "Si", "1", "Direct", "0 0 z"), "f:9:", "got 'z'"},
      {"flags", poscar("1", "3 0 0", "Si", "1", "Selective\nDirect", "0 0 0 T F"), "f:10:", "three flags"},
      {"overflow", poscar("1e200", "1e200 0 0", "Si", "1", "Direct", "0 0 0"), "f:5:", "no volume"},
  });
}

TEST(MalformedCif, says_line_and_reason) {
  expect_messages(parse_cif, {
      {"no block", "_cell_length_a 3\n", "f:1:", "expected data_"},
      {"no sites", "data_x\n_cell_length_a 3\n", "f:", "no data block with atom sites"},
      {"length", cif("", "Si 0 0 0 1", "wide"), "f:2:", "_cell_length_a: expected a number, got 'wide'"},
      {"unknown length", cif("", "Si 0 0 0 1", "?"), "f:2:", "_cell_length_a"},
      {"flat cell", cif("", "Si 0 0 0 1", "0"), "f:1:", "lattice parameters"},
      {"element", cif("", "Xx1 0 0 0 1"), "f:14:", "no element in 'Xx1'"},
      {"coordinate", cif("", "Si ? 0 0 1"), "f:14:", "_atom_site_fract_x"},
      {"occupancy", cif("", "Si 0 0 0 0.5"), "f:14:", "partly occupied"},
      {"columns", cif("", "Si 0 0 0"), "f:8:", "5 columns holds 4 values"},
      {"empty loop", cif("", ""), "f:8:", "empty"},
      {"quote", cif("_a 'open\n", "Si 0 0 0 1"), "f:2:", "quote is not closed"},
      {"text field", cif("_a\n;open\n", "Si 0 0 0 1"), "f:3:", "text field is not closed"},
      {"no value", "data_x\n_a\n_b 1\n", "f:2:", "_a has no value"},
      {"lonely value", "data_x\n3.0\n", "f:2:", "value without a key"},
      {"group number", cif("_space_group_IT_number 231\n", "Si 0 0 0 1"), "f:2:", "from 1 to 230"},
      {"huge group number", cif("_space_group_IT_number 1e300\n", "Si 0 0 0 1"), "f:2:", "from 1 to 230"},
      {"unknown group", cif("_symmetry_space_group_name_H-M 'X 1'\n", "Si 0 0 0 1"), "f:2:", "'X 1' is not known"},
      {"unknown setting", cif("_space_group_IT_number 227\n_symmetry_space_group_name_H-M 'F d 3 m'\n", "Si 0 0 0 1"), "f:3:", "'F d 3 m' is not known"},
      {"operation", cif("loop_\n_symmetry_equiv_pos_as_xyz\n'x, y'\n", "Si 0 0 0 1"), "f:4:", "three parts"},
      {"operation without an inverse", cif("loop_\n_symmetry_equiv_pos_as_xyz\n'x, x, z'\n", "Si 0 0 0 1"), "f:4:", "neither a rotation"},
      {"division by zero", cif("loop_\n_symmetry_equiv_pos_as_xyz\n'x+1/0, y, z'\n", "Si 0 0 0 1"), "f:4:", "zero"},
  });
}
