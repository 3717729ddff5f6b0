#include "tamiz/screening/campaign/confirmed.hpp"

#include <algorithm>

#include "tamiz/core/base/units.hpp"

namespace tamiz {
namespace {

constexpr double k_confirmed_fmax = 0.03;                // [eV/Å]
constexpr double k_confirmed_smax = 0.5 * units::k_gpa;  // [eV/Å³]
constexpr double k_rounding = 1e-9;

}  // namespace

bool is_at_rest(const Labels& labels) {
  return labels.forces && labels.stress && labels.forces->rowwise().norm().maxCoeff() <= k_confirmed_fmax + k_rounding &&
         labels.stress->cwiseAbs().maxCoeff() <= k_confirmed_smax + k_rounding;
}

std::vector<CompetingPhase> confirmed_phases(const CampaignHistory& history) {
  std::vector<CompetingPhase> phases;
  for (const LabelRecord& label : history.labels) {
    if (label.task != LabelTask::relax || label.result.status != LabelStatus::finished || !label.result.frame) continue;
    const Frame& frame = *label.result.frame;
    if (!is_at_rest(frame.labels) || !frame.labels.energy) continue;
    phases.push_back({label.candidate, label.candidate, "this campaign", frame.structure,
                      *frame.labels.energy / static_cast<double>(frame.structure.size()), std::nullopt});
  }
  return phases;
}

std::vector<CompetingPhase> phases_behind(const RoundPrediction& prediction, const CampaignHistory& history) {
  std::vector<CompetingPhase> phases = history.start->competing.phases;
  for (CompetingPhase& phase : confirmed_phases(history)) {
    if (phases.size() >= prediction.competing.size()) break;
    phases.push_back(std::move(phase));
  }
  return phases;
}

}  // namespace tamiz
