#include <gtest/gtest.h>

#include "tamiz/potentials/engine/training/schedule.hpp"

namespace {

using namespace tamiz;

std::vector<std::int64_t> ends(std::int64_t steps, std::int64_t first) {
  std::vector<std::int64_t> result;
  for (const Cycle& cycle : cycles(steps, first)) result.push_back(cycle.end);
  return result;
}

TEST(Schedule, cycles_double_and_the_last_takes_the_rest) {
  using Ends = std::vector<std::int64_t>;
  EXPECT_EQ(ends(100, 0), Ends{100});
  EXPECT_EQ(ends(100, 200), Ends{100});
  EXPECT_EQ(ends(199, 100), Ends{199});
  EXPECT_EQ(ends(200, 100), (Ends{100, 200}));
  EXPECT_EQ(ends(499, 100), (Ends{100, 499}));
  EXPECT_EQ(ends(500, 100), (Ends{100, 300, 500}));
}

TEST(Schedule, every_cycle_begins_low_and_ends_low) {
  const auto all = cycles(7000, 1000);
  for (const Cycle& cycle : all) {
    double highest = 0.0;
    for (std::int64_t step = cycle.begin; step < cycle.end; ++step) {
      EXPECT_EQ(cycle_at(all, step).begin, cycle.begin);
      highest = std::max(highest, learning_rate_at(step, cycle, 0.01));
    }
    EXPECT_LT(learning_rate_at(cycle.begin, cycle, 0.01), 0.001);
    EXPECT_DOUBLE_EQ(highest, 0.01);
    EXPECT_NEAR(learning_rate_at(cycle.end - 1, cycle, 0.01), 0.0001, 1e-6);
  }
  EXPECT_EQ(cycle_at(all, 7000).end, 7000);
}

TEST(Schedule, the_last_stage_is_the_end_of_every_cycle) {
  const Cycle cycle{100, 300};

  EXPECT_FALSE(is_last_stage(100, cycle, 0.25));
  EXPECT_FALSE(is_last_stage(249, cycle, 0.25));
  EXPECT_TRUE(is_last_stage(250, cycle, 0.25));
  EXPECT_TRUE(is_last_stage(299, cycle, 0.25));
  EXPECT_FALSE(is_last_stage(299, cycle, 0.0));
  EXPECT_TRUE(is_last_stage(100, cycle, 1.0));
}

}  // namespace
