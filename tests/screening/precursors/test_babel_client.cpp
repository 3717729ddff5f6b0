#include <gtest/gtest.h>

#include <cmath>
#include <cstdlib>
#include <memory>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/precursors/babel_client.hpp"

namespace {

using namespace tamiz;

class Babel : public testing::Test {
 protected:
  void SetUp() override {
    ::unsetenv("TAMIZ_BABEL");
    try {
      client_ = std::make_unique<BabelClient>();
    } catch (const CapabilityError& error) {
      GTEST_SKIP() << error.what();
    }
  }
  std::unique_ptr<BabelClient> client_;
};

double distance(const Structure& structure, Eigen::Index a, Eigen::Index b) {
  return (structure.positions().row(a) - structure.positions().row(b)).norm();
}

TEST_F(Babel, smiles_become_molecules_with_bonds_of_usual_length) {
  const std::vector<Frame> frames = client_->read("CCO ethanol\nC=C\n", "smi");

  ASSERT_EQ(frames.size(), 2U);
  EXPECT_EQ(frames[0].structure.size(), 9U);
  EXPECT_EQ(frames[0].info.at("title"), "ethanol");
  EXPECT_FALSE(frames[0].structure.is_periodic());
  EXPECT_NEAR(distance(frames[0].structure, 0, 1), 1.52, 0.05);
  EXPECT_NEAR(distance(frames[1].structure, 0, 1), 1.33, 0.03);
}

TEST_F(Babel, sdf_keeps_species_and_positions) {
  const std::vector<Frame> water = client_->read("O water", "smi");

  const std::vector<Frame> back = client_->read(client_->write(water, "sdf"), "sdf");

  ASSERT_EQ(back.size(), 1U);
  ASSERT_EQ(back[0].structure.size(), 3U);
  EXPECT_EQ(back[0].info.at("title"), "water");
  // The format has four digits.
  EXPECT_LT((back[0].structure.positions() - water[0].structure.positions()).cwiseAbs().maxCoeff(), 6e-5);
}

TEST_F(Babel, what_cannot_be_read_is_an_error_and_the_program_goes_on) {
  EXPECT_THROW(client_->read("CX", "smi"), FormatError);
  EXPECT_THROW(client_->read("not a molecule", "sdf"), FormatError);
  EXPECT_THROW(client_->read("C", "no-such-format"), FormatError);

  EXPECT_EQ(client_->read("C", "smi")[0].structure.size(), 5U);
}

TEST_F(Babel, a_drawing_gets_hydrogens_and_a_third_dimension) {
  const std::string drawing =
      "ethane\n  tamiz     01010100002D\n\n  2  1  0  0  0  0  0  0  0  0999 V2000\n"
      "    0.0000    0.0000    0.0000 C   0  0  0  0  0  0\n    0.8250    0.0000    0.0000 C   0  0  0  0  0  0\n  1  2  1  0\nM  END\n";

  const Structure ethane = client_->read(drawing, "mol").at(0).structure;

  ASSERT_EQ(ethane.size(), 8U);
  EXPECT_NEAR(distance(ethane, 0, 1), 1.53, 0.05);
}

TEST_F(Babel, a_flat_molecule_is_no_drawing) {
  Frame benzene = client_->read("c1ccccc1", "smi").at(0);
  Coordinates flat(12, 3);
  for (Eigen::Index k = 0; k < 6; ++k) {
    const double angle = static_cast<double>(k) * 1.0471975511965976;
    flat.row(k) << 1.39 * std::cos(angle), 1.39 * std::sin(angle), 0.0;
    flat.row(k + 6) << 2.48 * std::cos(angle), 2.48 * std::sin(angle), 0.0;
  }
  benzene.structure = benzene.structure.with_positions(Cartesian{flat});

  for (const char* format : {"sdf", "mol", "mol2", "pdb", "cml"}) {
    const Structure again = client_->read(client_->write({{benzene}}, format), format).at(0).structure;
    ASSERT_EQ(again.size(), 12U) << format;
    EXPECT_LT((again.positions() - flat).cwiseAbs().maxCoeff(), 1e-3) << format;  // PDB has three digits
  }
}

TEST_F(Babel, charge_is_written_and_read) {
  for (const auto& [smiles, charge] : {std::pair{"[NH4+]", "1"}, {"CC(=O)[O-]", "-1"}, {"[O-]S(=O)(=O)[O-]", "-2"}, {"[Na+]", "1"}}) {
    const std::vector<Frame> ion = client_->read(smiles, "smi");
    ASSERT_EQ(ion.at(0).info.at("charge"), charge) << smiles;

    EXPECT_EQ(client_->read(client_->write(ion, "sdf"), "sdf").at(0).info.at("charge"), charge) << smiles;
  }
}

TEST(BabelProgram, answers_that_are_no_json_are_an_error) {
  ::setenv("TAMIZ_BABEL", "/usr/bin/yes", 1);
  BabelClient client;

  EXPECT_THROW(client.read("C", "smi"), OracleError);
  ::unsetenv("TAMIZ_BABEL");
}

TEST(BabelProgram, missing_or_dying_is_an_error_that_says_so) {
  ::setenv("TAMIZ_BABEL", "/nowhere/tamiz-babel", 1);
  EXPECT_THROW(BabelClient(), CapabilityError);

  ::setenv("TAMIZ_BABEL", "/bin/true", 1);
  BabelClient client;
  EXPECT_THROW(client.read("C", "smi"), OracleError);
  ::unsetenv("TAMIZ_BABEL");
}

}  // namespace
