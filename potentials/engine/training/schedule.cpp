#include "tamiz/potentials/engine/training/schedule.hpp"

#include <algorithm>
#include <cmath>
#include <numbers>

namespace tamiz {
namespace {

constexpr double k_last_share = 0.01;

}  // namespace

std::vector<Cycle> cycles(std::int64_t steps, std::int64_t first) {
  std::vector<Cycle> result;
  std::int64_t begin = 0, length = first > 0 ? first : steps;
  // A cycle that would leave less than its own length takes the rest itself.
  for (; steps - begin - length >= length; begin += length, length *= 2) result.push_back({begin, begin + length});
  result.push_back({begin, steps});
  return result;
}

const Cycle& cycle_at(const std::vector<Cycle>& cycles, std::int64_t step) {
  const auto found = std::find_if(cycles.begin(), cycles.end(), [&](const Cycle& cycle) { return step < cycle.end; });
  return found != cycles.end() ? *found : cycles.back();
}

bool is_last_stage(std::int64_t step, const Cycle& cycle, double fraction) {
  return step >= cycle.begin + std::llround(static_cast<double>(cycle.length()) * (1.0 - fraction));
}

double learning_rate_at(std::int64_t step, const Cycle& cycle, double peak) {
  const std::int64_t at = step - cycle.begin, total = cycle.length();
  const std::int64_t warm_up = std::min(std::clamp<std::int64_t>(total / 50, 10, 200), total);
  if (at < warm_up) return peak * static_cast<double>(at + 1) / static_cast<double>(warm_up);
  const double progress = static_cast<double>(at - warm_up) / static_cast<double>(std::max<std::int64_t>(1, total - warm_up));
  return peak * (k_last_share + (1.0 - k_last_share) * 0.5 * (1.0 + std::cos(std::numbers::pi * progress)));
}

}  // namespace tamiz
