#include "tamiz/screening/cli/data_set_info.hpp"

#include <cstdlib>
#include <map>
#include <set>
#include <string>

namespace tamiz::cli {
namespace {

using nlohmann::json;

std::string value_of(const Frame& frame, const std::string& key) {
  const auto found = frame.info.find(key);
  return found != frame.info.end() ? found->second : "not stated";
}

double core_seconds(const std::vector<Frame>& frames) {
  double sum = 0.0;
  for (const Frame& frame : frames)
    for (const char* key : {"core_seconds", "gap_core_seconds"})
      if (const auto found = frame.info.find(key); found != frame.info.end()) sum += std::atof(found->second.c_str());
  return sum;
}

const char* name_of(std::size_t n_elements) {
  constexpr const char* k_names[] = {"none", "elements", "binaries", "ternaries", "quaternaries"};
  return n_elements < 5 ? k_names[n_elements] : "more";
}

}  // namespace

json data_set_info(const DataSet& data) {
  std::map<std::string, int> splits, levels, kinds, reasons;
  std::map<std::string, int> labels{{"energy", 0}, {"free_energy", 0}, {"forces", 0}, {"stress", 0}, {"gap", 0}};
  std::set<std::string> elements, compositions;
  std::size_t n_atoms = 0;
  for (const Frame& frame : data.frames) {
    const Composition composition = frame.structure.composition();
    ++splits[value_of(frame, "split")];
    ++levels[value_of(frame, "level")];
    ++kinds[name_of(composition.counts().size())];
    for (const auto& [element, count] : composition.counts()) elements.emplace(element.symbol());
    compositions.insert(composition.reduced().formula());
    n_atoms += frame.structure.size();
    labels["energy"] += frame.labels.energy.has_value();
    labels["free_energy"] += frame.labels.free_energy.has_value();
    labels["forces"] += frame.labels.forces.has_value();
    labels["stress"] += frame.labels.stress.has_value();
    labels["gap"] += frame.info.contains("gap");
  }
  for (const Frame& failure : data.failures) ++reasons[value_of(failure, "reason")];
  return {{"kind", "data set"},
          {"card", data.card},
          {"frames", data.frames.size()},
          {"atoms", n_atoms},
          {"elements", elements},
          {"compositions", compositions.size()},
          {"by_number_of_elements", kinds},
          {"splits", splits},
          {"levels", levels},
          {"labels", labels},
          {"failures", reasons},
          {"units", "energies eV, lengths Å, forces eV/Å, stress eV/Å³ (tensile positive)"},
          {"core_hours", (core_seconds(data.frames) + core_seconds(data.failures)) / 3600.0}};
}

}  // namespace tamiz::cli
