#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <numeric>

#include "../../support/crystals.hpp"
#include "../../support/in_folder.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/screening/campaign/data_set_recipe.hpp"
#include "tamiz/screening/campaign/first_labels.hpp"
#include "tamiz/screening/campaign/label_run.hpp"
#include "tamiz/screening/oracle/label_json.hpp"

using namespace tamiz;
using namespace tamiz::test_support;

namespace {

Frame labelled(const Structure& structure, double energy) {
  return {structure, {energy, energy - 0.1, Coordinates::Zero(structure.positions().rows(), 3), Mat3::Zero()}, {}, {}};
}

LabelResult finished(Frame frame, double cost, const std::string& properties) {
  LabelResult result;
  result.status = LabelStatus::finished;
  result.frame = std::move(frame);
  result.cost = cost;
  result.properties = properties;
  return result;
}

/// An oracle whose answers are written down beforehand, by id.
class Answers final : public Oracle {
 public:
  explicit Answers(std::map<std::string, LabelResult> answers) : answers_(std::move(answers)) {}
  std::string name() const override { return "answers"; }
  int n_workers() const override { return 1; }
  std::int64_t submit(const LabelRequest& request) override {
    LabelResult result = answers_.at(request.id);
    result.id = request.id;
    result.key = request.key();
    ready_.emplace_back(++last_, std::move(result));
    return last_;
  }
  std::vector<std::pair<std::int64_t, LabelResult>> poll(double) override { return std::exchange(ready_, {}); }
  void cancel(std::int64_t) override {}

 private:
  std::map<std::string, LabelResult> answers_;
  std::vector<std::pair<std::int64_t, LabelResult>> ready_;
  std::int64_t last_ = 0;
};

/// A relaxation in three steps, its gap, a label of another composition and one that failed.
class Recipe : public InFolder {
 protected:
  void SetUp() override {
    const Structure start = zincblende(), half = start.with_lattice_scaled(1.01), end = start.with_lattice_scaled(1.02);
    LabelResult relaxation = finished(labelled(end, -9.0), 12.5, R"({"version": "1.2", "gap": 0.5, "kpoints": [3, 3, 3]})");
    relaxation.trajectory = {labelled(start, -8.0), labelled(half, -8.5)};
    const LabelResult gap = finished({end, {}, {}, {}}, 3.0, R"({"gap": 1.75, "gap_kind": "direct", "version": "1.2"})");
    const LabelResult single = finished(labelled(diamond(), -10.0), 2.0, "{}");
    LabelResult failed;
    failed.reason = "no convergence";
    failed.cost = 7.0;
    Answers oracle({{"a", relaxation}, {"a/gap", gap}, {"b", single}, {"c", failed}});
    const std::string settings = R"({"cutoff": 700.0})";
    const std::vector<LabelRequest> requests{
        {.id = "a", .structure = start, .task = LabelTask::relax, .level = "test", .settings = settings, .info = {{"config_type", "hull"}}},
        {.id = "a/gap", .structure = end, .task = LabelTask::gap, .level = "test", .settings = settings},
        {.id = "b", .structure = diamond(), .task = LabelTask::single_point, .level = "test", .settings = settings,
         .info = {{"parents", "a step 1"}}},
        {.id = "c", .structure = rocksalt(), .task = LabelTask::single_point, .level = "test", .settings = settings}};
    Ledger ledger(folder_ / "labels.tz");
    run_labels(oracle, ledger, requests, false, [] { return false; });
    write_file_atomically(folder_ / "recipe.toml", "ledgers = [\"labels.tz\"]\n[card]\nname = \"small\"\n[split]\nvalidation = 0.0\n");
  }
  DataSet made() const { return make_data_set(DataSetRecipe::read(folder_ / "recipe.toml")); }
};

/// A table that moves every atom of a crystal by an eV.
std::string references_of(const Structure& structure) {
  std::string table;
  const Composition composition = structure.composition();
  for (const auto& [element, count] : composition.counts()) table += std::string(element.symbol()) + " = 1.0\n";
  return table;
}

std::string message_of(const std::filesystem::path& recipe) {
  try {
    make_data_set(DataSetRecipe::read(recipe));
  } catch (const Error& error) {
    return error.what();
  }
  return "nothing was thrown";
}

}  // namespace

TEST_F(Recipe, every_geometry_becomes_a_frame_that_says_where_it_is_from) {
  const DataSet data = made();

  ASSERT_EQ(data.frames.size(), 4u);
  EXPECT_EQ(data.card.at("name"), "small");
  EXPECT_EQ(data.frames[0].labels.energy, -8.0);
  EXPECT_EQ(data.frames[0].info.at("step"), "0");
  EXPECT_EQ(data.frames[0].info.at("version"), "1.2");
  EXPECT_FALSE(data.frames[0].info.contains("core_seconds"));
  const auto& end = data.frames[2].info;
  EXPECT_EQ(end.at("step"), "2");
  EXPECT_EQ(end.at("parents"), "a step 0");
  EXPECT_EQ(end.at("core_seconds"), "12.5");
  EXPECT_EQ(end.at("kpoints"), "[3,3,3]");
  EXPECT_EQ(end.at("config_type"), "hull");
  EXPECT_EQ(nlohmann::json::parse(end.at("settings")).at("cutoff"), 700.0);
  EXPECT_EQ(data.frames[3].info.at("parents"), "a step 1");
}

TEST_F(Recipe, a_geometry_on_two_meshes_is_two_frames_that_say_which) {
  Frame coarse = labelled(zincblende(), -8.9), fine = labelled(zincblende(), -9.0);
  coarse.info["mesh_used"] = "anion";
  fine.info["mesh_used"] = "intermetallic";
  LabelResult relaxation = finished(fine, 1.0, R"({"mesh": "intermetallic", "relax_steps": 1})");
  relaxation.trajectory = {coarse};
  Answers oracle({{"a", relaxation}});
  Ledger ledger(folder_ / "meshes.tz");
  const std::vector<LabelRequest> requests{{.id = "a", .structure = zincblende(), .task = LabelTask::relax, .level = "test", .settings = "{}"}};
  run_labels(oracle, ledger, requests, false, [] { return false; });
  write_file_atomically(folder_ / "meshes.toml", "ledgers = [\"meshes.tz\"]\n");

  const DataSet data = make_data_set(DataSetRecipe::read(folder_ / "meshes.toml"));

  ASSERT_EQ(data.frames.size(), 2u);
  EXPECT_EQ(data.frames[0].info.at("mesh_used"), "anion");
  EXPECT_EQ(data.frames[1].info.at("mesh_used"), "intermetallic");
  EXPECT_EQ(data.frames[1].info.at("relax_steps"), "1");
  EXPECT_FALSE(data.frames[1].info.contains("mesh")) << "that is what a request asks for";
}

TEST_F(Recipe, a_gap_joins_the_frame_of_its_geometry) {
  const auto info = made().frames[2].info;

  EXPECT_EQ(info.at("gap"), "1.75");
  EXPECT_EQ(info.at("gap_kind"), "direct");
  EXPECT_EQ(info.at("gap_core_seconds"), "3");
  EXPECT_FALSE(made().frames[1].info.contains("gap"));
}

LabelRequest asked(const std::string& id, LabelTask task, std::map<std::string, std::string> info = {}) {
  return {.id = id, .structure = zincblende(), .task = task, .level = "test", .settings = "{}", .info = std::move(info)};
}

/// A data set of what an oracle answers, one request after the other.
DataSet data_of(const std::filesystem::path& folder, const std::vector<std::pair<LabelRequest, LabelResult>>& labels) {
  Ledger ledger(folder / "more.tz");
  for (const auto& [request, result] : labels) {
    Answers oracle({{request.id, result}});
    run_labels(oracle, ledger, std::vector<LabelRequest>{request}, true, [] { return false; });
  }
  write_file_atomically(folder / "more.toml", "ledgers = [\"more.tz\"]\n[split]\nvalidation = 0.0\n");
  return make_data_set(DataSetRecipe::read(folder / "more.toml"));
}

TEST_F(Recipe, says_what_frames_weigh_in_training) {
  const LabelResult metal = finished(labelled(diamond(), -9.0), 2.0, R"({"gap": 0.0})");
  const LabelResult insulator = finished(labelled(zincblende(), -8.0), 2.0, R"({"gap": 0.7})");
  LabelRequest other = asked("b", LabelTask::single_point);
  other.structure = diamond();
  data_of(folder_, {{asked("a", LabelTask::single_point), insulator}, {other, metal}});
  const std::filesystem::path recipe = folder_ / "more.toml";
  const std::string head = "ledgers = [\"more.tz\"]\n[split]\nvalidation = 0.0\ntest_compositions = [\"" + diamond().composition().formula() + "\"]\n";
  const auto infos = [&](const std::string& weights) {
    write_file_atomically(recipe, head + weights);
    const DataSet data = make_data_set(DataSetRecipe::read(recipe));
    return std::pair(data.frames.at(0).info, data.frames.at(1).info);
  };

  EXPECT_FALSE(infos("").first.contains("config_energy_weight"));
  const std::string unweighted = hash_of_first_labels(std::vector{recipe});
  const auto [first, second] = infos("[weights]\nenergy = 0.5\nenergy_of_metals = 0.1\nstress = 0\n");
  EXPECT_EQ(first.at("config_energy_weight"), "0.5");
  EXPECT_EQ(second.at("config_energy_weight"), "0.1");
  EXPECT_EQ(first.at("config_stress_weight"), "0");
  EXPECT_FALSE(first.contains("config_forces_weight"));
  EXPECT_NE(hash_of_first_labels(std::vector{recipe}), unweighted) << "a campaign would learn otherwise";
  EXPECT_EQ(infos("[weights]\nenergy = 0.5\n").second.at("config_energy_weight"), "0.5");
  const std::string element(diamond().species().front().symbol());
  const auto with = [&](const std::string& weights) { return infos("[weights]\nenergy_of_metals = 0.1\nenergy_of_metals_with = { " + weights + " }\n"); };
  EXPECT_EQ(with("Xe = 0.8").second.at("config_energy_weight"), "0.1");
  EXPECT_EQ(with("Xe = 0.8, " + element + " = 0.4").second.at("config_energy_weight"), "0.4");
  EXPECT_FALSE(with(element + " = 0.4").first.contains("config_energy_weight")) << "an insulator";
  const std::string of_xenon = (with("Xe = 0.8"), hash_of_first_labels(std::vector{recipe}));
  with("Xe = 0.7");
  EXPECT_NE(hash_of_first_labels(std::vector{recipe}), of_xenon);
  EXPECT_THROW(with(element + " = -0.4"), FormatError);
  EXPECT_THROW(infos("[weights]\nenergy = -0.5\n"), FormatError);
  EXPECT_THROW(infos("[weights]\nenergies = 0.5\n"), FormatError);
}

TEST(RecipeWeights, of_metals_with_several_elements_are_geometric_means) {
  DataSetRecipe::Weights weights;
  weights.energy_of_metals_with = {{Element(7), 0.8}, {Element(15), 0.2}};
  const auto weight = [&](std::vector<Element> species) {
    Coordinates places = Coordinates::Zero(static_cast<Eigen::Index>(species.size()), 3);
    for (Eigen::Index k = 0; k < places.rows(); ++k) places(k, 0) = 0.2 * static_cast<double>(k);
    return weights.of_metal(Structure(Lattice(Mat3::Identity() * 9.0), k_periodic, std::move(species), Fractional{places}));
  };

  EXPECT_DOUBLE_EQ(weight({Element(7), Element(7), Element(15), Element(12)}), 0.4);
  EXPECT_DOUBLE_EQ(weight({Element(15), Element(12)}), 0.2);
  EXPECT_EQ(weight({Element(12)}), 1.0);
}

TEST_F(Recipe, gives_free_energies_at_one_width_of_the_smearing) {
  LabelRequest request = asked("a", LabelTask::single_point);
  request.settings = R"({"smearing": 0.2})";
  data_of(folder_, {{request, finished(labelled(zincblende(), -8.0), 2.0, "{}")}});
  const std::filesystem::path recipe = folder_ / "more.toml";
  write_file_atomically(recipe, "smearing = 0.1\nledgers = [\"more.tz\"]\n[split]\nvalidation = 0.0\n");

  const Frame frame = make_data_set(DataSetRecipe::read(recipe)).frames.at(0);

  EXPECT_EQ(*frame.labels.energy, -8.0);
  EXPECT_NEAR(*frame.labels.free_energy, -8.025, 1e-12) << "a quarter of the 0.1 eV at twice the width";
  EXPECT_EQ(frame.info.at("free_energy_smearing"), "0.1");
  write_file_atomically(recipe, "smearing = 0.0\nledgers = [\"more.tz\"]\n");
  EXPECT_NE(message_of(recipe).find("expected a number above 0"), std::string::npos);
  write_file_atomically(recipe, "smearing = 0.1\nledgers = [\"labels.tz\"]\n");
  EXPECT_NE(message_of(recipe).find("how wide its smearing is"), std::string::npos);
}

TEST_F(Recipe, is_what_a_campaign_may_know_as_first_labels) {
  const std::string split = "[split]\nvalidation = 0.0\ntest_compositions = [\"" + diamond().composition().reduced().formula() + "\"]\n";
  write_file_atomically(folder_ / "first.toml", "ledgers = [\"labels.tz\"]\n" + split);
  const std::vector sources{folder_ / "first.toml"};

  const FirstLabels labels = read_first_labels(sources);

  EXPECT_EQ(labels.training.size(), 3u);
  ASSERT_EQ(labels.test.size(), 1u);
  EXPECT_EQ(labels.test[0].labels.energy, -10.0);
  const std::string before = hash_of_first_labels(sources);
  write_file_atomically(folder_ / "labels.tz", "");
  EXPECT_NE(hash_of_first_labels(sources), before) << "the ledger is another one";
}

TEST_F(Recipe, failures_are_kept_with_their_reason) {
  const DataSet data = made();

  ASSERT_EQ(data.failures.size(), 1u);
  EXPECT_EQ(data.failures[0].info.at("reason"), "no convergence");
  EXPECT_EQ(data.failures[0].info.at("status"), "failed");
  EXPECT_EQ(data.failures[0].structure.content_hash(), rocksalt().content_hash());
}

TEST_F(Recipe, a_campaign_says_level_and_settings_once_and_what_it_asked_for_when_it_asked) {
  Ledger ledger(folder_ / "campaign.tz");
  ledger.append({{"kind", "campaign"}, {"commit", "abc"}, {"level", {{"name", "test"}, {"smearing", 0.1}}}});
  const auto add = [&](const std::string& id, const Structure& structure, LabelResult result) {
    const LabelRequest request{.id = id, .structure = structure, .task = LabelTask::single_point, .level = "test", .settings = "{}"};
    ledger.append({{"kind", "label_started"}, {"id", id}, {"key", request.key()}, {"structure", structure_to_json(structure)}});
    result.id = id;
    result.key = request.key();
    nlohmann::json record = label_result_to_json(result);
    record.update({{"kind", "label"}, {"round", 0}, {"candidate", id}, {"task", "single_point"}});
    ledger.append(record);
  };
  add("c1", zincblende(), finished(labelled(zincblende(), -9.0), 1.0, "{}"));
  LabelResult failed;
  failed.reason = "no convergence";
  add("c2", rocksalt(), failed);
  write_file_atomically(folder_ / "campaign.toml", "ledgers = [\"campaign.tz\"]\nsmearing = 0.2\n");

  const DataSet data = make_data_set(DataSetRecipe::read(folder_ / "campaign.toml"));

  ASSERT_EQ(data.frames.size(), 1u);
  EXPECT_EQ(data.frames[0].info.at("level"), "test");
  EXPECT_EQ(nlohmann::json::parse(data.frames[0].info.at("settings")).at("smearing"), 0.1);
  EXPECT_EQ(data.frames[0].info.at("free_energy_smearing"), "0.2");
  ASSERT_EQ(data.failures.size(), 1u);
  EXPECT_EQ(data.failures[0].structure.content_hash(), rocksalt().content_hash());
  EXPECT_EQ(data.failures[0].info.at("reason"), "no convergence");
}

TEST_F(Recipe, a_label_of_an_earlier_label_says_what_it_found_itself) {
  const LabelRequest again = asked("a", LabelTask::single_point, {{"gap", "0.1"}, {"relax_steps", "4"}, {"core_seconds", "99"}, {"config_type", "hull"}});

  const auto info = data_of(folder_, {{again, finished(labelled(zincblende(), -8.0), 2.0, R"({"gap": 0.7})")}}).frames.at(0).info;

  EXPECT_EQ(info.at("gap"), "0.7");
  EXPECT_EQ(info.at("core_seconds"), "2");
  EXPECT_EQ(info.at("config_type"), "hull");
  EXPECT_FALSE(info.contains("relax_steps"));
}

TEST_F(Recipe, the_gap_of_what_was_asked_about_is_not_that_of_other_geometries) {
  const LabelRequest request = asked("a", LabelTask::relax, {{"gap", "1.25"}, {"gap_pbe", "0.4"}, {"energy_moved", "3.5"}, {"config_energy_weight", "0.1"}, {"config_type", "hull"}});
  LabelResult relaxation = finished(labelled(zincblende().with_lattice_scaled(1.02), -9.0), 4.0, "{}");
  relaxation.trajectory = {labelled(zincblende(), -8.0)};

  const DataSet data = data_of(folder_, {{request, relaxation}});

  ASSERT_EQ(data.frames.size(), 2u);
  for (const Frame& frame : data.frames)
    for (const char* key : {"gap", "gap_pbe", "energy_moved", "config_energy_weight"}) EXPECT_FALSE(frame.info.contains(key)) << key;
}

TEST_F(Recipe, a_relaxation_that_failed_leaves_its_geometries) {
  LabelResult failed;
  failed.reason = "not converged after 2 steps";
  failed.trajectory = {labelled(zincblende(), -8.0), labelled(zincblende().with_lattice_scaled(1.01), -8.5)};

  const DataSet data = data_of(folder_, {{asked("a", LabelTask::relax), failed}});

  EXPECT_EQ(data.frames.size(), 2u);
  EXPECT_EQ(data.failures.size(), 1u);
}

TEST_F(Recipe, a_label_that_was_had_at_last_is_no_failure) {
  LabelResult failed;
  failed.status = LabelStatus::timed_out;
  failed.cost = 100.0;
  const LabelRequest request = asked("a", LabelTask::single_point);

  const DataSet data = data_of(folder_, {{request, failed}, {request, finished(labelled(zincblende(), -8.0), 2.0, R"({"cost_before": 100.0})")}});

  EXPECT_TRUE(data.failures.empty());
  ASSERT_EQ(data.frames.size(), 1u);
  EXPECT_EQ(data.frames[0].info.at("core_seconds"), "102");
}

TEST_F(Recipe, the_cost_of_attempts_that_failed_is_not_lost) {
  LabelResult failed;
  failed.status = LabelStatus::timed_out;
  failed.cost = 100.0;
  const LabelRequest request = asked("a", LabelTask::single_point);

  const DataSet data = data_of(folder_, {{request, failed}, {request, failed}, {request, finished(labelled(zincblende(), -8.0), 2.0, "{}")}});

  ASSERT_EQ(data.frames.size(), 1u);
  EXPECT_EQ(data.frames[0].info.at("core_seconds"), "202");
}

TEST_F(Recipe, the_way_to_a_metal_weighs_as_the_metal_does) {
  LabelResult relaxation = finished(labelled(zincblende().with_lattice_scaled(1.02), -9.0), 4.0, R"({"gap": 0.0})");
  relaxation.trajectory = {labelled(zincblende(), -8.0)};
  data_of(folder_, {{asked("a", LabelTask::relax), relaxation}});
  write_file_atomically(folder_ / "weights.toml", "ledgers = [\"more.tz\"]\n[split]\nvalidation = 0.0\n[weights]\nenergy_of_metals = 0.1\n");

  const DataSet data = make_data_set(DataSetRecipe::read(folder_ / "weights.toml"));

  ASSERT_EQ(data.frames.size(), 2u);
  for (const Frame& frame : data.frames) EXPECT_EQ(frame.info.at("config_energy_weight"), "0.1");
  EXPECT_FALSE(data.frames[0].info.contains("gap"));
}

TEST_F(Recipe, the_ledger_of_a_campaign_takes_no_other_labels) {
  Answers oracle({{"a", finished(labelled(zincblende(), -8.0), 1.0, "{}")}});
  Ledger ledger(folder_ / "campaign.tz");
  ledger.append({{"kind", "campaign"}, {"commit", ""}});
  const std::vector<LabelRequest> requests{asked("a", LabelTask::single_point)};
  EXPECT_THROW(run_labels(oracle, ledger, requests, false, [] { return false; }), FormatError);
  EXPECT_EQ(ledger.records().size(), 1u);
}

TEST_F(Recipe, of_two_labels_of_one_geometry_the_end_of_a_relaxation_is_kept) {
  const LabelResult single = finished(labelled(zincblende(), -8.0), 2.0, "{}");
  const LabelResult relaxed = finished(labelled(zincblende(), -8.0), 3.0, R"({"relax_steps": 0})");

  const DataSet data = data_of(folder_, {{asked("point", LabelTask::single_point), single}, {asked("a", LabelTask::relax), relaxed}});

  ASSERT_EQ(data.frames.size(), 1u);
  EXPECT_EQ(data.frames[0].info.at("id"), "a");
  EXPECT_EQ(data.frames[0].info.at("relax_steps"), "0");
  EXPECT_EQ(data.frames[0].info.at("core_seconds"), "5");

  write_file_atomically(folder_ / "more.toml", "ledgers = [\"more.tz\"]\n[split]\nvalidation = 0.0\n[references]\n" + references_of(zincblende()));
  const Frame moved = make_data_set(DataSetRecipe::read(folder_ / "more.toml")).frames.at(0);
  EXPECT_NEAR(*moved.labels.energy, -8.0 + std::stod(moved.info.at("energy_moved")), 1e-9);
}

TEST_F(Recipe, a_ledger_that_is_named_twice_adds_nothing) {
  write_file_atomically(folder_ / "recipe.toml", "ledgers = [\"labels.tz\", \"labels.tz\"]\n");

  EXPECT_EQ(made().frames.size(), 4u);
}

TEST_F(Recipe, splits_follow_systems_and_compositions) {
  const std::string system = zincblende().composition().system(), formula = zincblende().composition().formula();
  for (const std::string& split : {"test_systems = [\"" + system + "\"]", "test_compositions = [\"" + formula + "\"]"}) {
    write_file_atomically(folder_ / "recipe.toml", "ledgers = [\"labels.tz\"]\n[split]\n" + split + "\n");
    const DataSet data = made();
    for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(data.frames[k].info.at("split"), "test") << split;
    EXPECT_EQ(data.frames[3].info.at("split"), "train");
  }
}

TEST_F(Recipe, a_split_may_be_that_of_another_recipe) {
  const std::string formula = zincblende().composition().formula();
  write_file_atomically(folder_ / "first.toml", "ledgers = [\"nothing.tz\"]\n[split]\ntest_compositions = [\"" + formula + "\"]\n");
  write_file_atomically(folder_ / "recipe.toml", "ledgers = [\"labels.tz\"]\n[split]\nas = \"first.toml\"\n");

  const DataSet data = made();

  for (std::size_t k = 0; k < 3; ++k) EXPECT_EQ(data.frames[k].info.at("split"), "test");
  EXPECT_EQ(data.frames[3].info.at("split"), "train");
}

TEST_F(Recipe, energies_move_by_the_references_of_their_elements) {
  const DataSet as_it_was = made();
  std::string table = "ledgers = [\"labels.tz\"]\n[references]\n";
  std::set<Element> elements;
  for (const Frame& frame : as_it_was.frames) elements.insert(frame.structure.species().begin(), frame.structure.species().end());
  for (const Element element : elements) table += std::string(element.symbol()) + " = " + std::to_string(element.number()) + ".0\n";
  write_file_atomically(folder_ / "recipe.toml", table);

  const DataSet data = made();

  ASSERT_EQ(data.frames.size(), as_it_was.frames.size());
  for (std::size_t k = 0; k < data.frames.size(); ++k) {
    double sum = 0.0;
    for (const Element element : data.frames[k].structure.species()) sum += element.number();
    EXPECT_NEAR(*data.frames[k].labels.energy, *as_it_was.frames[k].labels.energy + sum, 1e-9);
    EXPECT_EQ(std::stod(data.frames[k].info.at("energy_moved")), sum);
  }
  write_file_atomically(folder_ / "recipe.toml", "ledgers = [\"labels.tz\"]\n[references]\nXe = 1.0\n");
  EXPECT_NE(message_of(folder_ / "recipe.toml").find("[references] has no"), std::string::npos);

  write_file_atomically(folder_ / "first.toml", table);
  write_file_atomically(folder_ / "recipe.toml", "ledgers = [\"labels.tz\"]\n[references]\nas = \"first.toml\"\n");
  EXPECT_EQ(made().frames[0].labels.energy, data.frames[0].labels.energy);
  write_file_atomically(folder_ / "first.toml", "ledgers = []\n[references]\nas = \"recipe.toml\"\n");
  EXPECT_NE(message_of(folder_ / "recipe.toml").find("[references] of its own"), std::string::npos);
}

TEST_F(Recipe, about_the_share_that_is_asked_for_validates) {
  DataSetRecipe recipe;
  recipe.validation = 0.2;
  int validating = 0;
  for (int n = 1; n <= 20; ++n)
    for (int m = 1; m <= 20; ++m) {
      std::vector<Element> species(static_cast<std::size_t>(n), Element(7));
      species.insert(species.end(), static_cast<std::size_t>(m), Element(12));
      const auto size = static_cast<Eigen::Index>(species.size());
      const Structure structure(Lattice(Mat3::Identity() * 50.0), k_periodic, species,
                                Cartesian{Coordinates::NullaryExpr(size, 3, [](Eigen::Index i, Eigen::Index) { return static_cast<double>(i); })});
      if (n == m) EXPECT_EQ(recipe.split_of(structure), "train");
      else if (std::gcd(n, m) == 1) validating += recipe.split_of(structure) == "validation";
    }

  EXPECT_NEAR(validating, 0.2 * 254, 20);  // 254 unequal pairs without a common divisor; three standard deviations
}

TEST_F(Recipe, mistakes_are_named) {
  const auto with = [&](const std::string& text) {
    write_file_atomically(folder_ / "wrong.toml", text);
    return message_of(folder_ / "wrong.toml");
  };
  EXPECT_NE(with("").find("ledgers"), std::string::npos);
  EXPECT_NE(with("ledgers = [\"labels.tz\"]\nsplits = 1\n").find("split"), std::string::npos);
  EXPECT_NE(with("ledgers = [\"nothing.tz\"]\n").find("nothing.tz"), std::string::npos);
  EXPECT_NE(with("ledgers = [\"labels.tz\"]\n[split]\nvalidation = 1.5\n").find("validation"), std::string::npos);
  EXPECT_NE(with("ledgers = [\"labels.tz\"]\n[split]\ntest_systems = [\"Ca-Xx\"]\n").find("Xx"), std::string::npos);
  EXPECT_NE(with("ledgers = [\"labels.tz\"]\n[split]\nas = \"gone.toml\"\n").find("gone.toml"), std::string::npos);
  EXPECT_NE(with("ledgers = [\"labels.tz\"]\n[split]\nas = \"wrong.toml\"\n").find("of its own"), std::string::npos);
  EXPECT_NE(with("ledgers = [\"labels.tz\"]\n[split]\nas = \"recipe.toml\"\nvalidation = 0.2\n").find("validation"), std::string::npos);
}
