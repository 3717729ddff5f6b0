#include "tamiz/screening/propose/orderings.hpp"

#include <fmt/format.h>

#include <Eigen/LU>

#include <algorithm>
#include <cmath>
#include <optional>
#include <set>
#include <span>

#include "tamiz/core/base/philox.hpp"
#include "tamiz/core/structure/symmetry.hpp"
#include "tamiz/screening/propose/contacts.hpp"

namespace tamiz {
namespace {

constexpr const char* k_cation_label = "A";
constexpr const char* k_anion_label = "X";
/// Of one parent, formula and size; where there are more, as many are drawn.
constexpr std::size_t k_max_arrangements = 4000;

/// An element, or an empty site.
using Occupant = std::optional<Element>;

/// A supercell of the parent with its sites split by label.
struct SiteCell {
  Lattice lattice;
  std::vector<Vec3> cations;  ///< fractional
  std::vector<Vec3> anions;
  std::string name;
};

/// The parent's primitive cell with hydrogen on A and helium on X.
Structure labelled_primitive(const Prototype& parent) {
  const std::map<std::string, Element> stand_ins{{k_cation_label, Element(1)}, {k_anion_label, Element(2)}};
  return primitive_cell(decorate(parent, stand_ins, 6.0));
}

SiteCell site_cell(const Structure& primitive, const Eigen::Matrix3i& hnf, std::string name) {
  const Eigen::Matrix3d rows = hnf.cast<double>();
  const Mat3 lattice = rows * primitive.lattice().rows();
  SiteCell cell{Lattice(lattice), {}, {}, std::move(name)};
  const Coordinates fractional = primitive.fractional().values;
  const Eigen::Matrix3d to_super = rows.inverse();
  for (std::size_t s = 0; s < primitive.size(); ++s) {
    for (int i = 0; i < hnf(0, 0); ++i) {
      for (int j = 0; j < hnf(1, 1); ++j) {
        for (int k = 0; k < hnf(2, 2); ++k) {
          const Eigen::RowVector3d at = fractional.row(static_cast<Eigen::Index>(s)) + Eigen::RowVector3d(i, j, k);
          const Vec3 point = (at * to_super).transpose();
          (primitive.species()[s].number() == 1 ? cell.cations : cell.anions).push_back(point);
        }
      }
    }
  }
  return cell;
}

std::vector<Occupant> occupants(const Composition& formula, const OxidationStates& states, int units, bool cations,
                                int vacancies) {
  std::vector<Occupant> result(static_cast<std::size_t>(vacancies), std::nullopt);
  for (const auto& [element, count] : formula.counts()) {
    if ((states.at(element) > 0) == cations) result.insert(result.end(), static_cast<std::size_t>(count * units), element);
  }
  std::sort(result.begin(), result.end());
  return result;
}

Structure fill(const SiteCell& cell, const std::vector<Occupant>& cations, const std::vector<Occupant>& anions) {
  std::vector<Element> species;
  std::vector<Vec3> points;
  const auto place = [&](const std::vector<Vec3>& sites, const std::vector<Occupant>& who) {
    for (std::size_t k = 0; k < sites.size(); ++k) {
      if (!who[k]) continue;
      species.push_back(*who[k]);
      points.push_back(sites[k]);
    }
  };
  place(cell.cations, cations);
  place(cell.anions, anions);
  Coordinates fractional(static_cast<Eigen::Index>(points.size()), 3);
  for (std::size_t k = 0; k < points.size(); ++k) fractional.row(static_cast<Eigen::Index>(k)) = points[k].transpose();
  return Structure(cell.lattice, k_periodic, species, Fractional{fractional});
}

/// How often each distance between two elements occurs, as text: equal for copies of one structure.
std::string distance_key(const Structure& structure) {
  std::map<std::tuple<Element, Element, long>, int> histogram;
  const auto contacts = contacts_of(structure, 6.5);
  const auto species = structure.species();
  for (std::size_t i = 0; i < contacts.size(); ++i) {
    for (const Contact& c : contacts[i]) ++histogram[{species[i], species[c.atom], std::lround(c.distance * 1000.0 + 0.123)}];
  }
  std::string key;
  for (const auto& [what, n] : histogram) {
    key += fmt::format("{},{},{},{};", std::get<0>(what).number(), std::get<1>(what).number(), std::get<2>(what), n);
  }
  return key;
}

std::string occupancy_text(const Composition& formula, const OxidationStates& states, int units, bool cations,
                           int vacancies) {
  std::string text;
  for (const auto& [element, count] : formula.counts()) {
    if ((states.at(element) > 0) != cations) continue;
    const int n = count * units;
    text += fmt::format("{}{}", element.symbol(), n == 1 ? "" : std::to_string(n));
  }
  return vacancies == 0 ? text : text + fmt::format("+{} empty", vacancies);
}

/// How many sites of each kind a multiple of the formula needs.
struct Demand {
  int units;
  int cells;  ///< index of the supercell
  int empty_cations;
  int empty_anions;
};

std::optional<Demand> demand_for(const Prototype& parent, const Structure& primitive, int cations, int anions, int units) {
  int cation_sites = 0;
  for (const Element element : primitive.species()) cation_sites += element.number() == 1 ? 1 : 0;
  const int anion_sites = static_cast<int>(primitive.size()) - cation_sites;
  const auto cells_for = [](int atoms, int sites) { return (atoms + sites - 1) / sites; };
  const int cells = std::max(cells_for(cations * units, cation_sites), cells_for(anions * units, anion_sites));
  const Demand demand{units, cells, cells * cation_sites - cations * units, cells * anion_sites - anions * units};
  const auto may_be_empty = [&](const char* label, int n, int sites) {
    const bool allowed = std::find(parent.vacancies.begin(), parent.vacancies.end(), label) != parent.vacancies.end();
    return n == 0 || (allowed && 2 * n <= sites);
  };
  if (!may_be_empty(k_cation_label, demand.empty_cations, cells * cation_sites)) return std::nullopt;
  if (!may_be_empty(k_anion_label, demand.empty_anions, cells * anion_sites)) return std::nullopt;
  return demand;
}

/// All supercells of `n` primitive cells.
std::vector<SiteCell> site_cells(const Structure& primitive, int n) {
  std::vector<SiteCell> cells;
  for (const Eigen::Matrix3i& form : hermite_normal_forms(n))
    cells.push_back(site_cell(primitive, form, fmt::format("cell {}.{}", n, cells.size() + 1)));
  return cells;
}

/// Who sits where, on the sites of both labels.
struct Arrangement {
  std::vector<Occupant> cations, anions;

  /// To the next in lexicographic order; false behind the last.
  bool advance() {
    return std::next_permutation(anions.begin(), anions.end()) || std::next_permutation(cations.begin(), cations.end());
  }
  void shuffle(Philox& random) {
    for (auto* who : {&cations, &anions})
      for (std::size_t k = who->size(); k > 1; --k) std::swap((*who)[k - 1], (*who)[random.below(k)]);
  }
};

/// In how many ways who sits where can be chosen, as far as it matters.
std::size_t number_of(Arrangement arrangement) {
  std::size_t n = 1;
  while (n <= k_max_arrangements && arrangement.advance()) ++n;
  return n;
}

/// Calls consider(cell, arrangement) for every arrangement in every cell, or where these are too many for as many drawn ones,
/// an equal share of each cell: the first of all would be long chains of cells and one element in one half of them.
template <typename Consider>
void over_arrangements(std::span<const SiteCell> cells, const Arrangement& first, const Consider& consider) {
  if (number_of(first) * cells.size() <= k_max_arrangements) {
    for (const SiteCell& cell : cells) {
      Arrangement arrangement = first;
      do consider(cell, arrangement);
      while (arrangement.advance());
    }
    return;
  }
  for (std::size_t k = 0; k < k_max_arrangements; ++k) {
    Arrangement arrangement = first;
    Philox random(0, streams::k_orderings, k, 0);
    arrangement.shuffle(random);
    // Where there are more cells than draws, every so many of them.
    consider(cells[k * cells.size() / k_max_arrangements], arrangement);
  }
}

}  // namespace

std::vector<Eigen::Matrix3i> hermite_normal_forms(int n) {
  std::vector<Eigen::Matrix3i> forms;
  for (int a = 1; a <= n; ++a) {
    for (int c = 1; n % a == 0 && c <= n / a; ++c) {
      if ((n / a) % c != 0) continue;
      const int f = n / a / c;
      for (int b = 0; b < a; ++b) {
        for (int d = 0; d < a; ++d) {
          for (int e = 0; e < c; ++e) {
            Eigen::Matrix3i form;
            form << a, 0, 0, b, c, 0, d, e, f;
            forms.push_back(form);
          }
        }
      }
    }
  }
  return forms;
}

std::vector<Ordering> orderings_of(const Prototype& parent, const Composition& formula, const OxidationStates& states,
                                   int max_atoms) {
  int cations = 0;
  int anions = 0;
  for (const auto& [element, count] : formula.counts()) (states.at(element) > 0 ? cations : anions) += count;
  std::vector<Ordering> result;
  if (cations == 0 || anions == 0 || parent.counts.size() != 2) return result;
  const Structure primitive = labelled_primitive(parent);
  std::set<std::string> seen;
  for (int units = 1; units * formula.n_atoms() <= max_atoms; ++units) {
    const auto demand = demand_for(parent, primitive, cations, anions, units);
    if (!demand) continue;
    const Arrangement first{occupants(formula, states, units, true, demand->empty_cations),
                            occupants(formula, states, units, false, demand->empty_anions)};
    const std::string label =
        fmt::format("A={},X={}", occupancy_text(formula, states, units, true, demand->empty_cations),
                    occupancy_text(formula, states, units, false, demand->empty_anions));
    const auto consider = [&](const SiteCell& cell, const Arrangement& arrangement) {
      Structure structure = fill(cell, arrangement.cations, arrangement.anions);
      if (!seen.insert(distance_key(structure)).second) return;
      const double error = local_charge_error(structure, states);
      result.push_back({std::move(structure), label + ", " + cell.name, error});
    };
    over_arrangements(site_cells(primitive, demand->cells), first, consider);
  }
  // Equal errors differ in the last bits: rounded, so that the order does not hang on them.
  std::stable_sort(result.begin(), result.end(), [](const Ordering& a, const Ordering& b) {
    return std::lround(a.charge_error * 1e6) < std::lround(b.charge_error * 1e6);
  });
  return result;
}

}  // namespace tamiz
