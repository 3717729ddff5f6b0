#pragma once

#include <cstdint>
#include <vector>

namespace tamiz {

/// Steps [begin, end) over which the learning rate goes up and down once.
struct Cycle {
  std::int64_t begin, end;
  std::int64_t length() const { return end - begin; }
};

/// Cuts a run into cycles, each twice as long as the one before; the last takes what is left, at least the length of the one
/// before. `first` 0: a single one.
std::vector<Cycle> cycles(std::int64_t steps, std::int64_t first);

/// The one that holds `step`, or the last.
const Cycle& cycle_at(const std::vector<Cycle>& cycles, std::int64_t step);

/// Whether a step is in the last `fraction` of its cycle, which has weights of its own.
bool is_last_stage(std::int64_t step, const Cycle& cycle, double fraction);

/// Learning rate at a step of a cycle: linear warm-up over its first 2 % (10 to 200 steps), then a cosine down to 1 % of
/// `peak`.
double learning_rate_at(std::int64_t step, const Cycle& cycle, double peak);

}  // namespace tamiz
