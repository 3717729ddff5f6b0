#include <gtest/gtest.h>

#include <cstdlib>

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

TEST(BabelProgram, missing_or_dying_is_an_error_that_says_so) {
  ::setenv("TAMIZ_BABEL", "/nowhere/tamiz-babel", 1);
  EXPECT_THROW(BabelClient(), CapabilityError);

  ::setenv("TAMIZ_BABEL", "/bin/true", 1);
  BabelClient client;
  EXPECT_THROW(client.read("C", "smi"), OracleError);
  ::unsetenv("TAMIZ_BABEL");
}

}  // namespace
