#include "tamiz/screening/campaign/ranking.hpp"

#include <algorithm>
#include <map>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/structure/identity.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/campaign/confirmed.hpp"

namespace tamiz {
namespace {

const LabelRecord* finished(const CampaignHistory& history, const std::string& candidate, LabelTask task) {
  const LabelRecord* label = history.label_of(candidate, task);
  return label != nullptr && label->result.status == LabelStatus::finished ? label : nullptr;
}

double energy_per_atom(const LabelRecord& label) {
  const Frame& frame = *label.result.frame;
  return *frame.labels.energy / static_cast<double>(frame.structure.size());
}

/// Hull of the competing phases and of everything this campaign relaxed with DFT.
DftHull hull_with_confirmed(const CompetingSet& competing, std::span<const RankedCandidate> ranked) {
  std::vector<Phase> phases = hull_phases(competing.phases);
  for (const RankedCandidate& entry : ranked)
    if (entry.outcome == "ranked" && entry.confidence == Confidence::confirmed)
      phases.push_back({entry.proposal->id, entry.structure.composition(), *entry.dft_energy});
  return DftHull(std::move(phases));
}

/// A single point speaks of its own geometry: what a later model relaxed into something else is a prediction again.
bool still_at(const Structure& model, const LabelRecord& label) {
  return StructureIdentity(model).same_as(StructureIdentity(label.result.frame->structure));
}

void set_label(RankedCandidate& entry, const LabelRecord& label) {
  entry.label = &label;
  entry.structure = label.result.frame->structure;
  entry.dft_energy = energy_per_atom(label);
}

void set_confidence(RankedCandidate& entry, const CampaignHistory& history) {
  const std::string& id = entry.proposal->id;
  if (const LabelRecord* relaxed = finished(history, id, LabelTask::relax)) {
    entry.confidence = is_at_rest(relaxed->result.frame->labels) ? Confidence::confirmed : Confidence::checked;
    set_label(entry, *relaxed);
  } else if (const LabelRecord* checked = finished(history, id, LabelTask::single_point);
             checked != nullptr && still_at(entry.structure, *checked)) {
    entry.confidence = Confidence::checked;
    set_label(entry, *checked);
  }
  entry.gap = finished(history, id, LabelTask::gap);
  if (entry.label != nullptr) return;
  for (const LabelRecord& label : history.labels)
    if (label.candidate == id && label.result.status != LabelStatus::finished) entry.failed = &label;
}

/// Candidates that DFT relaxed into one another: the lowest stays, the others are duplicates of it.
void merge_confirmed(std::vector<RankedCandidate>& ranked) {
  std::vector<RankedCandidate*> confirmed;
  std::vector<Structure> structures;
  for (RankedCandidate& entry : ranked) {
    if (entry.outcome != "ranked" || entry.confidence != Confidence::confirmed) continue;
    confirmed.push_back(&entry);
    structures.push_back(entry.structure);
  }
  const std::vector<std::size_t> first = group_duplicates(structures);
  std::vector<std::size_t> lowest = first;  // by group, which its first member stands for
  for (std::size_t k = 0; k < first.size(); ++k)
    if (energy_per_atom(*confirmed[k]->label) < energy_per_atom(*confirmed[lowest[first[k]]]->label)) lowest[first[k]] = k;
  for (std::size_t k = 0; k < first.size(); ++k) {
    const std::size_t kept = lowest[first[k]];
    if (kept == k) continue;
    confirmed[k]->outcome = "duplicate";
    confirmed[k]->reason = "duplicate of " + confirmed[kept]->proposal->id + " after relaxation with DFT";
  }
}

/// What a model relaxes into a crystal that DFT relaxed already, from another candidate, is that crystal.
void merge_predicted(std::vector<RankedCandidate>& ranked) {
  StructureIndex relaxed;
  const auto is_relaxed = [](const RankedCandidate& entry) { return entry.label != nullptr && entry.label->task == LabelTask::relax; };
  const auto merge = [&](RankedCandidate& entry) {
    const std::string same = relaxed.find(entry.structure);
    if (same.empty()) return false;
    entry.outcome = "duplicate";
    entry.reason = "duplicate of " + same + ", which DFT relaxed";
    return true;
  };
  // What is at rest first, then what is not quite, then the rest.
  for (const bool at_rest : {true, false})
    for (RankedCandidate& entry : ranked) {
      if (entry.outcome != "ranked" || !is_relaxed(entry) || (entry.confidence == Confidence::confirmed) != at_rest) continue;
      if (at_rest || !merge(entry)) relaxed.add(entry.proposal->id, entry.structure);
    }
  for (RankedCandidate& entry : ranked)
    if (entry.outcome == "ranked" && !is_relaxed(entry)) merge(entry);
}

/// Competing phases, by their geometry, and other reported ones, by formula and space group: their geometry was not
/// calculated.
class KnownPhases {
 public:
  explicit KnownPhases(const CompetingSet& competing) : reported_(competing.reported) {
    for (const CompetingPhase& phase : competing.phases) calculated_.add(phase.id, phase.structure);
  }

  std::string name_of(const Structure& structure) const {
    const std::string id = calculated_.find(structure);
    return id.empty() ? reported_as(structure) : id;
  }

 private:
  std::string reported_as(const Structure& structure) const {
    const std::string formula = structure.composition().reduced().formula();
    const auto named = [&](const ReportedPhase& phase) {
      return phase.space_group > 0 && phase.composition.reduced().formula() == formula;
    };
    if (std::none_of(reported_.begin(), reported_.end(), named)) return "";
    const int group = group_of(structure);
    for (const ReportedPhase& phase : reported_)
      if (named(phase) && phase.space_group == group) return phase.id;
    return "";
  }

  static int group_of(const Structure& structure) {
    try {
      return space_group(structure, k_symmetry_tolerance).number;
    } catch (const NumericsError&) {
      return 0;  // spglib finds none
    }
  }

  StructureIndex calculated_;
  std::span<const ReportedPhase> reported_;
};

/// What became a known phase has the energy that DFT gave that phase, unless DFT looked at it itself.
void take_known(RankedCandidate& entry, std::span<const CompetingPhase> phases) {
  const auto phase = std::ranges::find(phases, entry.known_as, &CompetingPhase::id);
  if (entry.label != nullptr || phase == phases.end()) return;
  entry.confidence = Confidence::known;
  entry.structure = phase->structure;
  entry.dft_energy = phase->energy_per_atom;
}

void assess_with_dft(RankedCandidate& entry, const DftHull& hull) {
  if (!entry.dft_energy) return;
  std::vector<std::string> itself{entry.proposal->id};
  if (!entry.known_as.empty()) itself.push_back(entry.known_as);
  entry.dft = hull.assess(entry.structure.composition(), *entry.dft_energy, itself);
}

}  // namespace

std::string_view to_string(Confidence confidence) {
  switch (confidence) {
    case Confidence::predicted: return "predicted";
    case Confidence::checked: return "DFT-checked";
    case Confidence::known: return "known phase";
    case Confidence::confirmed: return "DFT-confirmed";
  }
  return "predicted";
}

std::vector<RankedCandidate> rank(const CampaignHistory& history) {
  if (!history.candidates || history.predictions.empty()) return {};
  const CompetingSet& competing = history.start->competing;
  const RoundPrediction& last = history.predictions.back();
  std::vector<RankedCandidate> ranked;
  for (std::size_t k = 0; k < history.candidates->size(); ++k) {
    const Candidate& proposal = (*history.candidates)[k];
    const RelaxedCandidate& model = last.candidates[k];
    RankedCandidate entry{.proposal = &proposal,
                          .model = &model,
                          .dft = std::nullopt,
                          .structure = model.structure,
                          .outcome = model.outcome == "relaxed" ? "ranked" : model.outcome,
                          .reason = model.reason,
                          .known_as = ""};
    set_confidence(entry, history);
    // What DFT relaxed stands for itself, whatever a later model makes of it.
    if (entry.confidence == Confidence::confirmed) {
      entry.outcome = "ranked";
      entry.reason.clear();
    }
    if (entry.outcome == "ranked" && !competing.complete(proposal.structure.composition().system()))
      entry.outcome = "hull incomplete";
    ranked.push_back(std::move(entry));
  }
  merge_confirmed(ranked);
  merge_predicted(ranked);

  const DftHull hull = hull_with_confirmed(competing, ranked);
  const KnownPhases known(competing);
  for (RankedCandidate& entry : ranked) {
    if (entry.outcome == "failed") continue;
    entry.known_as = known.name_of(entry.structure);
    entry.compared = !entry.known_as.empty() || competing.complete(entry.structure.composition().system());
    if (entry.outcome != "ranked") continue;
    take_known(entry, competing.phases);
    assess_with_dft(entry, hull);
  }
  std::stable_sort(ranked.begin(), ranked.end(), [](const RankedCandidate& a, const RankedCandidate& b) {
    const bool first = a.outcome == "ranked", second = b.outcome == "ranked";
    if (first != second) return first;
    if (!first) return false;
    // A model's energy may lie below its hull, DFT's by definition not: both count as on the hull, and the better known first.
    const double above_a = std::max(0.0, a.e_hull()), above_b = std::max(0.0, b.e_hull());
    return above_a != above_b ? above_a < above_b : a.confidence > b.confidence;
  });
  int place = 0;
  for (RankedCandidate& entry : ranked)
    if (entry.outcome == "ranked") entry.rank = ++place;
  for (RankedCandidate& entry : ranked) {
    const auto found = std::ranges::find(history.vibrations, entry.proposal->id, &VibrationRecord::candidate);
    if (found != history.vibrations.end()) entry.vibrations = &*found;
  }
  return ranked;
}

}  // namespace tamiz
