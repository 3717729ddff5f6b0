#include "tamiz/screening/report/tables.hpp"

#include <algorithm>
#include <initializer_list>
#include <limits>
#include <nlohmann/json.hpp>
#include <string_view>
#include <utility>

#include "tamiz/core/base/text.hpp"

namespace tamiz::report {

namespace {

using nlohmann::json;

/// The member at a path, or null where any step of it is absent.
const json& member(const json& object, std::initializer_list<std::string_view> path) {
  static const json k_null;
  const json* at = &object;
  for (const auto key : path) {
    if (!at->is_object()) return k_null;
    const auto found = at->find(key);
    if (found == at->end()) return k_null;
    at = &*found;
  }
  return *at;
}

std::string text_of(const json& value) {
  if (value.is_string()) return value.get<std::string>();
  if (value.is_number_integer()) return std::to_string(value.get<long long>());
  if (value.is_number()) return format_double(value.get<double>());
  if (value.is_boolean()) return value.get<bool>() ? "true" : "false";
  return "";
}

std::string quoted(const std::string& text) {
  if (text.find_first_of(",\"\r\n") == std::string::npos) return text;
  std::string out = "\"";
  for (const char c : text) {
    if (c == '"') out += '"';
    out += c;
  }
  return out + '"';
}

/// "0.5 Ca3N2 + 0.5 Zn3N2"
std::string decomposition_text(const json& phases) {
  std::string out;
  if (!phases.is_array()) return out;
  for (const auto& phase : phases) {
    if (!out.empty()) out += " + ";
    const auto fraction = text_of(member(phase, {"fraction"}));
    if (!fraction.empty()) out += fraction + " ";
    out += text_of(member(phase, {"formula"}));
  }
  return out;
}

std::string list_entry(const json& list, std::size_t index) {
  return list.is_array() && index < list.size() ? text_of(list[index]) : std::string();
}

std::vector<std::pair<std::string, std::string>> columns(const json& c) {
  const auto at = [&c](std::initializer_list<std::string_view> path) { return text_of(member(c, path)); };
  return {
      {"rank", at({"rank"})},
      {"id", at({"id"})},
      {"formula", at({"formula"})},
      {"system", at({"system"})},
      {"status", at({"status"})},
      {"origin", at({"origin"})},
      {"prototype", at({"prototype"})},
      {"decoration", at({"decoration"})},
      {"oxidation", at({"oxidation"})},
      {"n_atoms", at({"n_atoms"})},
      {"space_group_before", at({"space_group_before", "symbol"})},
      {"space_group_before_number", at({"space_group_before", "number"})},
      {"space_group_after", at({"space_group_after", "symbol"})},
      {"space_group_after_number", at({"space_group_after", "number"})},
      {"volume_per_atom", at({"volume_per_atom"})},
      {"model_formation_energy", at({"model", "formation_energy"})},
      {"model_e_hull", at({"model", "e_hull"})},
      {"model_e_hull_std", at({"model", "e_hull_std"})},
      {"dft_formation_energy", at({"dft", "formation_energy"})},
      {"dft_e_hull", at({"dft", "e_hull"})},
      {"dft_e_hull_corrected", at({"dft", "e_hull_corrected"})},
      {"correction", at({"dft", "correction_name"})},
      {"dft_distance_below_others", at({"dft", "distance_below_others"})},
      {"mu_n_low", list_entry(member(c, {"dft", "mu_n_range"}), 0)},
      {"mu_n_high", list_entry(member(c, {"dft", "mu_n_range"}), 1)},
      {"dft_fmax", at({"dft", "fmax"})},
      {"dft_smax_gpa", at({"dft", "smax_gpa"})},
      {"decomposition", decomposition_text(member(c, {"dft", "decomposition"}))},
      {"gap", at({"gap", "value"})},
      {"gap_direct", at({"gap", "direct"})},
      {"gap_kind", at({"gap", "kind"})},
      {"gap_level", at({"gap", "level"})},
      {"known_as", at({"known", "name"})},
      {"known_source", at({"known", "source"})},
      {"dynamic_stability", at({"dynamic_stability"})},
      {"phonon_lowest_thz", at({"phonons", "lowest"})},
  };
}

bool has_text(const json& candidate, std::string_view key) {
  const auto& value = member(candidate, {key});
  return value.is_string() && !value.get_ref<const std::string&>().empty();
}

}  // namespace

std::vector<const json*> ranked_candidates(const json& summary) {
  std::vector<const json*> ranked;
  const auto& all = member(summary, {"candidates"});
  if (!all.is_array()) return ranked;
  for (const auto& candidate : all) {
    if (member(candidate, {"outcome"}) == "ranked") ranked.push_back(&candidate);
  }
  const auto key = [](const json* c) {
    const auto& rank = member(*c, {"rank"});
    return std::pair(rank.is_number() ? rank.get<double>() : std::numeric_limits<double>::infinity(),
                     text_of(member(*c, {"id"})));
  };
  std::stable_sort(ranked.begin(), ranked.end(), [&](const json* a, const json* b) { return key(a) < key(b); });
  return ranked;
}

std::string file_stem(const json& candidate) {
  auto stem = text_of(member(candidate, {"id"})) + "_" + text_of(member(candidate, {"formula"}));
  for (char& c : stem) {
    const bool safe = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-';
    if (!safe) c = '_';
  }
  return stem;
}

std::string ranking_csv(const json& summary) {
  std::string out;
  const auto line = [&out](const auto& cells, auto field) {
    bool first = true;
    for (const auto& cell : cells) {
      if (!first) out += ',';
      out += quoted(cell.*field);
      first = false;
    }
    out += "\r\n";
  };
  using Cell = std::pair<std::string, std::string>;
  line(columns(json::object()), &Cell::first);
  for (const auto* candidate : ranked_candidates(summary)) line(columns(*candidate), &Cell::second);
  return out;
}

json ranking_json(const json& summary) {
  json out;
  out["format"] = 1;
  out["tamiz"] = member(summary, {"tamiz"});
  out["campaign"] = member(summary, {"campaign", "name"});
  out["units"] = {{"energies", "eV/atom"}, {"gap", "eV"}, {"lengths", "Å"}, {"fmax", "eV/Å"}, {"smax_gpa", "GPa"}};
  out["ranking"] = json::array();
  for (const auto* candidate : ranked_candidates(summary)) {
    json row = *candidate;
    row.erase("cif");
    row.erase("gpaw_input");
    if (has_text(*candidate, "cif")) row["files"]["cif"] = "structures/" + file_stem(*candidate) + ".cif";
    if (has_text(*candidate, "gpaw_input")) row["files"]["gpaw"] = "structures/" + file_stem(*candidate) + ".py";
    out["ranking"].push_back(std::move(row));
  }
  return out;
}

}  // namespace tamiz::report
