#include "tamiz/screening/campaign/stage_relax.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/units.hpp"
#include "tamiz/core/structure/identity.hpp"
#include "tamiz/core/structure/symmetry.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_evaluation_chunk = 64;  // structures in one evaluation, bounds the memory
constexpr double k_lost = 1.0;  // [eV/atom]: where the committee spreads more than this, the model knows nothing

/// A relaxed structure on its exact symmetry, or as it is where spglib finds none.
Structure cleaned(const Structure& structure, SpaceGroup& group) {
  try {
    group = space_group(structure, k_symmetry_tolerance);
    return symmetrized(structure, k_symmetry_tolerance);
  } catch (const NumericsError&) {
    return structure;
  }
}

/// A relaxation that ran out of steps close to its goal still ranks; far from it, it does not.
bool usable(const RelaxResult& result) {
  return result.status == RelaxStatus::converged ||
         (result.status == RelaxStatus::out_of_steps && result.fmax < 0.1 && !(result.smax >= 0.01));  // NaN without a cell
}

/// Empty for a relaxation that came to its goal.
std::string reason_of(const RelaxResult& result) {
  if (result.status == RelaxStatus::converged) return "";
  if (!usable(result)) return fmt::format("{}: {}", to_string(result.status), result.reason);
  return fmt::format("the model's relaxation ran out of steps at {:.3f} eV/Å and {:.2f} GPa", result.fmax, result.smax / units::k_gpa);
}

/// With the geometry that was proposed, as a campaign that is read again has it: the model's may not even be finite.
RelaxedCandidate failed(const Candidate& candidate, int steps, std::string reason) {
  return {.candidate = candidate.id, .outcome = "failed", .reason = std::move(reason), .steps = steps, .structure = candidate.structure,
          .space_group_number = 1, .space_group = "P1", .energy = {}, .assessment = {}};
}

RelaxedCandidate outcome_of(const Candidate& candidate, const RelaxResult& result) {
  if (!usable(result)) return failed(candidate, result.steps, reason_of(result));
  SpaceGroup group;
  RelaxedCandidate relaxed{.candidate = candidate.id,
                           .outcome = "relaxed",
                           .reason = reason_of(result),
                           .steps = result.steps,
                           .structure = cleaned(result.structure, group),
                           .space_group_number = 1,
                           .space_group = "P1",
                           .energy = {},
                           .assessment = {}};
  relaxed.space_group_number = group.number;
  relaxed.space_group = group.symbol;
  return relaxed;
}

/// Marks every candidate that became the same as an earlier one.
void merge_duplicates(std::vector<RelaxedCandidate>& candidates) {
  std::vector<std::size_t> indices;
  std::vector<Structure> structures;
  for (std::size_t k = 0; k < candidates.size(); ++k) {
    if (candidates[k].outcome != "relaxed") continue;
    indices.push_back(k);
    structures.push_back(candidates[k].structure);
  }
  const std::vector<std::size_t> first = group_duplicates(structures);
  for (std::size_t k = 0; k < first.size(); ++k) {
    if (first[k] == k) continue;
    RelaxedCandidate& duplicate = candidates[indices[k]];
    duplicate.outcome = "duplicate";
    duplicate.reason = "duplicate of " + candidates[indices[first[k]]].candidate;
  }
}

}  // namespace

std::vector<ModelEnergy> model_energies(const Potential& potential, std::span<const Structure> structures) {
  std::vector<ModelEnergy> energies;
  const Outputs outputs{.forces = false, .members = potential.capabilities().n_members > 0};
  for (std::size_t begin = 0; begin < structures.size(); begin += k_evaluation_chunk) {
    const auto chunk = structures.subspan(begin, std::min(k_evaluation_chunk, structures.size() - begin));
    const Prediction prediction = evaluate(potential, chunk, outputs);
    for (std::size_t s = 0; s < chunk.size(); ++s) {
      const double n = static_cast<double>(chunk[s].size());
      const auto row = static_cast<Eigen::Index>(s);
      ModelEnergy energy{prediction.energies[row] / n, {}};
      for (Eigen::Index k = 0; k < prediction.member_energies.cols(); ++k)
        energy.members.push_back(prediction.member_energies(row, k) / n);
      energies.push_back(std::move(energy));
    }
  }
  return energies;
}

RoundPrediction relax_and_assess(const Potential& potential, std::span<const Candidate> candidates,
                                 std::span<const Structure> start, std::span<const CompetingPhase> phases,
                                 const RelaxOptions& options, int round, const std::string& model_hash,
                                 const std::function<void(std::size_t)>& progress) {
  std::vector<Structure> all(start.begin(), start.end());
  for (const CompetingPhase& phase : phases) all.push_back(phase.structure);
  std::vector<RelaxResult> results = relax(potential, all, options, [&](std::size_t done) {
    progress(done);
    return true;
  });

  RoundPrediction prediction{.round = round, .model_hash = model_hash, .candidates = {}, .competing = {}};
  for (std::size_t k = 0; k < candidates.size(); ++k)
    prediction.candidates.push_back(outcome_of(candidates[k], results[k]));
  merge_duplicates(prediction.candidates);

  // A competitor that the model cannot hold together still has a model energy: at its DFT geometry.
  std::vector<Structure> competitors;
  for (std::size_t k = 0; k < phases.size(); ++k) {
    const RelaxResult& result = results[candidates.size() + k];
    competitors.push_back(usable(result) ? result.structure : phases[k].structure);
  }
  prediction.competing = model_energies(potential, competitors);
  const CommitteeHulls hulls(phases, prediction.competing);

  std::vector<Structure> relaxed;
  std::vector<std::size_t> indices;
  for (std::size_t k = 0; k < prediction.candidates.size(); ++k) {
    if (prediction.candidates[k].outcome == "failed") continue;
    indices.push_back(k);
    relaxed.push_back(prediction.candidates[k].structure);
  }
  const std::vector<ModelEnergy> energies = model_energies(potential, relaxed);
  for (std::size_t k = 0; k < indices.size(); ++k) {
    RelaxedCandidate& candidate = prediction.candidates[indices[k]];
    candidate.energy = energies[k];
    candidate.assessment = hulls.assess(candidate.structure.composition(), candidate.energy, std::span(&candidate.candidate, 1));
    if (candidate.assessment.sigma <= k_lost || candidate.outcome != "relaxed") continue;
    candidate = failed(candidates[indices[k]], candidate.steps, fmt::format("uncertain: the committee spreads over {:.1f} eV/atom", candidate.assessment.sigma));
  }
  return prediction;
}

}  // namespace tamiz
