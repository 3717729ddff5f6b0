#include <gtest/gtest.h>

#include <set>

#include "tamiz/screening/campaign/decide.hpp"

namespace tamiz {
namespace {

Structure pair_of(int first, int second) {
  Coordinates positions(2, 3);
  positions << 0.0, 0.0, 0.0, 2.0, 2.0, 2.0;
  return Structure(Lattice(Mat3(Mat3::Identity() * 4.0)), k_periodic, {Element(first), Element(second)}, Cartesian{positions});
}

RelaxedCandidate candidate(const std::string& id, int metal, double e_hull, double sigma) {
  return {.candidate = id, .outcome = "relaxed", .reason = "", .steps = 1, .structure = pair_of(metal, 7),
          .space_group_number = 1, .space_group = "P1", .energy = {},
          .assessment = {.formation_energy = -1.0, .e_hull = e_hull, .sigma = sigma, .members = {}}};
}

CompetingSet complete_hulls() {
  CompetingSet set;
  set.missing = {{"Mg-N", {}}, {"Ca-N", {}}, {"N-Si", {"Si3N4"}}};
  return set;
}

LabelRecord finished_label(const std::string& id, LabelTask task) {
  LabelRecord record{.round = 0, .candidate = id, .task = task, .result = {}};
  record.result.status = LabelStatus::finished;
  return record;
}

std::set<std::string> ids(const std::vector<LabelChoice>& choices, LabelTask task) {
  std::set<std::string> result;
  for (const LabelChoice& choice : choices)
    if (choice.task == task) result.insert(choice.candidate);
  return result;
}

TEST(Decide, relaxes_the_probable_and_explores_the_uncertain) {
  const RoundPrediction prediction{.round = 0, .model_hash = "", .candidates = {
      candidate("c1", 12, 0.50, 0.01), candidate("c2", 12, 0.02, 0.01), candidate("c3", 20, 0.25, 0.20),
      candidate("c4", 20, 0.12, 0.02)}, .competing = {}};

  const auto choices = decide(prediction, {}, complete_hulls(),
                              {.rounds = 1, .labels_per_round = 2, .explore = 1, .window = 0.05, .max_per_composition = 2});

  EXPECT_EQ(ids(choices, LabelTask::relax), std::set<std::string>{"c2"});
  EXPECT_EQ(ids(choices, LabelTask::single_point), std::set<std::string>{"c3"});
}

TEST(Decide, explores_only_where_a_discovery_may_be) {
  const RoundPrediction prediction{.round = 0, .model_hash = "", .candidates = {
      candidate("c1", 12, 0.60, 0.20), candidate("c2", 12, 0.10, 0.45), candidate("c3", 20, 0.15, 0.10), candidate("c4", 20, 0.02, 0.01)},
      .competing = {}};

  const auto choices = decide(prediction, {}, complete_hulls(),
                              {.rounds = 1, .labels_per_round = 3, .explore = 2, .window = 0.05, .max_per_composition = 2});

  EXPECT_EQ(ids(choices, LabelTask::relax), std::set<std::string>{"c4"});
  EXPECT_EQ(ids(choices, LabelTask::single_point), std::set<std::string>{"c3"}) << "far above the window, and torn";
}

TEST(Decide, leaves_out_incomplete_hulls_and_what_is_labelled) {
  const RoundPrediction prediction{.round = 1, .model_hash = "", .candidates = {
      candidate("c1", 14, 0.00, 0.01), candidate("c2", 12, 0.00, 0.01), candidate("c3", 12, 0.01, 0.01)}, .competing = {}};
  CampaignHistory history;
  history.labels.push_back(finished_label("c2", LabelTask::relax));

  const auto choices = decide(prediction, history, complete_hulls(),
                              {.rounds = 1, .labels_per_round = 3, .explore = 0, .window = 0.05, .max_per_composition = 3});

  ASSERT_EQ(choices.size(), 1u);
  EXPECT_EQ(choices[0].candidate, "c3");
}

TEST(Decide, does_not_relax_again_what_another_candidate_became) {
  const RoundPrediction prediction{.round = 1, .model_hash = "", .candidates = {
      candidate("c1", 12, 0.00, 0.01), candidate("c2", 20, 0.00, 0.01)}, .competing = {}};
  CampaignHistory history;
  history.labels.push_back(finished_label("c9", LabelTask::relax));
  history.labels.back().result.frame = Frame{pair_of(12, 7), {}, {}, {}};

  const auto choices = decide(prediction, history, complete_hulls(),
                              {.rounds = 1, .labels_per_round = 2, .explore = 0, .window = 0.05, .max_per_composition = 2});

  EXPECT_EQ(ids(choices, LabelTask::relax), std::set<std::string>{"c2"});
}

TEST(Decide, does_not_relax_again_what_failed_from_another_candidate) {
  const RoundPrediction first{.round = 0, .model_hash = "", .candidates = {candidate("c9", 12, 0.00, 0.01)}, .competing = {}};
  const RoundPrediction prediction{.round = 1, .model_hash = "", .candidates = {
      candidate("c1", 12, 0.00, 0.01), candidate("c2", 20, 0.00, 0.01)}, .competing = {}};
  CampaignHistory history;
  history.predictions = {first};
  history.labels.push_back(finished_label("c9", LabelTask::relax));
  history.labels.back().result.status = LabelStatus::timed_out;

  const auto choices = decide(prediction, history, complete_hulls(),
                              {.rounds = 1, .labels_per_round = 2, .explore = 0, .window = 0.05, .max_per_composition = 2});

  EXPECT_EQ(ids(choices, LabelTask::relax), std::set<std::string>{"c2"});
}

TEST(Decide, what_cannot_be_stable_is_not_relaxed_for_want_of_better) {
  const RoundPrediction prediction{.round = 0, .model_hash = "", .candidates = {
      candidate("c1", 12, 0.02, 0.01), candidate("c2", 20, 0.90, 0.02)}, .competing = {}};

  const auto choices = decide(prediction, {}, complete_hulls(),
                              {.rounds = 1, .labels_per_round = 2, .explore = 0, .window = 0.05, .max_per_composition = 2});

  ASSERT_EQ(choices.size(), 1u);
  EXPECT_EQ(choices[0].candidate, "c1");
}

TEST(Decide, known_phases_cost_no_label) {
  const RoundPrediction prediction{.round = 0, .model_hash = "", .candidates = {
      candidate("c1", 12, 0.00, 0.01), candidate("c2", 20, 0.00, 0.01)}, .competing = {}};
  CompetingSet competing = complete_hulls();
  competing.phases = {{"MgN", "MgN", "test", pair_of(12, 7), -5.0, {}}};

  const auto choices = decide(prediction, {}, competing,
                              {.rounds = 1, .labels_per_round = 2, .explore = 0, .window = 0.05, .max_per_composition = 2});

  ASSERT_EQ(choices.size(), 1u);
  EXPECT_EQ(choices[0].candidate, "c2");
}

TEST(Decide, spends_a_round_on_several_compositions) {
  RoundPrediction prediction{.round = 0, .model_hash = "", .candidates = {}, .competing = {}};
  for (int k = 0; k < 6; ++k) prediction.candidates.push_back(candidate("c1" + std::to_string(k), 12, 0.0, 0.01));
  prediction.candidates.push_back(candidate("c20", 20, 0.3, 0.01));

  const auto choices = decide(prediction, {}, complete_hulls(),
                              {.rounds = 1, .labels_per_round = 3, .explore = 0, .window = 0.05, .max_per_composition = 2});

  ASSERT_EQ(choices.size(), 3u);
  EXPECT_EQ(choices[2].candidate, "c20");
}

TEST(Decide, what_the_model_knows_nothing_of_is_not_relaxed) {
  const RoundPrediction prediction{.round = 0, .model_hash = "", .candidates = {
      candidate("c1", 12, -0.70, 0.90), candidate("c2", 12, 0.04, 0.03)}, .competing = {}};

  const auto choices = decide(prediction, {}, complete_hulls(),
                              {.rounds = 1, .labels_per_round = 2, .explore = 1, .window = 0.1, .max_per_composition = 2});

  EXPECT_EQ(ids(choices, LabelTask::relax), std::set<std::string>{"c2"});
  EXPECT_EQ(ids(choices, LabelTask::single_point), std::set<std::string>{"c1"});
}

TEST(Decide, of_two_alike_the_one_with_more_symmetry_is_cheaper) {
  RoundPrediction prediction{.round = 0, .model_hash = "", .candidates = {
      candidate("c1", 12, 0.02, 0.02), candidate("c2", 12, 0.02, 0.02)}, .competing = {}};
  prediction.candidates[1].space_group_number = 164;

  const auto choices = decide(prediction, {}, complete_hulls(),
                              {.rounds = 1, .labels_per_round = 1, .explore = 0, .window = 0.1, .max_per_composition = 2});

  EXPECT_EQ(ids(choices, LabelTask::relax), std::set<std::string>{"c2"});
}

TEST(Decide, probability_is_one_half_at_the_window_and_never_certain) {
  EXPECT_NEAR(probability_below(0.05, 0.05, 0.02), 0.5, 1e-12);
  EXPECT_NEAR(probability_below(0.05, 0.03, 0.02), 0.841344746, 1e-8);
  EXPECT_GT(probability_below(0.05, 0.06, 0.0), 0.0);
}

}  // namespace
}  // namespace tamiz
