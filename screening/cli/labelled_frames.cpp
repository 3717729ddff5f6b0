#include "tamiz/screening/cli/labelled_frames.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <nlohmann/json.hpp>
#include <set>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/potentials/engine/training/errors_json.hpp"

namespace tamiz::cli {
namespace {

/// In thousandths, or a dash.
std::string thousandths(const nlohmann::json& value, int decimals) {
  return value.is_null() ? "-" : fmt::format("{:.{}f}", 1e3 * value.get<double>(), decimals);
}

void print_row(std::FILE* stream, const std::string& name, const nlohmann::json& row) {
  fmt::print(stream, "  {:24} {:7} frames  energy {:>8} meV/atom  forces {:>8} meV/Å  stress {:>8} meV/Å³\n", name,
             row.at("n_frames").get<std::size_t>(), thousandths(row.at("energy_mae"), 2), thousandths(row.at("force_mae"), 1),
             thousandths(row.at("stress_mae"), 3));
}

void require_label(const std::string& key, bool found, const std::string& file, const std::vector<Frame>& frames) {
  if (key.empty() || found) return;
  std::set<std::string> keys;
  for (const Frame& frame : frames) {
    for (const auto& [name, text] : frame.info) keys.insert(name);
    for (const auto& [name, values] : frame.arrays) keys.insert(name);
  }
  throw FormatError(fmt::format("{}: no frame has the key '{}'; there are {}", file, key, keys.empty() ? "none" : fmt::format("{}", fmt::join(keys, ", "))));
}

std::vector<Frame> read_by_keys(const std::string& file, const LabelKeys& keys) {
  if (format_for(file).name != "extxyz")
    throw CapabilityError(file + ": the keys of labels can be chosen in extended XYZ only; other formats have fixed ones");
  std::vector<Frame> frames = parse_extxyz(read_file(file), file, keys);
  const auto any = [&](auto has) { return std::any_of(frames.begin(), frames.end(), has); };
  require_label(keys.energy, any([](const Frame& f) { return f.labels.energy.has_value(); }), file, frames);
  require_label(keys.forces, any([](const Frame& f) { return f.labels.forces.has_value(); }), file, frames);
  require_label(keys.stress, any([](const Frame& f) { return f.labels.stress.has_value(); }), file, frames);
  return frames;
}

}  // namespace

void add_label_keys(CLI::App& command, LabelKeys& keys) {
  command.add_option("--energy-key", keys.energy, "Name of the energy in the files, where it is not a usual one");
  command.add_option("--forces-key", keys.forces, "Name of the forces");
  command.add_option("--stress-key", keys.stress, "Name of the stress");
}

std::vector<Frame> read_labelled(const std::vector<std::string>& files, const LabelKeys& keys) {
  std::vector<Frame> frames;
  for (const std::string& file : files)
    for (Frame& frame : keys.any() ? read_by_keys(file, keys) : read_frames(file)) frames.push_back(std::move(frame));
  if (frames.empty()) throw FormatError("the files hold no structure");
  return frames;
}

std::vector<Structure> structures_for(const Potential& potential, std::span<const Frame> frames) {
  std::vector<Structure> structures;
  for (const Frame& frame : frames) {
    require_species(potential, frame.structure.species());
    structures.push_back(frame.structure);
  }
  return structures;
}

std::optional<double> plain_gap_of(const Frame& frame) {
  const auto found = frame.info.find("gap_pbe");
  return found == frame.info.end() ? std::nullopt : std::optional(parse_double(found->second, "gap_pbe"));
}

void ErrorsByType::add(const Frame& frame, const PredictedFrame& prediction) {
  all_.add(frame, prediction);
  committee_.add(frame, prediction);
  if (const auto type = frame.info.find("config_type"); type != frame.info.end()) types_[type->second].add(frame, prediction);
}

nlohmann::json ErrorsByType::errors() const {
  nlohmann::json errors = nlohmann::json::parse(json_text(all_.summary()));
  errors["config_type"] = nlohmann::json::object();
  for (const auto& [type, sums] : types_) errors["config_type"][type] = nlohmann::json::parse(json_text(sums.summary()));
  return errors;
}

nlohmann::json ErrorsByType::calibration() const {
  const auto found = tamiz::calibration(committee_);
  if (!found) return nullptr;
  return {{"n_frames", found->n_frames},   {"expected", found->expected},
          {"observed", found->observed},   {"miscalibration_area", found->miscalibration_area},
          {"sharpness", found->sharpness}, {"spearman", found->spearman}};
}

nlohmann::json errors_by_type(const Potential& potential, std::span<const Frame> frames) {
  ErrorsByType sums;
  predict_frames(potential, frames, outputs_for_errors(potential, frames),
                 [&](std::size_t k, const PredictedFrame& prediction) { sums.add(frames[k], prediction); });
  return sums.errors();
}

void print_errors(std::FILE* stream, const std::string& title, const nlohmann::json& errors) {
  print_row(stream, title, errors);
  if (const auto found = errors.find("calibration"); found != errors.end() && found->is_object())
    fmt::print(stream, "  {:24} {:7} frames  miscalibration area {:.3f}  sharpness {:.2f} meV/atom  rank correlation with the error {:.2f}\n",
               "uncertainty", found->at("n_frames").get<std::size_t>(), found->at("miscalibration_area").get<double>(),
               1e3 * found->at("sharpness").get<double>(), found->at("spearman").get<double>());
  for (const auto& [type, row] : errors.at("config_type").items()) print_row(stream, type, row);
}

}  // namespace tamiz::cli
