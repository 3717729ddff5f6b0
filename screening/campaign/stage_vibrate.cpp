#include "tamiz/screening/campaign/stage_vibrate.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "tamiz/core/analysis/phonons.hpp"
#include "tamiz/core/base/error.hpp"
#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/core/structure/identity.hpp"

namespace tamiz {
namespace {

constexpr double k_most_atoms = 3000;  // of a supercell
constexpr RelaxOptions k_tight{.fmax = 0.001, .smax = 1e-4, .max_steps = 500};

VibrationRecord not_tested(const std::string& candidate, std::string reason) {
  VibrationRecord record;
  record.candidate = candidate;
  record.reason = std::move(reason);
  return record;
}

/// Of a crystal at the model's minimum.
VibrationRecord tested(const Potential& potential, const std::string& candidate, const Structure& crystal, const PhononOptions& options,
                       int threads, const std::function<void()>& progress) {
  const std::array<int, 3> copies = copies_for(crystal, options.length);
  if (copies[0] * copies[1] * copies[2] * static_cast<double>(crystal.size()) > k_most_atoms)
    return not_tested(candidate, "its supercell has too many atoms");
  const ForceConstants constants = force_constants(potential, crystal, copies, {}, [&](std::size_t, std::size_t) { progress(); });
  const Phonons::Mode lowest = Phonons(constants).lowest(threads);
  VibrationRecord record;
  record.candidate = candidate;
  record.lowest = lowest.frequency;
  record.wave_vector = lowest.wave_vector;
  record.copies = constants.copies;
  record.stable = lowest.frequency > -options.tolerance;
  return record;
}

}  // namespace

std::vector<VibrationRecord> vibrations_of(const Potential& potential, std::span<const RankedCandidate> ranked, const PhononOptions& options,
                                           int threads, const std::function<void(std::size_t)>& progress) {
  std::vector<const RankedCandidate*> chosen;
  std::vector<Structure> structures;
  for (const RankedCandidate& entry : ranked) {
    if (entry.rank == 0 || static_cast<int>(chosen.size()) == options.candidates) continue;
    chosen.push_back(&entry);
    structures.push_back(entry.structure);
  }
  const std::vector<RelaxResult> relaxed = relax(potential, structures, k_tight, [&](std::size_t) {
    progress(0);
    return true;
  });
  std::vector<VibrationRecord> records;
  for (std::size_t k = 0; k < chosen.size(); ++k) {
    const std::string& id = chosen[k]->proposal->id;
    const Structure& crystal = relaxed[k].structure;
    if (relaxed[k].status != RelaxStatus::converged)
      records.push_back(not_tested(id, "the model's relaxation did not converge"));
    else if (!StructureIdentity(crystal).same_as(StructureIdentity(structures[k])))
      records.push_back(not_tested(id, "the model relaxes it into another crystal"));
    else
      try {
        records.push_back(tested(potential, id, crystal, options, threads, [&] { progress(k); }));
      } catch (const Error& error) {  // all else is done by now, and must not be lost
        records.push_back(not_tested(id, fmt::format("the model gives no force constants: {}", error.what())));
      }
    progress(k + 1);
  }
  return records;
}

}  // namespace tamiz
