#include "tamiz/screening/oracle/label_json.hpp"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/training/label_weights.hpp"

namespace tamiz {
namespace {

using nlohmann::json;

const json& member(const json& value, const char* key) {
  const auto found = value.find(key);
  if (found == value.end()) throw FormatError(std::string("member ") + key + " is missing");
  return *found;
}

double number(const json& value, const std::string& what) {
  if (!value.is_number()) throw FormatError(what + ": expected a number, got " + value.dump().substr(0, 40));
  const double result = value.get<double>();
  if (!std::isfinite(result)) throw FormatError(what + " is not finite");
  return result;
}

std::string text(const json& value, const std::string& what) {
  if (!value.is_string()) throw FormatError(what + ": expected a text, got " + value.dump().substr(0, 40));
  return value.get<std::string>();
}

template <class Matrix>
json rows_to_json(const Matrix& matrix) {
  json rows = json::array();
  for (Eigen::Index i = 0; i < matrix.rows(); ++i) {
    json row = json::array();
    for (Eigen::Index k = 0; k < matrix.cols(); ++k) row.push_back(matrix(i, k));
    rows.push_back(std::move(row));
  }
  return rows;
}

Eigen::MatrixXd rows_from_json(const json& value, Eigen::Index n_rows, Eigen::Index n_columns, const std::string& what) {
  const auto shape = "(" + std::to_string(n_rows) + ", " + std::to_string(n_columns) + ")";
  if (!value.is_array() || static_cast<Eigen::Index>(value.size()) != n_rows)
    throw FormatError(what + ": expected an array of shape " + shape);
  Eigen::MatrixXd matrix(n_rows, n_columns);
  for (Eigen::Index i = 0; i < n_rows; ++i) {
    const json& row = value[static_cast<std::size_t>(i)];
    if (!row.is_array() || static_cast<Eigen::Index>(row.size()) != n_columns)
      throw FormatError(what + ": expected an array of shape " + shape + ", row " + std::to_string(i) + " differs");
    for (Eigen::Index k = 0; k < n_columns; ++k) matrix(i, k) = number(row[static_cast<std::size_t>(k)], what);
  }
  return matrix;
}

Periodicity periodicity_from(const json& value) {
  if (!value.is_array() || value.size() != 3) throw FormatError("pbc: expected three booleans");
  Periodicity periodicity;
  for (std::size_t k = 0; k < 3; ++k) {
    if (!value[k].is_boolean()) throw FormatError("pbc: expected three booleans");
    periodicity[k] = value[k].get<bool>();
  }
  return periodicity;
}

Labels labels_from(const json& value, Eigen::Index n_atoms) {
  Labels labels;
  if (value.contains("energy")) labels.energy = number(value.at("energy"), "energy");
  if (value.contains("free_energy")) labels.free_energy = number(value.at("free_energy"), "free_energy");
  if (value.contains("forces")) labels.forces = rows_from_json(value.at("forces"), n_atoms, 3, "forces");
  if (value.contains("stress")) labels.stress = rows_from_json(value.at("stress"), 3, 3, "stress");
  return labels;
}

Eigen::MatrixXd array_from(const json& value, Eigen::Index n_atoms, const std::string& name) {
  const bool has_rows = value.is_array() && !value.empty() && value[0].is_array();
  return rows_from_json(value, n_atoms, has_rows ? static_cast<Eigen::Index>(value[0].size()) : 0, "array " + name);
}

}  // namespace

json structure_to_json(const Structure& structure) {
  json symbols = json::array();
  for (const Element element : structure.species()) symbols.push_back(element.symbol());
  return {{"cell", rows_to_json(structure.lattice().rows())},
          {"pbc", structure.periodicity()},
          {"symbols", std::move(symbols)},
          {"positions", rows_to_json(structure.positions())}};
}

Structure structure_from_json(const json& value) {
  if (!value.is_object()) throw FormatError("expected a structure, got " + value.dump().substr(0, 40));
  const json& symbols = member(value, "symbols");
  if (!symbols.is_array()) throw FormatError("symbols: expected an array of texts");
  std::vector<Element> species;
  species.reserve(symbols.size());
  for (const json& symbol : symbols) species.push_back(Element::from_symbol(text(symbol, "symbols")));
  const Mat3 cell = rows_from_json(member(value, "cell"), 3, 3, "cell");
  const Coordinates positions =
      rows_from_json(member(value, "positions"), static_cast<Eigen::Index>(species.size()), 3, "positions");
  return Structure(Lattice(cell), periodicity_from(member(value, "pbc")), std::move(species), Cartesian{positions});
}

json frame_to_json(const Frame& frame) {
  json value = structure_to_json(frame.structure);
  if (frame.labels.energy) value["energy"] = *frame.labels.energy;
  if (frame.labels.free_energy) value["free_energy"] = *frame.labels.free_energy;
  if (frame.labels.forces) value["forces"] = rows_to_json(*frame.labels.forces);
  if (frame.labels.stress) value["stress"] = rows_to_json(*frame.labels.stress);
  if (!frame.info.empty()) value["info"] = frame.info;
  for (const auto& [name, array] : frame.arrays) value["arrays"][name] = rows_to_json(array);
  return value;
}

Frame frame_from_json(const json& value) {
  Frame frame{.structure = structure_from_json(value), .labels = {}, .info = {}, .arrays = {}};
  const auto n_atoms = static_cast<Eigen::Index>(frame.structure.size());
  frame.labels = labels_from(value, n_atoms);
  if (value.contains("info"))
    for (const auto& [key, entry] : value.at("info").items()) frame.info[key] = text(entry, "info " + key);
  if (value.contains("arrays"))
    for (const auto& [key, entry] : value.at("arrays").items()) frame.arrays[key] = array_from(entry, n_atoms, key);
  return frame;
}

json label_result_to_json(const LabelResult& result) {
  json value{{"id", result.id},
             {"key", result.key},
             {"status", to_string(result.status)},
             {"properties", settings_from_text(result.properties)},
             {"cost", result.cost},
             {"cached", result.cached}};
  if (!result.reason.empty()) value["reason"] = result.reason;
  if (result.frame) value["frame"] = frame_to_json(*result.frame);
  if (!result.trajectory.empty()) {
    json& trajectory = value["trajectory"] = json::array();
    for (const Frame& frame : result.trajectory) trajectory.push_back(frame_to_json(frame));
  }
  return value;
}

LabelResult label_result_from_json(const json& value) {
  LabelResult result;
  result.id = text(member(value, "id"), "id");
  result.key = text(member(value, "key"), "key");
  result.status = label_status_from(text(member(value, "status"), "status"));
  result.properties = member(value, "properties").dump();
  result.cost = number(member(value, "cost"), "cost");
  result.cached = member(value, "cached") == true;
  if (value.contains("reason")) result.reason = text(value.at("reason"), "reason");
  if (value.contains("frame")) result.frame = frame_from_json(value.at("frame"));
  if (value.contains("trajectory"))
    for (const json& frame : value.at("trajectory")) result.trajectory.push_back(frame_from_json(frame));
  if (result.status == LabelStatus::finished && !result.frame)
    throw FormatError("label " + result.id + " is finished, but has no frame");
  return result;
}

std::string info_name(std::string_view property) { return property == "mesh" ? "mesh_used" : std::string(property); }

bool is_of_one_label(std::string_view key) {
  constexpr std::array<std::string_view, 9> keys{weight_keys::k_all, weight_keys::k_energy, weight_keys::k_forces, weight_keys::k_stress,
                                                 "core_seconds", "energy_moved", "free_energy_smearing", "relax_steps", "step"};
  return key == "gap" || key.starts_with("gap_") || std::ranges::find(keys, key) != keys.end();
}

std::string differing_members(const json& one, const json& other) {
  std::set<std::string> names;
  for (const auto& [key, value] : one.items())
    if (!other.contains(key) || other.at(key) != value) names.insert(key);
  for (const auto& [key, value] : other.items())
    if (!one.contains(key)) names.insert(key);
  return fmt::format("{}", fmt::join(names, ", "));
}

bool says_metal(const nlohmann::json& properties) { return properties.contains("gap") && properties.at("gap") == 0.0; }

json settings_from_text(std::string_view text) {
  if (text.empty()) return json::object();
  const json value = json::parse(text, nullptr, false);
  if (!value.is_object())
    throw FormatError("expected a JSON object, got " + std::string(text.substr(0, 60)));
  return value;
}

}  // namespace tamiz
