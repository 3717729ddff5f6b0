#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>

#include "../../support/crystals.hpp"
#include "../../support/in_folder.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/screening/propose/options.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

/// A folder with a campaign file and the structures of `mine.xyz` beside it.
class OwnStructures : public InFolder {
 protected:
  void SetUp() override {
    const Structure nitride = calcium_zinc_nitride();
    Frame named{nitride, {}, {{"id", "mine/1"}}, {}};
    Coordinates apart = Coordinates::Zero(2, 3);
    apart(1, 0) = 1.1;
    const Structure molecule({}, k_molecule, {Element(7), Element(7)}, Cartesian{apart});
    Coordinates close = Coordinates::Zero(1, 3);
    const Structure squeezed(Lattice(Mat3::Identity() * 0.9), k_periodic, {Element(20)}, Cartesian{close});
    write_frames(folder_ / "mine.xyz", std::vector<Frame>{named, {nitride.supercell({2, 1, 1}), {}, {}, {}}, {diamond(), {}, {}, {}},
                                                          {molecule, {}, {}, {}}, {squeezed, {}, {}, {}}});
  }
  Proposal proposed(const std::string& section) const {
    write_file_atomically(folder_ / "campaign.toml", "[campaign]\nsystems = [\"Ca-Zn-N\", \"Ca\"]\n[propose]\n" + section);
    return propose(propose_options_from_toml(folder_ / "campaign.toml"));
  }
};

bool is_rejected(const Proposal& proposal, const std::string& what, const std::string& reason) {
  return std::any_of(proposal.rejections.begin(), proposal.rejections.end(), [&](const Rejection& rejection) {
    return rejection.what.find(what) != std::string::npos && rejection.reason.find(reason) != std::string::npos;
  });
}

}  // namespace

TEST_F(OwnStructures, are_candidates_and_what_is_wrong_with_the_others_is_said) {
  const Proposal proposal = proposed("files = [\"mine.xyz\"]\nonly_files = true\n");

  ASSERT_EQ(proposal.candidates.size(), 1u);
  const Candidate& candidate = proposal.candidates[0];
  EXPECT_EQ(candidate.id, "c0001");
  EXPECT_EQ(candidate.origin, "file");
  EXPECT_EQ(candidate.prototype, "mine");
  EXPECT_EQ(candidate.decoration, "mine/1");
  EXPECT_EQ(candidate.structure.size(), calcium_zinc_nitride().size());
  EXPECT_TRUE(is_rejected(proposal, "mine 1", "duplicate of c0001"));
  EXPECT_TRUE(is_rejected(proposal, "mine 2", "is none of the systems"));
  EXPECT_TRUE(is_rejected(proposal, "mine 3", "not periodic"));
  EXPECT_TRUE(is_rejected(proposal, "mine 4", "overlap"));
}

TEST_F(OwnStructures, come_before_the_proposals_of_the_program) {
  const Proposal proposal = proposed("files = [\"mine.xyz\"]\nprototypes = [\"CaAl2Si2\", \"half-Heusler\"]\nrandom_per_formula = 0\nmax_atoms = 5\n");

  ASSERT_FALSE(proposal.candidates.empty());
  EXPECT_EQ(proposal.candidates[0].origin, "file");
  EXPECT_TRUE(std::all_of(proposal.candidates.begin() + 1, proposal.candidates.end(),
                          [](const Candidate& candidate) { return candidate.origin != "file"; }));
}

TEST_F(OwnStructures, mistakes_are_named) {
  try {
    proposed("files = [\"nothing.xyz\"]\n");
    FAIL() << "a file that is not there was read";
  } catch (const FileError& error) {
    EXPECT_NE(std::string(error.what()).find("nothing.xyz"), std::string::npos);
  }
  try {
    proposed("only_files = true\n");
    FAIL() << "there are no files";
  } catch (const FormatError& error) {
    EXPECT_NE(std::string(error.what()).find("only_files"), std::string::npos);
  }
}
