#include <gtest/gtest.h>

#include "../../support/crystals.hpp"
#include "tamiz/screening/campaign/confirmed.hpp"
#include "tamiz/screening/campaign/ranking.hpp"

namespace tamiz {
namespace {

using namespace test_support;

/// A history of one round in which every structure was relaxed with the given outcome.
CampaignHistory history_of(const std::vector<std::pair<Structure, std::string>>& relaxed, CompetingSet competing) {
  CampaignHistory history;
  history.start.emplace();
  history.start->competing = std::move(competing);
  history.candidates.emplace();
  RoundPrediction prediction;
  for (const auto& [structure, outcome] : relaxed) {
    const std::string id = "c" + std::to_string(history.candidates->size());
    history.candidates->push_back({id, structure, "prototype", "", "", ""});
    prediction.candidates.push_back({.candidate = id, .outcome = outcome, .reason = "", .steps = 1, .structure = structure,
                                     .space_group_number = 1, .space_group = "P1", .energy = {}, .assessment = {}});
  }
  history.predictions.push_back(std::move(prediction));
  return history;
}

CompetingPhase known(const std::string& id, const Structure& structure) { return {id, id, "test", structure, -5.0, 0.0}; }

/// Wurtzite GaN and the elements that every hull needs.
std::vector<CompetingPhase> known_phases() {
  return {known("wz", wurtzite()), known("Ga", crystal(face_centred(4.3), {{"Ga", {0, 0, 0}}})), known("N", crystal(cubic(4.0), {{"N", {0, 0, 0}}}))};
}

const RankedCandidate& entry_of(const std::vector<RankedCandidate>& ranked, const std::string& id) {
  for (const RankedCandidate& entry : ranked)
    if (entry.proposal->id == id) return entry;
  throw std::out_of_range(id);
}

TEST(Ranking, duplicates_are_compared_with_the_known_phases_and_failures_are_not) {
  const CompetingSet competing{known_phases(), {{"Ga-N", {}}}};
  const CampaignHistory history = history_of({{zincblende(), "relaxed"}, {wurtzite().supercell({2, 1, 1}), "duplicate"}, {rocksalt(), "failed"}}, competing);

  const auto ranked = rank(history);

  EXPECT_TRUE(entry_of(ranked, "c0").compared);
  EXPECT_EQ(entry_of(ranked, "c0").known_as, "");
  EXPECT_TRUE(entry_of(ranked, "c1").compared);
  EXPECT_EQ(entry_of(ranked, "c1").known_as, "wz");
  EXPECT_FALSE(entry_of(ranked, "c2").compared);
}

/// A finished label of candidate `id` at this geometry, without forces and stress.
LabelRecord label_of(const std::string& id, LabelTask task, const Structure& structure, double energy_per_atom) {
  const double n = static_cast<double>(structure.size());
  Frame frame{structure, {.energy = n * energy_per_atom, .free_energy = {}, .forces = Coordinates::Zero(static_cast<Eigen::Index>(n), 3), .stress = Mat3::Zero()}, {}, {}};
  LabelRecord record{.round = 0, .candidate = id, .task = task, .result = {}};
  record.result.status = LabelStatus::finished;
  record.result.frame = std::move(frame);
  return record;
}

TEST(Ranking, of_two_that_dft_relaxed_into_one_another_the_lower_stays_and_is_on_the_hull) {
  const CompetingSet competing{known_phases(), {{"Ga-N", {}}}};
  CampaignHistory history = history_of({{zincblende(), "relaxed"}, {zincblende(), "relaxed"}}, competing);
  history.labels.push_back(label_of("c0", LabelTask::relax, zincblende(), -6.000));
  history.labels.push_back(label_of("c1", LabelTask::relax, zincblende().supercell({2, 1, 1}), -6.001));

  const auto ranked = rank(history);

  EXPECT_EQ(entry_of(ranked, "c0").outcome, "duplicate");
  EXPECT_NE(entry_of(ranked, "c0").reason.find("c1"), std::string::npos);
  EXPECT_EQ(entry_of(ranked, "c1").rank, 1);
  EXPECT_EQ(entry_of(ranked, "c1").dft->e_hull, 0.0);
  // Against the known phases, not against its own copy: wurtzite at -5 eV per atom.
  EXPECT_NEAR(entry_of(ranked, "c1").dft->distance_below_others, -1.001, 1e-9);
}

TEST(Ranking, what_a_model_relaxes_into_what_dft_relaxed_is_its_duplicate) {
  const CompetingSet competing{known_phases(), {{"Ga-N", {}}}};
  CampaignHistory history = history_of({{zincblende(), "relaxed"}, {zincblende().supercell({2, 1, 1}), "duplicate"}, {rocksalt(), "relaxed"}}, competing);
  history.labels.push_back(label_of("c1", LabelTask::relax, zincblende().supercell({2, 1, 1}), -6.0));

  const auto ranked = rank(history);

  EXPECT_EQ(entry_of(ranked, "c0").outcome, "duplicate");
  EXPECT_EQ(entry_of(ranked, "c0").reason, "duplicate of c1, which DFT relaxed");
  EXPECT_EQ(entry_of(ranked, "c1").rank, 1);
  EXPECT_EQ(entry_of(ranked, "c2").outcome, "ranked");
}

TEST(Ranking, a_single_point_counts_only_where_the_model_still_has_its_geometry) {
  const CompetingSet competing{known_phases(), {{"Ga-N", {}}}};
  CampaignHistory history = history_of({{zincblende(), "relaxed"}, {rocksalt(), "relaxed"}}, competing);
  history.labels.push_back(label_of("c0", LabelTask::single_point, zincblende().with_lattice_scaled(1.001), -4.9));
  history.labels.push_back(label_of("c1", LabelTask::single_point, caesium_chloride(), -4.8));

  const auto ranked = rank(history);

  EXPECT_EQ(entry_of(ranked, "c0").confidence, Confidence::checked);
  EXPECT_NEAR(entry_of(ranked, "c0").structure.lattice().volume(), 1.003003001 * zincblende().lattice().volume(), 1e-9);
  EXPECT_EQ(entry_of(ranked, "c1").confidence, Confidence::predicted);
  EXPECT_FALSE(entry_of(ranked, "c1").dft);
}

TEST(Ranking, a_reported_phase_that_does_not_compete_is_known_by_formula_and_space_group) {
  CompetingSet competing{known_phases(), {{"Ga-N", {}}}};
  competing.reported = {{"zb", "zincblende GaN", "test", Composition::from_formula("GaN"), 216},
                        {"other", "GaN of unknown group", "test", Composition::from_formula("GaN"), 0}};
  const CampaignHistory history = history_of({{zincblende(), "relaxed"}, {rocksalt(), "relaxed"}}, competing);

  const auto ranked = rank(history);

  EXPECT_EQ(entry_of(ranked, "c0").known_as, "zb");
  EXPECT_EQ(entry_of(ranked, "c1").known_as, "");
}

TEST(Ranking, nothing_is_new_where_known_phases_lack_a_geometry) {
  const CompetingSet competing{known_phases(), {{"Ga-N", {"rocksalt GaN"}}}};
  const CampaignHistory history = history_of({{zincblende(), "relaxed"}, {wurtzite(), "relaxed"}}, competing);

  const auto ranked = rank(history);

  EXPECT_EQ(entry_of(ranked, "c0").outcome, "hull incomplete");
  EXPECT_FALSE(entry_of(ranked, "c0").compared);
  EXPECT_EQ(entry_of(ranked, "c1").known_as, "wz");
  EXPECT_TRUE(entry_of(ranked, "c1").compared);
}

TEST(Ranking, what_became_a_known_phase_has_its_energy) {
  CompetingSet competing{known_phases(), {{"Ga-N", {}}}};
  competing.phases.push_back({"zb", "zb", "test", zincblende(), -4.9, 1.7});
  const CampaignHistory history = history_of({{zincblende(), "relaxed"}, {rocksalt(), "relaxed"}}, competing);

  const auto ranked = rank(history);

  const RankedCandidate& found = entry_of(ranked, "c0");
  EXPECT_EQ(found.confidence, Confidence::known);
  EXPECT_EQ(found.dft_energy, -4.9);
  EXPECT_NEAR(found.dft->e_hull, 0.1, 1e-9);  // above wurtzite
  EXPECT_EQ(entry_of(ranked, "c1").confidence, Confidence::predicted);
}

TEST(Ranking, a_label_that_failed_is_not_forgotten) {
  CampaignHistory history = history_of({{zincblende(), "relaxed"}, {rocksalt(), "relaxed"}}, {known_phases(), {{"Ga-N", {}}}});
  history.labels.push_back(label_of("c0", LabelTask::relax, zincblende(), -4.9));
  history.labels.back().result.status = LabelStatus::failed;
  history.labels.back().result.reason = "no convergence";

  const auto ranked = rank(history);

  EXPECT_EQ(entry_of(ranked, "c0").confidence, Confidence::predicted);
  ASSERT_NE(entry_of(ranked, "c0").failed, nullptr);
  EXPECT_EQ(entry_of(ranked, "c0").failed->result.reason, "no convergence");
  EXPECT_EQ(entry_of(ranked, "c1").failed, nullptr);
}

TEST(Confirmed, phases_are_those_that_were_there_when_a_round_was_predicted) {
  CampaignHistory history = history_of({{zincblende(), "relaxed"}, {rocksalt(), "relaxed"}, {zincblende(), "relaxed"}}, {known_phases(), {{"Ga-N", {}}}});
  history.labels.push_back(label_of("c1", LabelTask::relax, rocksalt(), -4.8));
  history.labels.push_back(label_of("c0", LabelTask::relax, zincblende(), -4.9));
  history.labels.push_back(label_of("c2", LabelTask::relax, zincblende(), -4.9));
  history.labels.back().result.frame->labels.forces->setConstant(0.1);
  const auto ids = [&](std::size_t n) {
    RoundPrediction prediction;
    prediction.competing.resize(n);
    std::vector<std::string> result;
    for (const CompetingPhase& phase : phases_behind(prediction, history)) result.push_back(phase.id);
    return result;
  };

  EXPECT_EQ(confirmed_phases(history).size(), 2u) << "c2 is not at rest";
  EXPECT_EQ(ids(3), (std::vector<std::string>{"wz", "Ga", "N"}));
  EXPECT_EQ(ids(4), (std::vector<std::string>{"wz", "Ga", "N", "c1"}));
  EXPECT_EQ(ids(5), (std::vector<std::string>{"wz", "Ga", "N", "c1", "c0"}));
}

}  // namespace
}  // namespace tamiz
