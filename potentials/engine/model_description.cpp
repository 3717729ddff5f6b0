#include "tamiz/potentials/engine/model_description.hpp"

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>
#include <set>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/text.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/radial/radial_input.hpp"

namespace tamiz {
namespace {

using Json = nlohmann::json;

template <typename Number>
void require_range(const char* name, Number value, Number low, Number high) {
  if (value >= low && value <= high) return;
  throw ShapeError("model." + std::string(name) + " is " + std::to_string(value) + ", expected " +
                   std::to_string(low) + ".." + std::to_string(high));
}

void require_positive(const char* name, double value) {
  if (!std::isfinite(value) || value <= 0.0)
    throw UnitError("model." + std::string(name) + " is " + std::to_string(value) + ", expected a positive number");
}

void require_one_per_element(const std::string& name, const std::vector<double>& energies, const ModelDescription& d) {
  if (energies.size() != d.elements.size())
    throw ShapeError("model." + name + " has " + std::to_string(energies.size()) + " entries for " +
                     std::to_string(d.elements.size()) + " elements");
  for (const double energy : energies)
    if (!std::isfinite(energy)) throw UnitError("model." + name + " holds a value that is not finite");
}

/// Calls `visit(name, member)` for every field but `elements` that a file must have.
template <typename Description, typename Visit>
void visit_fields(Description& d, Visit visit) {
  visit("cutoff", d.cutoff);
  visit("n_radial", d.n_radial);
  visit("envelope_power", d.envelope_power);
  visit("l_max", d.l_max);
  visit("channels", d.channels);
  visit("hidden_l", d.hidden_l);
  visit("correlation", d.correlation);
  visit("n_interactions", d.n_interactions);
  visit("radial_mlp", d.radial_mlp);
  visit("radial_nodes", d.radial_nodes);
  visit("activation_norm", d.activation_norm);
  visit("readout_hidden", d.readout_hidden);
  visit("n_members", d.n_members);
  visit("average_neighbors", d.average_neighbors);
  visit("atomic_energies", d.atomic_energies);
  visit("scale", d.scale);
  visit("shift", d.shift);
  visit("uncertainty_scale", d.uncertainty_scale);
}

/// Fields that files written before they existed lack; those models have the default.
template <typename Description, typename Visit>
void visit_later_fields(Description& d, Visit visit) {
  visit("blocks", d.blocks);
  visit("radial_basis", d.radial_basis);
  visit("radial_points", d.radial_points);
  visit("distance_transform", d.distance_transform);
  visit("transform_parameters", d.transform_parameters);
  visit("envelope_on_weights", d.envelope_on_weights);
  visit("repulsion", d.repulsion);
  visit("repulsion_exponent", d.repulsion_exponent);
  visit("repulsion_prefactor", d.repulsion_prefactor);
  visit("repulsion_power", d.repulsion_power);
}

const std::vector<std::string> k_blocks{"RealAgnostic", "RealAgnosticResidual", "RealAgnosticDensity",
                                        "RealAgnosticDensityResidual"};

void require_known(const std::string& name, const std::string& value, const std::vector<std::string>& known) {
  if (std::find(known.begin(), known.end(), value) != known.end()) return;
  throw FormatError("model." + name + " is '" + value + "', expected one of " + joined(known));
}

void validate_radial(const ModelDescription& d) {
  require_known("radial_basis", d.radial_basis, {"bessel", "gaussian"});
  require_known("distance_transform", d.distance_transform, {"none", "agnesi", "soft"});
  if (!d.radial_points.empty() && d.radial_points.size() != static_cast<std::size_t>(d.n_radial))
    throw ShapeError("model.radial_points has " + std::to_string(d.radial_points.size()) + " entries for n_radial = " +
                     std::to_string(d.n_radial));
  const std::size_t wanted = d.distance_transform == "agnesi" ? 3 : d.distance_transform == "soft" ? 1 : 0;
  if (!d.transform_parameters.empty() && d.transform_parameters.size() != wanted)
    throw ShapeError("model.transform_parameters has " + std::to_string(d.transform_parameters.size()) + " entries, " +
                     d.distance_transform + " takes " + std::to_string(wanted));
  for (const auto* values : {&d.radial_points, &d.transform_parameters})
    for (const double value : *values)
      if (!std::isfinite(value)) throw UnitError("model.radial_points or transform_parameters holds a value that is not finite");
  const std::size_t n = d.elements.size();
  if (d.distance_transform != "none" && d.radial_nodes > 0 && n * (n + 1) / 2 > k_most_tables)
    throw CapabilityError("model.distance_transform makes splines for every pair of elements, at most " +
                          std::to_string(k_most_tables) + ": set radial_nodes = 0 for " + std::to_string(n) + " elements");
}

}  // namespace

void validate(const ModelDescription& d) {
  require_positive("cutoff", d.cutoff);
  require_positive("average_neighbors", d.average_neighbors);
  require_positive("scale", d.scale);
  require_positive("activation_norm", d.activation_norm);
  require_range("n_radial", d.n_radial, 1, 64);
  require_range("envelope_power", d.envelope_power, 2, 32);
  require_range("l_max", d.l_max, 0, k_max_harmonic);
  require_range("channels", d.channels, 1, 4096);
  require_range("hidden_l", d.hidden_l, 0, std::min(2, d.l_max));
  require_range("correlation", d.correlation, 1, 4);
  require_range("n_interactions", d.n_interactions, 1, 8);
  require_range("readout_hidden", d.readout_hidden, 1, 4096);
  require_range("n_members", d.n_members, 1, 256);
  if (d.radial_nodes != 0) require_range("radial_nodes", d.radial_nodes, 8, 4096);
  for (const int width : d.radial_mlp) require_range("radial_mlp", width, 1, 4096);
  if (!std::isfinite(d.shift)) throw UnitError("model.shift is not finite");
  if (!std::isfinite(d.uncertainty_scale) || d.uncertainty_scale < 0.0)
    throw UnitError("model.uncertainty_scale is " + std::to_string(d.uncertainty_scale) +
                    ", expected a number that is not negative");
  validate_radial(d);
  if (!d.blocks.empty() && d.blocks.size() != static_cast<std::size_t>(d.n_interactions))
    throw ShapeError("model.blocks names " + std::to_string(d.blocks.size()) + " blocks for " +
                     std::to_string(d.n_interactions) + " interactions");
  for (const std::string& block : d.blocks) require_known("blocks", block, k_blocks);
  if (!std::isfinite(d.repulsion) || d.repulsion < 0.0)
    throw UnitError("model.repulsion is " + std::to_string(d.repulsion) + ", expected a number that is not negative");
  require_positive("repulsion_exponent", d.repulsion_exponent);
  require_positive("repulsion_prefactor", d.repulsion_prefactor);
  require_range("repulsion_power", d.repulsion_power, 2, 32);
  if (std::set<Element>(d.elements.begin(), d.elements.end()).size() != d.elements.size())
    throw ShapeError("model.elements names an element twice");
  require_one_per_element("atomic_energies", d.atomic_energies, d);
  if (!d.cohesion.empty()) require_one_per_element("cohesion", d.cohesion, d);
}

std::string to_json(const ModelDescription& description) {
  Json json;
  json["elements"] = Json::array();
  for (const Element element : description.elements) json["elements"].push_back(std::string(element.symbol()));
  const auto write = [&](const char* name, const auto& value) { json[name] = value; };
  visit_fields(description, write);
  visit_later_fields(description, write);
  if (!description.cohesion.empty()) write("cohesion", description.cohesion);  // versions before it read what has none
  return json.dump();
}

ModelDescription description_from_json(const std::string& text) {
  ModelDescription description;
  try {
    const Json json = Json::parse(text);
    std::set<std::string> known{"elements"};
    for (const auto& symbol : json.at("elements"))
      description.elements.push_back(Element::from_symbol(symbol.get<std::string>()));
    visit_fields(description, [&](const char* name, auto& value) {
      json.at(name).get_to(value);
      known.insert(name);
    });
    const auto read_if_there = [&](const char* name, auto& value) {
      if (json.contains(name)) json.at(name).get_to(value);
      known.insert(name);
    };
    visit_later_fields(description, read_if_there);
    read_if_there("cohesion", description.cohesion);
    for (const auto& [key, value] : json.items())
      if (!known.contains(key)) throw FormatError("model description has the unknown key '" + key + "'");
  } catch (const Json::exception& error) {
    throw FormatError(std::string("model description cannot be read: ") + error.what());
  }
  return description;
}

std::vector<int> element_index(const ModelDescription& description) {
  std::vector<int> index(119, -1);
  for (std::size_t k = 0; k < description.elements.size(); ++k)
    index[static_cast<std::size_t>(description.elements[k].number())] = static_cast<int>(k);
  return index;
}

}  // namespace tamiz
