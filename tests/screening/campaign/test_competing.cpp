#include <gtest/gtest.h>
#include <unistd.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "../../support/crystals.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/screening/campaign/competing.hpp"
#include "tamiz/screening/campaign/ledger.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

namespace tamiz {
namespace {

namespace fs = std::filesystem;

class Competing : public testing::Test {
 protected:
  void SetUp() override {
    fs::create_directories(folder_);
    std::ofstream(folder_ / "known.toml") << "[[phase]]\nid = \"known/Si\"\nformula = \"Si\"\n[[phase]]\nid = \"known/Ge\"\nformula = \"Ge\"\n";
  }
  void TearDown() override { fs::remove_all(folder_); }

  void relax(const std::string& id, const std::string& settings, double energy) {
    LabelResult result;
    result.id = id;
    result.key = id + settings;
    result.status = LabelStatus::finished;
    result.frame = Frame{test_support::diamond(), {.energy = energy, .free_energy = {}, .forces = {}, .stress = {}}, {}, {}};
    nlohmann::json record = label_result_to_json(result);
    record.update({{"kind", "label"}, {"task", "relax"}, {"level", "l"}, {"settings", nlohmann::json::parse(settings)}});
    Ledger(folder_ / "ledger.tz").append(record);
  }
  CompetingSet read(const std::string& settings) const {
    const std::vector<std::string> systems{"Si"};
    return read_competing(folder_ / "known.toml", folder_ / "ledger.tz", "l", settings, systems);
  }

  fs::path folder_ = fs::temp_directory_path() / ("tamiz-competing-" + std::to_string(::getpid()));
};

TEST_F(Competing, labels_of_a_level_that_was_changed_are_refused_until_they_are_made_again) {
  relax("known/Si", R"({"cutoff":400})", -10.0);
  relax("known/Ge", R"({"cutoff":400})", -9.0);
  EXPECT_EQ(read(R"({"cutoff":400})").phases.at(0).energy_per_atom, -5.0);
  EXPECT_THROW(read(R"({"cutoff":500})"), FormatError);

  relax("known/Si", R"({"cutoff":500})", -12.0);  // and not the one that no system asks for

  EXPECT_EQ(read(R"({"cutoff":500})").phases.at(0).energy_per_atom, -6.0);
}

TEST_F(Competing, the_mesh_is_that_of_a_compound_and_no_setting_of_the_level) {
  relax("known/Si", R"({"cutoff":400,"mesh":"covalent"})", -10.0);

  EXPECT_EQ(read(R"({"cutoff":400})").phases.size(), 1u);
  EXPECT_EQ(read(R"({"cutoff":400,"mesh":"anion"})").phases.size(), 1u);
}

}  // namespace
}  // namespace tamiz
