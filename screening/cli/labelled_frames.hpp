#pragma once

#include <CLI/CLI.hpp>
#include <nlohmann/json_fwd.hpp>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/io/extxyz.hpp"
#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/core/structure/frame.hpp"
#include "tamiz/potentials/engine/training/calibration.hpp"
#include "tamiz/potentials/engine/training/error_sums.hpp"

namespace tamiz::cli {

/// Frames of all files, in order. Throws CapabilityError where keys are chosen for a format without any, and FormatError
/// where no frame of a file has the label that a key names.
std::vector<Frame> read_labelled(const std::vector<std::string>& files, const LabelKeys& keys = {});

/// The structures of the frames. Throws SpeciesError for an element that the potential does not know.
std::vector<Structure> structures_for(const Potential& potential, std::span<const Frame> frames);
/// The gap with a plain functional that a frame brings along [eV]: its `gap_pbe`.
std::optional<double> plain_gap_of(const Frame& frame);

/// Options --energy-key, --forces-key and --stress-key, for files that do not use the usual names.
void add_label_keys(CLI::App& command, LabelKeys& keys);

/// Errors of predictions, of all frames and for each value of `config_type`, and what they say of a committee.
class ErrorsByType {
 public:
  void add(const Frame& frame, const PredictedFrame& prediction);
  /// `energy_mae` [eV/atom], `energy_rmse`, `force_mae` [eV/Å], `stress_mae` [eV/Å³], `n_frames`, `n_atoms`, and the
  /// same for each value of `config_type` under that key. Null for what no frame has a label of.
  nlohmann::json errors() const;
  /// Null without a committee, or for fewer than five frames with energies.
  nlohmann::json calibration() const;

 private:
  ErrorSums all_;
  std::map<std::string, ErrorSums> types_;
  CommitteeErrors committee_;
};

/// Evaluates the frames for it.
nlohmann::json errors_by_type(const Potential& potential, std::span<const Frame> frames);

/// The table of `errors_by_type` in meV and Å for a terminal.
void print_errors(std::FILE* stream, const std::string& title, const nlohmann::json& errors);

}  // namespace tamiz::cli
