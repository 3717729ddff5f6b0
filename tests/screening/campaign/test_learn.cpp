#include <gtest/gtest.h>

#include "../../support/crystals.hpp"
#include "tamiz/screening/campaign/stage_learn.hpp"

namespace tamiz {
namespace {

ErrorSummary errors(double energy_mae) {
  ErrorSummary summary;
  summary.energy_mae = energy_mae;
  return summary;
}

LearnRecord judged(int n_held_out, double before, double after, double known) {
  LearnRecord record;
  record.n_held_out = n_held_out;
  record.before = errors(before);
  record.after = errors(after);
  judge(record, 4, known);
  return record;
}

TEST(Adoption, needs_better_held_out_labels_and_a_memory_of_the_first_ones) {
  EXPECT_TRUE(judged(4, 0.02, 0.01, 1.2).adopted);
  EXPECT_FALSE(judged(4, 0.02, 0.01, 1.3).adopted);
  EXPECT_FALSE(judged(4, 0.02, 0.02, 0.5).adopted);
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

TEST(Adoption, counts_held_out_labels_not_their_frames) {
  CampaignHistory history;
  for (int k = 0; k < 12; ++k) {
    const Structure crystal = test_support::diamond();
    Frame frame{crystal, {}, {}, {}};
    frame.labels.forces = Coordinates::Zero(2, 3);
    LabelRecord label{0, "c" + std::to_string(k), LabelTask::relax, {}};
    label.result.trajectory = {frame, frame, frame};
    history.labels.push_back(label);
  }

  const LabelledFrames split = split_labels(history, 0.4);

  EXPECT_EQ(split.held_out.size(), 3u * static_cast<std::size_t>(split.n_held_out));
  EXPECT_EQ(split.held_out.size() + split.training.size(), 36u);
  EXPECT_GT(split.n_held_out, 0);
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

}  // namespace
}  // namespace tamiz
