#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>

#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/propose/options.hpp"

namespace tamiz {
namespace {

/// A campaign file that is gone at the end of the test.
class CampaignFile {
 public:
  explicit CampaignFile(const std::string& text) {
    const auto* test = ::testing::UnitTest::GetInstance()->current_test_info();
    path_ = std::filesystem::temp_directory_path() / (std::string("tamiz_options_") + test->name() + ".toml");
    std::ofstream(path_) << text;
  }
  ~CampaignFile() { std::filesystem::remove(path_); }
  CampaignFile(const CampaignFile&) = delete;
  CampaignFile& operator=(const CampaignFile&) = delete;

  const std::filesystem::path& path() const { return path_; }
  std::string at_line(int line) const { return path_.string() + ":" + std::to_string(line) + ":"; }

 private:
  std::filesystem::path path_;
};

template <class Expected>
std::string message_of(const CampaignFile& file) {
  try {
    propose_options_from_toml(file.path());
  } catch (const Expected& error) {
    return error.what();
  }
  ADD_FAILURE() << "nothing, or something else, was thrown";
  return "";
}

bool holds(const std::string& text, const std::string& part) { return text.find(part) != std::string::npos; }

TEST(ProposeOptions, are_read_from_both_sections) {
  const CampaignFile file(
      "[campaign]\nname = \"x\"\nsystems = [\"Ca-Mg-N\", \"Mg-Si-N\"]\nseed = 5\n[propose]\nprototypes = [\"B1\", "
      "\"wurtzite\"]\nmax_atoms = 6\nrandom_per_formula = 3\nrandom_formulas = [\"MgSiN2\"]\nmax_candidates = 50\n"
      "[relax]\nfmax = 0.02\n");

  const ProposeOptions options = propose_options_from_toml(file.path());

  EXPECT_EQ(options.systems, (std::vector<std::string>{"Ca-Mg-N", "Mg-Si-N"}));
  EXPECT_EQ(options.prototypes, (std::vector<std::string>{"B1", "wurtzite"}));
  EXPECT_EQ(options.random_formulas, (std::vector<std::string>{"MgSiN2"}));
  EXPECT_EQ(options.max_atoms, 6);
  EXPECT_EQ(options.random_per_formula, 3);
  EXPECT_EQ(options.max_candidates, 50);
  EXPECT_EQ(options.seed, 5u);
}

TEST(ProposeOptions, oxidation_states_may_be_given) {
  const CampaignFile file("[campaign]\nsystems = [\"Mg-Si-N\"]\n[propose]\noxidation = { Si = [-4, 4] }\nany_anion_state = true\n");

  const OxidationRules rules = propose_options_from_toml(file.path()).oxidation;

  EXPECT_EQ(rules.given.at(Element::from_symbol("Si")), (std::vector<int>{-4, 4}));
  EXPECT_EQ(rules.given.size(), 1u);
  EXPECT_EQ(rules.anions, AnionRule::any);
}

TEST(ProposeOptions, bad_oxidation_states_name_file_line_and_key) {
  const auto campaign = [](const std::string& value) {
    return CampaignFile("[campaign]\nsystems = [\"Mg-Si-N\"]\n[propose]\nmax_atoms = 4\noxidation = " + value + "\n");
  };
  for (const auto& [value, said] : std::vector<std::pair<std::string, std::string>>{{"{ Si = [0] }", "0 is no oxidation state"},
                                                                                   {"{ Si = [2.5] }", "2.5 is no oxidation state"},
                                                                                   {"{ Si = [] }", "is empty"},
                                                                                   {"{ Ge = [4] }", "in none of the systems"},
                                                                                   {"{ Si = \"4\" }", "expected"},
                                                                                   {"{ Sx = [4] }", "Sx"}}) {
    const CampaignFile file = campaign(value);
    const std::string message = message_of<Error>(file);
    EXPECT_TRUE(holds(message, file.at_line(5))) << message;
    EXPECT_TRUE(holds(message, "oxidation.S") || holds(message, "oxidation.Ge")) << message;
    EXPECT_TRUE(holds(message, said)) << message;
  }
}

TEST(ProposeOptions, seed_of_the_section_wins) {
  const CampaignFile file("[campaign]\nsystems = [\"Mg-N\"]\nseed = 5\n[propose]\nseed = 6\n");

  EXPECT_EQ(propose_options_from_toml(file.path()).seed, 6u);
}

TEST(ProposeOptions, unknown_element_names_file_line_key_and_nearest) {
  const CampaignFile file("[campaign]\nname = \"x\"\nsystems = [\"Ca-Mgg-N\"]\n");

  const std::string message = message_of<SpeciesError>(file);

  EXPECT_TRUE(holds(message, file.at_line(3))) << message;
  EXPECT_TRUE(holds(message, "campaign.systems")) << message;
  EXPECT_TRUE(holds(message, "Mgg") && holds(message, "Mg")) << message;
}

TEST(ProposeOptions, unknown_prototype_names_file_line_key_and_nearest) {
  const CampaignFile file("[campaign]\nsystems = [\"Ca-Mg-N\"]\n[propose]\nprototypes = [\"chalcopyrit\"]\n");

  const std::string message = message_of<FormatError>(file);

  EXPECT_TRUE(holds(message, file.at_line(4))) << message;
  EXPECT_TRUE(holds(message, "propose.prototypes")) << message;
  EXPECT_TRUE(holds(message, "'chalcopyrite'")) << message;
}

TEST(ProposeOptions, unknown_key_names_file_line_and_nearest) {
  const CampaignFile file("[campaign]\nsystems = [\"Ca-Mg-N\"]\n\n[propose]\nmax_atom = 8\n");

  const std::string message = message_of<FormatError>(file);

  EXPECT_TRUE(holds(message, file.at_line(5))) << message;
  EXPECT_TRUE(holds(message, "propose.max_atom:")) << message;
  EXPECT_TRUE(holds(message, "max_atoms")) << message;
}

TEST(ProposeOptions, bad_values_name_their_line) {
  const CampaignFile range("[campaign]\nsystems = [\"Ca-Mg-N\"]\n[propose]\nmax_atoms = 0\n");
  EXPECT_TRUE(holds(message_of<FormatError>(range), range.at_line(4)));
  const CampaignFile type("[campaign]\nsystems = [\"Ca-Mg-N\"]\n[propose]\nmax_atoms = \"eight\"\n");
  EXPECT_TRUE(holds(message_of<FormatError>(type), type.at_line(4)));
  const CampaignFile formula("[campaign]\nsystems = [\"Ca-Mg-N\"]\n[propose]\nrandom_formulas = [\"MgQz\"]\n");
  EXPECT_TRUE(holds(message_of<Error>(formula), formula.at_line(4)));
  const CampaignFile stranger("[campaign]\nsystems = [\"Ca-Mg-N\"]\n[propose]\nrandom_formulas = [\"MgSiN2\"]\n");
  EXPECT_TRUE(holds(message_of<FormatError>(stranger), "'MgSiN2' has the elements of none of the systems"));
  const CampaignFile syntax("[campaign]\nsystems = [\"Ca-Mg-N\"\n");
  EXPECT_TRUE(holds(message_of<FormatError>(syntax), syntax.path().string() + ":"));
  const CampaignFile empty("[campaign]\nname = \"x\"\n");
  EXPECT_TRUE(holds(message_of<FormatError>(empty), "systems"));
  EXPECT_THROW(propose_options_from_toml("/nowhere/campaign.toml"), FileError);
}

}  // namespace
}  // namespace tamiz
