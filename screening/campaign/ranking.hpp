#pragma once

#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tamiz/screening/campaign/records.hpp"

namespace tamiz {

/// How well a candidate's energy is known.
enum class Confidence {
  predicted,  ///< by the model alone
  checked,    ///< a DFT single point at the model's geometry
  known,      ///< it became a known phase, which DFT relaxed before this campaign
  confirmed,  ///< relaxed with DFT to |F| <= 0.03 eV/Å and |stress| <= 0.5 GPa and compared on the DFT hull
};
/// "predicted", "DFT-checked", "known phase", "DFT-confirmed"
std::string_view to_string(Confidence confidence);

struct RankedCandidate {
  const Candidate* proposal;
  const RelaxedCandidate* model;     ///< of the last round
  Confidence confidence = Confidence::predicted;
  const LabelRecord* label = nullptr;  ///< the DFT label behind `confidence`
  const LabelRecord* gap = nullptr;
  const LabelRecord* failed = nullptr;  ///< the last label of it that failed, where there is none behind `confidence`
  std::optional<double> dft_energy = {};  ///< of `label`, or of the known phase that it is [eV/atom]
  std::optional<DftAssessment> dft;
  Structure structure;               ///< that of `label` where there is one, of the known phase, else relaxed with the model
  std::string outcome;               ///< "ranked", "hull incomplete", "duplicate", "failed"
  std::string reason;
  std::string known_as;              ///< id of the competing or reported phase that it is; empty: none was found
  bool compared = false;             ///< with all known phases of its system; where some lack a geometry, it was not
  const VibrationRecord* vibrations = nullptr;
  int rank = 0;                      ///< 1..; 0 where it is not ranked

  /// What it is ranked by: the DFT value where there is one [eV/atom].
  double e_hull() const { return dft ? dft->e_hull : model->assessment.e_hull; }
};

/// Orders the candidates by E_hull, DFT before model where it exists. DFT energies are only compared with
/// the hull of DFT energies, model energies with hulls of model energies.
std::vector<RankedCandidate> rank(const CampaignHistory& history);

}  // namespace tamiz
