#include "tamiz/screening/propose/propose.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <functional>
#include <set>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/io/format.hpp"
#include "tamiz/core/structure/identity.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/propose/contacts.hpp"
#include "tamiz/screening/propose/options.hpp"
#include "tamiz/screening/propose/orderings.hpp"
#include "tamiz/screening/propose/prototypes.hpp"
#include "tamiz/screening/propose/random_crystal.hpp"
#include "tamiz/screening/propose/systems.hpp"

namespace tamiz {
namespace {

/// Attempts at random crystals for each one that is wanted; most fail for lack of room.
constexpr std::uint32_t k_attempts_per_crystal = 3000;

using Decoration = std::map<std::string, Element>;

/// The filters, and the numbering of what passes them.
class Collector {
 public:
  Collector(Proposal& proposal, const ProposeOptions& options) : proposal_(proposal), options_(options) {}

  int size() const { return static_cast<int>(proposal_.candidates.size()); }
  bool full() const { return size() >= options_.max_candidates; }

  void reject(std::string what, std::string reason) {
    proposal_.rejections.push_back({std::move(what), std::move(reason)});
  }

  /// Takes the draft in any cell; true when it became a candidate.
  bool add(Candidate draft) {
    const std::string what = fmt::format("{} {} {}", draft.structure.composition().reduced().formula(),
                                         draft.prototype, draft.decoration);
    try {
      if (const auto close = overlap(draft.structure)) return refuse(what, "overlap: " + *close);
      return add_primitive(std::move(draft), what);
    } catch (const NumericsError& error) {  // of spglib or the neighbour list: of this crystal, and no reason to lose the others
      return refuse(what, error.what());
    }
  }

 private:
  bool add_primitive(Candidate draft, const std::string& what) {
    draft.structure = primitive_cell(draft.structure);
    if (static_cast<int>(draft.structure.size()) > options_.max_atoms) {
      return refuse(what, fmt::format("too many atoms: {} in the primitive cell, at most {} wanted",
                                      draft.structure.size(), options_.max_atoms));
    }
    StructureIdentity identity(draft.structure);
    auto& known = known_[draft.structure.composition().reduced().formula()];
    for (const auto& [index, other] : known) {
      if (identity.same_as(other)) return refuse(what, "duplicate of " + proposal_.candidates[index].id);
    }
    if (full()) return refuse(what, fmt::format("beyond max_candidates = {}", options_.max_candidates));
    known.emplace_back(proposal_.candidates.size(), std::move(identity));
    draft.id = fmt::format("c{:04d}", proposal_.candidates.size() + 1);
    proposal_.candidates.push_back(std::move(draft));
    return true;
  }

  bool refuse(const std::string& what, std::string reason) {
    reject(what, std::move(reason));
    return false;
  }

  Proposal& proposal_;
  const ProposeOptions& options_;
  std::map<std::string, std::vector<std::pair<std::size_t, StructureIdentity>>> known_;
};

std::vector<const Prototype*> chosen_prototypes(const ProposeOptions& options) {
  std::vector<const Prototype*> chosen;
  if (options.prototypes.empty()) {
    for (const Prototype& p : prototypes()) chosen.push_back(&p);
  }
  for (const std::string& name : options.prototypes) {
    const Prototype* p = &find_prototype(name);
    if (std::find(chosen.begin(), chosen.end(), p) == chosen.end()) chosen.push_back(p);
  }
  return chosen;
}

/// Every way to put all elements on the labels; each element at least once, and once only unless shared.
std::vector<Decoration> decorations_of(const Prototype& prototype, const std::vector<Element>& elements, bool share) {
  std::vector<Decoration> result;
  const std::size_t n_labels = prototype.counts.size();
  if (elements.size() > n_labels || (!share && elements.size() != n_labels)) return result;
  Decoration current;
  const std::function<void(std::map<std::string, int>::const_iterator)> extend = [&](auto label) {
    if (label == prototype.counts.end()) {
      std::set<Element> used;
      for (const auto& [name, element] : current) used.insert(element);
      if (used.size() == elements.size()) result.push_back(current);
      return;
    }
    for (const Element element : elements) {
      current.insert_or_assign(label->first, element);
      extend(std::next(label));
    }
    current.erase(label->first);
  };
  extend(prototype.counts.begin());
  return result;
}

std::string decoration_text(const Decoration& decoration) {
  std::string text;
  for (const auto& [label, element] : decoration) {
    text += fmt::format("{}{}={}", text.empty() ? "" : ",", label, element.symbol());
  }
  return text;
}

Composition composition_of(const Prototype& prototype, const Decoration& decoration) {
  std::map<Element, int> counts;
  for (const auto& [label, count] : prototype.counts) counts[decoration.at(label)] += count;
  return Composition(counts);
}

/// Anions on the sites of anions, cations on all others.
bool charges_sit_right(const Prototype& prototype, const Decoration& decoration, const OxidationStates& states) {
  if (prototype.anions.empty()) return true;
  return std::all_of(decoration.begin(), decoration.end(), [&](const auto& pair) {
    const auto& anions = prototype.anions;
    const bool wanted = std::find(anions.begin(), anions.end(), pair.first) != anions.end();
    const int state = states.at(pair.second);
    return wanted ? state < 0 : state >= 0;
  });
}

void add_decorations(const Prototype& prototype, const std::vector<Element>& elements, const ProposeOptions& options,
                     Collector& collector) {
  for (const Decoration& decoration : decorations_of(prototype, elements, options.share_elements)) {
    const Composition composition = composition_of(prototype, decoration);
    const std::string text = decoration_text(decoration);
    const std::string what = fmt::format("{} {} {}", composition.reduced().formula(), prototype.name, text);
    const auto states = balance_charges(composition, options.oxidation);
    if (!states) {
      collector.reject(what, "charge: no oxidation states add up to zero with cations less electronegative than anions");
      continue;
    }
    if (!charges_sit_right(prototype, decoration, *states)) {
      collector.reject(what, "charge: " + oxidation_text(*states) + " puts an ion on a site of the other sign");
      continue;
    }
    if (prototype.n_atoms > options.max_atoms && !options.share_elements) {
      collector.reject(what, fmt::format("too many atoms: {} in the primitive cell, at most {} wanted",
                                         prototype.n_atoms, options.max_atoms));
      continue;
    }
    const auto scaled = scaled_to_radii(decorate(prototype, decoration, 5.0), *states);
    if (!scaled) {
      collector.reject(what, "radii: no cation has an anion near it");
      continue;
    }
    collector.add({"", *scaled, "prototype", prototype.name, text, oxidation_text(*states)});
  }
}

/// The user's own structures, in the order of the files.
void add_files(const std::set<std::set<Element>>& systems, const ProposeOptions& options, Collector& collector) {
  for (const std::filesystem::path& file : options.files) {
    std::size_t place = 0;
    for (Frame& frame : read_frames(file)) {
      const Structure& structure = frame.structure;
      const auto id = frame.info.find("id");
      const std::string name = id != frame.info.end() ? id->second : std::to_string(place);
      ++place;
      const std::string what = fmt::format("{} {} {}", structure.composition().reduced().formula(), file.stem().string(), name);
      const auto species = structure.species();
      if (!structure.is_periodic()) {
        collector.reject(what, "no crystal: it is not periodic in three directions");
      } else if (!systems.contains({species.begin(), species.end()})) {
        collector.reject(what, structure.composition().system() + " is none of the systems");
      } else {
        const auto states = balance_charges(structure.composition(), options.oxidation);
        collector.add({"", structure, "file", file.stem().string(), name, states ? oxidation_text(*states) : ""});
      }
    }
  }
}

/// Compositions for orderings and random crystals of one system.
std::vector<Composition> formulas_of(const std::vector<Element>& elements, const ProposeOptions& options,
                                     Collector& collector) {
  if (options.random_formulas.empty()) {
    return balanced_compositions(elements, options.max_atoms, options.oxidation);
  }
  std::vector<Composition> result;
  const std::set<Element> wanted(elements.begin(), elements.end());
  for (const std::string& text : options.random_formulas) {
    const Composition formula = Composition::from_formula(text).reduced();
    std::set<Element> own;
    for (const auto& [element, count] : formula.counts()) own.insert(element);
    if (own != wanted) continue;
    if (formula.n_atoms() > options.max_atoms) {
      collector.reject(text, fmt::format("too many atoms: {} in the formula", formula.n_atoms()));
    } else if (!balance_charges(formula, options.oxidation)) {
      collector.reject(text, "charge: no oxidation states add up to zero");
    } else if (std::find(result.begin(), result.end(), formula) == result.end()) {
      result.push_back(formula);
    }
  }
  return result;
}

void add_orderings(const Prototype& parent, const Composition& formula, const ProposeOptions& options,
                   Collector& collector) {
  const OxidationStates states = *balance_charges(formula, options.oxidation);
  int kept = 0;
  for (const Ordering& ordering : orderings_of(parent, formula, states, options.max_atoms)) {
    if (kept >= options.orderings_per_parent || collector.full()) return;
    const auto scaled = scaled_to_radii(ordering.structure, states);
    if (!scaled) continue;
    kept += collector.add({"", *scaled, "ordering", parent.name, ordering.text, oxidation_text(states)});
  }
}

/// Where the search for random crystals of one formula stands.
struct Search {
  Composition formula;
  OxidationStates states;
  std::uint32_t attempt = 0;
  int found = 0;
};

/// Goes on to the next crystal of a formula; false when its attempts are used up.
bool add_next_crystal(Search& search, const ProposeOptions& options, Collector& collector) {
  const auto wanted = static_cast<std::uint32_t>(std::max(options.random_per_formula, search.found + 1));
  const std::uint32_t limit = k_attempts_per_crystal * wanted;
  while (search.attempt < limit) {
    const std::uint32_t attempt = search.attempt++;
    const auto crystal = random_crystal(search.formula, search.states, options.max_atoms, options.seed, attempt);
    if (!crystal) continue;
    const std::string text = fmt::format("attempt {}, asked {}", attempt, crystal->asked);
    if (collector.add({"", crystal->structure, "random", crystal->found.symbol, text, oxidation_text(search.states)})) {
      ++search.found;
      return true;
    }
  }
  collector.reject(fmt::format("random {}", search.formula.formula()),
                   fmt::format("only {} of {} random crystals after {} attempts", search.found, wanted, search.attempt));
  return false;
}

/// One more crystal of each formula; those whose attempts are used up are taken out. False when all is full.
bool take_turn(std::vector<Search>& searches, const ProposeOptions& options, Collector& collector, int wanted) {
  std::vector<Search> open;
  for (Search& search : searches) {
    if (collector.full()) {
      collector.reject("random crystals", fmt::format("max_candidates = {} was reached", options.max_candidates));
      return false;
    }
    if (wanted > 0 && collector.size() >= wanted) return false;
    if (add_next_crystal(search, options, collector)) open.push_back(std::move(search));
  }
  searches = std::move(open);
  return !searches.empty();
}

void add_random_crystals(const std::vector<Composition>& formulas, const ProposeOptions& options, Collector& collector) {
  std::vector<Search> searches;
  for (const Composition& formula : formulas) {
    searches.push_back({formula, *balance_charges(formula, options.oxidation)});
  }
  bool goes_on = !searches.empty() && options.random_per_formula > 0;
  for (int turn = 0; goes_on && turn < options.random_per_formula; ++turn) goes_on = take_turn(searches, options, collector, 0);
  while (goes_on && collector.size() < options.min_candidates) goes_on = take_turn(searches, options, collector, options.min_candidates);
}

}  // namespace

Proposal propose(const ProposeOptions& options) {
  check_options(options);
  Proposal proposal;
  Collector collector(proposal, options);
  const std::vector<const Prototype*> chosen = chosen_prototypes(options);
  std::vector<Composition> formulas;
  std::set<std::set<Element>> done;
  std::vector<std::vector<Element>> systems;
  for (const std::string& name : options.systems) {
    const std::vector<Element> elements = elements_of_system(name);
    if (done.insert({elements.begin(), elements.end()}).second) systems.push_back(elements);
  }
  add_files(done, options, collector);
  if (options.only_files) return proposal;
  for (const std::vector<Element>& elements : systems) {
    for (const Prototype* prototype : chosen) add_decorations(*prototype, elements, options, collector);
    const std::vector<Composition> own = formulas_of(elements, options, collector);
    formulas.insert(formulas.end(), own.begin(), own.end());
  }
  for (const Composition& formula : formulas) {
    for (const Prototype* prototype : chosen) {
      if (prototype->ordering_parent) add_orderings(*prototype, formula, options, collector);
    }
  }
  add_random_crystals(formulas, options, collector);
  return proposal;
}

}  // namespace tamiz
