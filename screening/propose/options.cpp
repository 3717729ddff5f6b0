#include "tamiz/screening/propose/options.hpp"

#include <fmt/format.h>

#include <cmath>
#include <functional>
#include <limits>
#include <optional>
#include <set>
#include <string_view>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/toml.hpp"
#include "tamiz/core/structure/composition.hpp"
#include "tamiz/screening/propose/prototypes.hpp"
#include "tamiz/screening/propose/systems.hpp"

namespace tamiz {
namespace {

constexpr std::int64_t k_max_atoms = 64;
constexpr std::int64_t k_max_count = 1000000;
constexpr int k_max_state = 9;

template <class Integer>
void read(const TomlTable& table, const char* key, Integer& target, std::int64_t least, std::int64_t most) {
  const std::int64_t value = table.integer(key, static_cast<std::int64_t>(target));
  if (value < least || value > most) table.fail(key, fmt::format("is {}, expected {} to {}", value, least, most));
  target = static_cast<Integer>(value);
}

/// The same exception with file, line and key in front.
[[noreturn]] void fail_species(const TomlTable& table, const char* key, const SpeciesError& error) {
  try {
    table.fail(key, error.what());
  } catch (const FormatError& placed) {
    throw SpeciesError(placed.what());
  }
}

/// Texts of which each passes `check`.
void read(const TomlTable& table, const char* key, std::vector<std::string>& target,
          const std::function<void(const std::string&)>& check) {
  target = table.texts(key, target);
  for (const std::string& text : target) {
    try {
      check(text);
    } catch (const SpeciesError& error) {
      fail_species(table, key, error);
    } catch (const FormatError& error) {
      table.fail(key, error.what());
    }
  }
}

void check_system(const std::string& text) { elements_of_system(text); }
void check_prototype(const std::string& text) { find_prototype(text); }

/// A formula that has the elements of one of the systems.
void check_formula(const std::string& text, const std::vector<std::string>& systems) {
  const Composition formula = Composition::from_formula(text);
  std::set<Element> own;
  for (const auto& [element, count] : formula.counts()) own.insert(element);
  for (const std::string& system : systems) {
    const std::vector<Element> elements = elements_of_system(system);
    if (own == std::set<Element>(elements.begin(), elements.end())) return;
  }
  throw FormatError("'" + text + "' has the elements of none of the systems");
}

/// The table `oxidation`, { Si = [4], Sn = [2, 4] }. An element that no system has is a typing error.
void read_oxidation(const TomlTable& table, const std::vector<std::string>& systems, OxidationRules& rules) {
  std::set<Element> present;
  for (const std::string& system : systems)
    for (const Element element : elements_of_system(system)) present.insert(element);
  for (const std::string& symbol : table.keys()) {
    std::optional<Element> element;
    try {
      element = Element::from_symbol(symbol);
    } catch (const SpeciesError& error) {
      fail_species(table, symbol.c_str(), error);
    }
    if (!present.contains(*element)) table.fail(symbol, "is in none of the systems");
    std::vector<int>& states = rules.given[*element];
    for (const double state : table.numbers(symbol, {})) {
      if (state != std::round(state) || state == 0.0 || std::abs(state) > k_max_state)
        table.fail(symbol, fmt::format("{} is no oxidation state, expected whole numbers from -{} to {}, without 0", state,
                                       k_max_state, k_max_state));
      states.push_back(static_cast<int>(state));
    }
    if (states.empty()) table.fail(symbol, "is empty, expected oxidation states, for example [4]");
  }
}

void check_range(const char* name, std::int64_t value, std::int64_t least, std::int64_t most) {
  if (value >= least && value <= most) return;
  throw UnitError(fmt::format("{} is {}, expected {} to {}", name, value, least, most));
}

}  // namespace

void check_options(const ProposeOptions& options) {
  if (options.systems.empty()) throw FormatError("no chemical system is given, expected for example \"Ca-Mg-N\"");
  for (const std::string& system : options.systems) check_system(system);
  for (const std::string& name : options.prototypes) check_prototype(name);
  for (const std::string& formula : options.random_formulas) check_formula(formula, options.systems);
  check_range("max_atoms", options.max_atoms, 1, k_max_atoms);
  check_range("orderings_per_parent", options.orderings_per_parent, 0, k_max_count);
  check_range("random_per_formula", options.random_per_formula, 0, k_max_count);
  check_range("max_candidates", options.max_candidates, 1, k_max_count);
  check_range("min_candidates", options.min_candidates, 0, options.max_candidates);
}

ProposeOptions propose_options_from_toml(const std::filesystem::path& path) {
  const TomlTable root = TomlTable::read(path);
  ProposeOptions options = propose_options_of(root);
  for (std::filesystem::path& file : options.files) file = path.parent_path() / file;
  read(root.table("propose"), "prototypes", options.prototypes, check_prototype);
  return options;
}

ProposeOptions propose_options_of(const TomlTable& root) {
  const TomlTable campaign = root.table("campaign");
  const TomlTable section = root.table("propose");
  campaign.allow_only({"name", "question", "systems", "seed", "model", "competing", "training"});
  section.allow_only({"files", "only_files", "prototypes", "max_atoms", "orderings_per_parent", "random_per_formula", "random_formulas",
                      "min_candidates", "max_candidates", "share_elements", "any_anion_state", "oxidation", "seed"});
  campaign.require("systems");
  ProposeOptions options;
  constexpr std::int64_t k_any = std::numeric_limits<std::int64_t>::max();
  read(campaign, "systems", options.systems, check_system);
  if (options.systems.empty()) campaign.fail("systems", "is empty, expected for example [\"Ca-Mg-N\"]");
  read(campaign, "seed", options.seed, 0, k_any);
  read(section, "seed", options.seed, 0, k_any);
  for (const std::string& file : section.texts("files", {})) options.files.emplace_back(file);
  options.only_files = section.boolean("only_files", options.only_files);
  if (options.only_files && options.files.empty()) section.fail("only_files", "needs structures in files");
  options.prototypes = section.texts("prototypes", options.prototypes);
  read(section, "random_formulas", options.random_formulas, [&](const std::string& text) { check_formula(text, options.systems); });
  read(section, "max_atoms", options.max_atoms, 1, k_max_atoms);
  read(section, "orderings_per_parent", options.orderings_per_parent, 0, k_max_count);
  read(section, "random_per_formula", options.random_per_formula, 0, k_max_count);
  read(section, "max_candidates", options.max_candidates, 1, k_max_count);
  read(section, "min_candidates", options.min_candidates, 0, options.max_candidates);
  options.share_elements = section.boolean("share_elements", options.share_elements);
  if (section.boolean("any_anion_state", false)) options.oxidation.anions = AnionRule::any;
  read_oxidation(section.table("oxidation"), options.systems, options.oxidation);
  return options;
}

}  // namespace tamiz
