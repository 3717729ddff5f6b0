#include "tamiz/screening/campaign/decide.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <map>
#include <set>

#include "tamiz/core/structure/identity.hpp"
#include "tamiz/screening/oracle/relative_cost.hpp"

namespace tamiz {
namespace {

constexpr double k_sigma_floor = 0.005;  // [eV/atom]
constexpr double k_hopeless = 0.3;       // [eV/atom] above the hull, two sigma down
constexpr double k_blind = 0.2;          // [eV/atom] a larger sigma says that the model knows nothing: no relaxation
constexpr double k_torn = 0.3;           // [eV/atom] a larger one is of a geometry that is none: no label, unless it would lead the ranking

struct Option {
  const RelaxedCandidate* candidate;
  std::string formula;
  double probability;
  double cost;
};

/// The geometry that a relaxation with DFT ended in, or that it failed from.
const Structure* geometry_of(const LabelRecord& label, const CampaignHistory& history) {
  if (label.result.status == LabelStatus::finished) return label.result.frame ? &label.result.frame->structure : nullptr;
  if (label.round >= static_cast<int>(history.predictions.size())) return nullptr;
  const auto& asked = history.predictions[static_cast<std::size_t>(label.round)].candidates;
  const auto found = std::ranges::find(asked, label.candidate, &RelaxedCandidate::candidate);
  return found == asked.end() ? nullptr : &found->structure;
}

/// What DFT relaxed, before this campaign and in it, or could not relax: nothing is learned from relaxing it again.
StructureIndex tried_with_dft(const CampaignHistory& history, const CompetingSet& competing) {
  StructureIndex tried;
  for (const CompetingPhase& phase : competing.phases) tried.add(phase.id, phase.structure);
  for (const LabelRecord& label : history.labels)
    if (const Structure* geometry = label.task == LabelTask::relax ? geometry_of(label, history) : nullptr)
      tried.add(label.candidate, *geometry);
  return tried;
}

/// Whether a single point may find a discovery, or that there is none where the model has a hole.
bool may_be_found(const ModelAssessment& assessment, double window) {
  return assessment.e_hull - 2.0 * assessment.sigma < window && (assessment.sigma <= k_torn || assessment.e_hull < window);
}

/// Eq. 19: not hopeless.
bool may_be_stable(const ModelAssessment& assessment) { return assessment.e_hull - 2.0 * assessment.sigma < k_hopeless; }

std::vector<Option> open_options(const RoundPrediction& prediction, const CampaignHistory& history,
                                 const CompetingSet& competing, double window) {
  std::vector<Option> options;
  const StructureIndex tried = tried_with_dft(history, competing);
  for (const RelaxedCandidate& candidate : prediction.candidates) {
    if (candidate.outcome != "relaxed") continue;
    const Composition composition = candidate.structure.composition();
    if (!competing.complete(composition.system())) continue;
    if (history.label_of(candidate.candidate, LabelTask::relax) != nullptr || !tried.find(candidate.structure).empty()) continue;
    const ModelAssessment& assessment = candidate.assessment;
    options.push_back({&candidate, composition.reduced().formula(),
                       probability_below(window, assessment.e_hull, assessment.sigma),
                       relative_cost(candidate.structure, candidate.space_group_number)});
  }
  return options;
}

LabelChoice choice_of(const Option& option, LabelTask task, double score, std::string why) {
  const ModelAssessment& assessment = option.candidate->assessment;
  return {option.candidate->candidate, task, std::move(why), score, assessment.e_hull, assessment.sigma};
}

/// Takes the best options in order until `budget` is full, at most `limit` of one formula.
template <typename Score, typename Make>
void take_best(std::vector<Option> options, int budget, int limit, std::map<std::string, int>& per_formula,
               std::set<std::string>& taken, std::vector<LabelChoice>& chosen, Score score, Make make) {
  std::stable_sort(options.begin(), options.end(),
                   [&](const Option& a, const Option& b) { return score(a) > score(b); });
  for (const Option& option : options) {
    if (budget == 0) return;
    if (taken.contains(option.candidate->candidate) || per_formula[option.formula] >= limit) continue;
    chosen.push_back(make(option));
    taken.insert(option.candidate->candidate);
    ++per_formula[option.formula];
    --budget;
  }
}

}  // namespace

double probability_below(double window, double mean, double sigma) {
  const double width = std::max(sigma, k_sigma_floor);
  return 0.5 * std::erfc((mean - window) / (width * std::sqrt(2.0)));
}

std::vector<LabelChoice> decide(const RoundPrediction& prediction, const CampaignHistory& history,
                                const CompetingSet& competing, const DecideOptions& options) {
  const std::vector<Option> open = open_options(prediction, history, competing, options.window);
  std::vector<LabelChoice> chosen;
  std::map<std::string, int> per_formula;
  std::set<std::string> taken;

  const auto value = [](const Option& option) { return option.probability / option.cost; };
  std::vector<Option> known_enough;
  std::copy_if(open.begin(), open.end(), std::back_inserter(known_enough),
               [](const Option& option) { return option.candidate->assessment.sigma <= k_blind && may_be_stable(option.candidate->assessment); });
  take_best(known_enough, options.labels_per_round - options.explore, options.max_per_composition, per_formula, taken, chosen, value,
            [&](const Option& option) {
              return choice_of(option, LabelTask::relax, value(option),
                               fmt::format("probability {:.2f} of E_hull below {:.0f} meV/atom", option.probability,
                                           1000.0 * options.window));
            });

  std::vector<Option> uncertain;
  for (const Option& option : open) {
    const bool seen = history.label_of(option.candidate->candidate, LabelTask::single_point) != nullptr;
    if (!seen && may_be_found(option.candidate->assessment, options.window)) uncertain.push_back(option);
  }
  const auto doubt = [](const Option& option) { return option.candidate->assessment.sigma; };
  const int rest = options.labels_per_round - static_cast<int>(chosen.size());
  take_best(uncertain, rest, options.max_per_composition, per_formula, taken, chosen, doubt,
            [&](const Option& option) {
              return choice_of(option, LabelTask::single_point, doubt(option),
                               fmt::format("committee spread {:.0f} meV/atom", 1000.0 * doubt(option)));
            });
  std::sort(chosen.begin(), chosen.end(),
            [](const LabelChoice& a, const LabelChoice& b) { return a.candidate < b.candidate; });
  return chosen;
}

}  // namespace tamiz
