#include <gtest/gtest.h>

#include <set>

#include "../../support/crystals.hpp"
#include "tamiz/screening/campaign/stage_learn.hpp"

namespace tamiz {
namespace {

ErrorSummary errors(double score) {
  ErrorSummary summary;
  summary.score = score;
  return summary;
}

LearnRecord judged(int n_held_out, double before, double after, double known) {
  LearnRecord record;
  record.n_held_out = n_held_out;
  record.before = errors(before);
  record.after = errors(after);
  judge(record, 4, {.first = 1.0, .before = 1.0, .after = known});
  return record;
}

TEST(Adoption, needs_better_held_out_labels_and_a_memory_of_the_first_ones) {
  EXPECT_TRUE(judged(4, 0.02, 0.01, 1.2).adopted);
  EXPECT_FALSE(judged(4, 0.02, 0.01, 1.3).adopted);
  EXPECT_FALSE(judged(4, 0.02, 0.02, 0.5).adopted);
}

TEST(Adoption, what_may_be_forgotten_does_not_add_up_over_rounds) {
  LearnRecord record;
  record.n_held_out = 4;
  record.before = errors(0.02);
  record.after = errors(0.01);
  judge(record, 4, {.first = 1.0, .before = 1.2, .after = 1.3});
  EXPECT_FALSE(record.adopted);
  EXPECT_EQ(record.reason, "it forgot too much of the first labels: the old model stays");
}

TEST(Adoption, by_few_held_out_labels_needs_better_test_labels_too) {
  EXPECT_FALSE(judged(3, 0.02, 0.01, 1.0).adopted);
  EXPECT_TRUE(judged(3, 0.02, 0.01, 0.9).adopted);
  EXPECT_FALSE(judged(1, 0.02, 0.03, 0.9).adopted);
}

TEST(Adoption, says_how_many_labels_were_held_out) {
  EXPECT_EQ(judged(5, 0.02, 0.01, 1.0).reason, "better on the 5 labels held out from training");
  EXPECT_EQ(judged(1, 0.02, 0.01, 0.9).reason, "better on the one label held out from training, and on the first test labels");
  EXPECT_EQ(judged(2, 0.02, 0.01, 1.1).reason,
            "better on the 2 labels held out from training, fewer than 4, and not on the first test labels: the old model stays");
}

TEST(Adoption, a_few_labels_among_many_are_repeated) {
  const std::vector<Frame> first(90, Frame{test_support::diamond(), {}, {}, {}}), own(3, Frame{test_support::rocksalt(), {}, {}, {}});
  EXPECT_EQ(with_share(first, own, 0.1).size(), 90u + 4 * 3);  // three times would be less than a tenth
  EXPECT_EQ(with_share(own, first, 0.1).size(), 93u);
}

/// Diamond of the element of this number.
Structure diamond_of(int number) {
  const Structure carbon = test_support::diamond();
  return {carbon.lattice(), k_periodic, std::vector<Element>(carbon.size(), Element(number)), Cartesian{carbon.positions()}};
}

/// A relaxation of three geometries and their end, of which the energy says which candidate it belongs to.
LabelRecord relaxation(int round, int candidate, int element = 0) {
  Frame frame{diamond_of(element > 0 ? element : candidate + 3), {}, {}, {}};
  frame.labels.forces = Coordinates::Zero(2, 3);
  frame.labels.energy = candidate;
  LabelRecord label{round, "c" + std::to_string(candidate), LabelTask::relax, {}};
  label.result.trajectory = {frame, frame, frame};
  label.result.frame = frame;
  return label;
}

std::set<int> candidates_of(const std::vector<Frame>& frames) {
  std::set<int> candidates;
  for (const Frame& frame : frames) candidates.insert(static_cast<int>(*frame.labels.energy));
  return candidates;
}

TEST(Adoption, holds_out_the_share_that_was_asked_for_with_all_frames_of_a_label) {
  CampaignHistory history;
  for (int k = 0; k < 12; ++k) history.labels.push_back(relaxation(0, k));

  const LabelledFrames split = split_labels(history, 0.25);

  EXPECT_EQ(split.n_held_out, 3);
  EXPECT_EQ(split.held_out.size(), 12u);
  EXPECT_EQ(split.training.size(), 36u);
}

TEST(Adoption, holds_out_the_first_label_whatever_the_share) {
  CampaignHistory history;
  history.labels.push_back(relaxation(0, 5));
  EXPECT_EQ(split_labels(history, 0.1).n_held_out, 1);
}

TEST(Adoption, never_trains_on_what_an_earlier_round_held_out) {
  CampaignHistory history;
  for (int k = 0; k < 7; ++k) history.labels.push_back(relaxation(0, k));
  const std::set<int> before = candidates_of(split_labels(history, 0.3).held_out);
  for (int k = 4; k < 15; ++k) history.labels.push_back(relaxation(1, k));

  const LabelledFrames split = split_labels(history, 0.3);

  for (const int candidate : before) EXPECT_FALSE(candidates_of(split.training).contains(candidate));
  EXPECT_GT(candidates_of(split.held_out).size(), before.size());
}

TEST(Adoption, what_became_the_same_crystal_is_on_the_same_side) {
  CampaignHistory history;
  for (int k = 0; k < 16; ++k) history.labels.push_back(relaxation(0, k, 6 + k / 2));

  const LabelledFrames split = split_labels(history, 0.3);

  const std::set<int> held_out = candidates_of(split.held_out), training = candidates_of(split.training);
  EXPECT_EQ(held_out.size() + training.size(), 16u);
  EXPECT_GE(training.size(), 8u);
  for (int k = 0; k < 16; k += 2) EXPECT_EQ(held_out.contains(k), held_out.contains(k + 1)) << k;
}

TEST(Adoption, first_tests_of_compositions_that_are_trained_on_do_not_count) {
  const auto labelled = [](int number) {
    Frame frame{diamond_of(number), {}, {}, {}};
    frame.labels.energy = number;
    frame.labels.forces = Coordinates::Zero(frame.structure.positions().rows(), 3);
    return frame;
  };
  std::vector<Frame> tests;
  for (int number = 3; number < 10; ++number) tests.push_back(labelled(number));

  EXPECT_EQ(tests_of_others(tests, std::vector<Frame>{labelled(4), labelled(9)}).size(), 5u);
  EXPECT_EQ(tests_of_others(tests, std::vector<Frame>{labelled(4), labelled(8), labelled(9)}).size(), 7u) << "too few would be left";
}

TEST(Adoption, learns_from_what_failed_but_not_from_what_the_clock_cut_off) {
  CampaignHistory history;
  for (const LabelStatus status : {LabelStatus::failed, LabelStatus::timed_out}) {
    const Structure crystal = test_support::diamond();
    Frame frame{crystal, {}, {}, {}};
    frame.labels.forces = Coordinates::Zero(2, 3);
    LabelRecord label{0, std::string(to_string(status)), LabelTask::relax, {}};
    label.result.status = status;
    label.result.trajectory = {frame};
    history.labels.push_back(label);
  }

  const LabelledFrames split = split_labels(history, 0.4);

  EXPECT_EQ(split.held_out.size() + split.training.size(), 1u);
}

TEST(Adoption, does_not_learn_from_what_the_death_of_a_worker_cut_off) {
  CampaignHistory history;
  history.labels.push_back(relaxation(0, 1));
  history.labels.push_back(relaxation(0, 2));
  history.labels[0].result.status = history.labels[1].result.status = LabelStatus::failed;
  history.labels[0].result.properties = R"({"cut_off": true})";

  const LabelledFrames split = split_labels(history, 0.5);

  EXPECT_EQ(candidates_of(split.held_out), std::set<int>{2});
  EXPECT_TRUE(split.training.empty());
}

}  // namespace
}  // namespace tamiz
