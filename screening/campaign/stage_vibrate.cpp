#include "tamiz/screening/campaign/stage_vibrate.hpp"

#include <fmt/format.h>

#include "tamiz/core/analysis/phonons.hpp"
#include "tamiz/core/simulation/relax.hpp"
#include "tamiz/core/structure/identity.hpp"

namespace tamiz {
namespace {

constexpr double k_most_atoms = 3000;  // of a supercell

/// Of a crystal at the model's minimum; why not, where there is nothing.
std::string test(VibrationRecord& record, const Potential& potential, const Structure& crystal, const PhononOptions& options, int threads,
                 const std::function<void()>& progress) {
  record.copies = copies_for(crystal, options.length);
  if (record.copies[0] * record.copies[1] * record.copies[2] * static_cast<double>(crystal.size()) > k_most_atoms)
    return "its supercell has too many atoms";
  const ForceConstants constants = force_constants(potential, crystal, record.copies, {}, [&](std::size_t, std::size_t) { progress(); });
  const Phonons::Mode lowest = Phonons(constants).lowest(threads);
  record.lowest = lowest.frequency;
  record.wave_vector = lowest.wave_vector;
  record.tolerance = options.tolerance;
  record.stable = lowest.frequency > -options.tolerance;
  return "";
}

std::string relax_and_test(VibrationRecord& record, const Potential& potential, const Structure& crystal, const PhononOptions& options, int threads,
                           const std::function<void()>& progress) {
  const RelaxResult relaxed = relax(potential, std::vector<Structure>{crystal}, k_before_phonons, [&](std::size_t) {
                                progress();
                                return true;
                              }).front();
  if (relaxed.status != RelaxStatus::converged) return "the model's relaxation did not converge";
  if (!StructureIdentity(relaxed.structure).same_as(StructureIdentity(crystal))) return "the model relaxes it into another crystal";
  return test(record, potential, relaxed.structure, options, threads, progress);
}

}  // namespace

VibrationRecord vibrations_of(const Potential& potential, const std::string& candidate, const Structure& crystal, const PhononOptions& options,
                              int threads, const std::function<void()>& progress) {
  VibrationRecord record;
  record.candidate = candidate;
  try {
    record.reason = relax_and_test(record, potential, crystal, options, threads, progress);
  } catch (const std::exception& error) {  // all else of the campaign is done by now, and must not be lost
    record.reason = fmt::format("the model gives no force constants: {}", error.what());
  }
  return record;
}

}  // namespace tamiz
