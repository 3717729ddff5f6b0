#include "tamiz/screening/propose/oxidation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <nlohmann/json.hpp>
#include <numeric>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"

namespace tamiz {
namespace {

using StateTable = std::map<Element, std::map<int, int>>;

constexpr int k_least_reports = 6;
constexpr double k_common_cation = 0.05;  // of the positive reports of an element
constexpr double k_common_anion = 0.08;   // of all reports of an element: H has 9 %, Ge 6 %

StateTable read_states() {
  const std::filesystem::path path = data_directory() / "tables" / "oxidation_states_icsd24_counts.json";
  StateTable table;
  try {
    for (const auto& entry : nlohmann::json::parse(read_file(path))) {
      const int state = entry.at("oxidation_state"), reports = entry.at("results_count");
      if (state == 0 || reports < k_least_reports) continue;
      table[Element::from_symbol(entry.at("element").get<std::string>())][state] = reports;
    }
  } catch (const nlohmann::json::exception& error) {
    throw FormatError(path.string() + ": " + error.what());
  }
  return table;
}

/// Reports of one sign.
int reports_of(Element element, bool positive) {
  int sum = 0;
  for (const auto& [state, reports] : reported_oxidation_states(element)) sum += (state > 0) == positive ? reports : 0;
  return sum;
}

bool is_common_anion(Element element) {
  const int negative = reports_of(element, false);
  return negative > 0 && negative >= k_common_anion * (negative + reports_of(element, true));
}

/// Share of a state among the reports of its sign; small, yet not zero, for one that only the user knows.
double share_of(Element element, int state) {
  const auto& reported = reported_oxidation_states(element);
  const auto found = reported.find(state);
  return (found == reported.end() ? 1.0 : found->second) / std::max(1, reports_of(element, state > 0));
}

/// Charge that completes the shell of a main-group element, or 0 where more than four electrons miss.
int octet_state(Element element) {
  constexpr std::array<int, 6> k_noble{2, 10, 18, 36, 54, 86};
  const auto next = std::lower_bound(k_noble.begin(), k_noble.end(), element.number());
  if (next == k_noble.end() || *next == element.number()) return 0;
  const int missing = *next - element.number();
  return missing <= 4 ? -missing : 0;
}

/// Electrons that a main-group element or one of group 12 can give away; none is stated for the others. The
/// ICSD's entries hold charges above that (Zn3+, Sr4+), as mistakes and as averages of mixed sites.
int most_positive_state(Element element) {
  constexpr std::array<int, 7> k_noble{0, 2, 10, 18, 36, 54, 86};
  const auto next = std::lower_bound(k_noble.begin() + 1, k_noble.end(), element.number());
  if (next == k_noble.end()) return std::numeric_limits<int>::max();
  const int beyond = element.number() - *std::prev(next);
  if (beyond <= 2) return beyond;
  const int filled_shells = *next - *std::prev(next) - 8;  // d and f electrons of the period: 0, 10 or 24
  if (filled_shells <= 0) return beyond;
  return beyond - filled_shells >= 2 ? beyond - filled_shells : std::numeric_limits<int>::max();
}

/// `as_anion`: whether the element may be an anion in this composition.
std::vector<int> allowed_states(Element element, const OxidationRules& rules, bool as_anion) {
  if (const auto given = rules.given.find(element); given != rules.given.end()) return given->second;
  std::vector<int> states;
  for (const auto& [state, reports] : reported_oxidation_states(element)) {
    const bool fits = state > 0 ? state <= most_positive_state(element) && share_of(element, state) >= k_common_cation
                                : as_anion && (rules.anions == AnionRule::any || state == octet_state(element));
    if (fits) states.push_back(state);
  }
  return states;
}

/// Cations below anions; an element without a tabulated electronegativity fails.
bool electronegativities_fit(const OxidationStates& states) {
  double highest_cation = -1.0;
  double lowest_anion = std::numeric_limits<double>::infinity();
  for (const auto& [element, state] : states) {
    const double chi = element.electronegativity();
    if (std::isnan(chi)) return false;
    if (state > 0) highest_cation = std::max(highest_cation, chi);
    if (state < 0) lowest_anion = std::min(lowest_anion, chi);
  }
  return highest_cation < lowest_anion;
}

/// Which of several balanced assignments is taken: by how common the states are together, then the largest charges,
/// then the highest cation charge on the most electronegative cation.
struct Score {
  double log_share = -std::numeric_limits<double>::infinity();
  int magnitude = 0;
  double order = 0.0;

  auto operator<=>(const Score&) const = default;
};

Score score_of(const std::vector<std::pair<Element, int>>& counts, const OxidationStates& states) {
  Score score{0.0, 0, 0.0};
  for (const auto& [element, count] : counts) {
    const int state = states.at(element);
    score.log_share += std::log(share_of(element, state));
    score.magnitude += count * std::abs(state);
    if (state > 0) score.order += count * state * element.electronegativity();
  }
  return score;
}

}  // namespace

const std::map<int, int>& reported_oxidation_states(Element element) {
  static const StateTable table = read_states();
  static const std::map<int, int> none;
  const auto found = table.find(element);
  return found == table.end() ? none : found->second;
}

std::optional<OxidationStates> balance_charges(const Composition& composition, const OxidationRules& rules) {
  const std::vector<std::pair<Element, int>> counts(composition.counts().begin(), composition.counts().end());
  if (counts.empty()) return std::nullopt;
  if (counts.size() == 1) return OxidationStates{{counts[0].first, 0}};
  const bool is_zintl = std::none_of(counts.begin(), counts.end(), [](const auto& entry) { return is_common_anion(entry.first); });
  std::optional<OxidationStates> best;
  Score best_score;
  OxidationStates current;
  const std::function<void(std::size_t, int)> extend = [&](std::size_t k, int sum) {
    if (k == counts.size()) {
      if (sum != 0 || !electronegativities_fit(current)) return;
      const Score score = score_of(counts, current);
      if (score <= best_score) return;
      best = current;
      best_score = score;
      return;
    }
    const auto& [element, count] = counts[k];
    for (const int state : allowed_states(element, rules, is_zintl || is_common_anion(element))) {
      current[element] = state;
      extend(k + 1, sum + count * state);
    }
    current.erase(element);
  };
  extend(0, 0);
  return best;
}

std::string oxidation_text(const OxidationStates& states) {
  std::vector<std::pair<Element, int>> order(states.begin(), states.end());
  std::stable_sort(order.begin(), order.end(), [](const auto& a, const auto& b) {
    return a.first.electronegativity() < b.first.electronegativity();
  });
  std::string text;
  for (const auto& [element, state] : order) {
    text += fmt::format("{}{}{:+d}", text.empty() ? "" : " ", element.symbol(), state);
  }
  return text;
}

std::vector<Composition> balanced_compositions(std::span<const Element> elements, int max_atoms,
                                               const OxidationRules& rules) {
  std::vector<Composition> result;
  const int n = static_cast<int>(elements.size());
  std::vector<int> counts(elements.size(), 1);
  const std::function<void(int, int)> fill = [&](int k, int left) {
    if (k == n - 1) {
      counts[static_cast<std::size_t>(k)] = left;
      if (std::accumulate(counts.begin(), counts.end(), 0, [](int a, int b) { return std::gcd(a, b); }) != 1) return;
      std::map<Element, int> map;
      for (int i = 0; i < n; ++i) map.emplace(elements[static_cast<std::size_t>(i)], counts[static_cast<std::size_t>(i)]);
      const Composition composition(map);
      if (balance_charges(composition, rules)) result.push_back(composition);
      return;
    }
    for (int c = 1; c <= left - (n - 1 - k); ++c) {
      counts[static_cast<std::size_t>(k)] = c;
      fill(k + 1, left - c);
    }
  };
  for (int total = n; n > 0 && total <= max_atoms; ++total) fill(0, total);
  return result;
}

}  // namespace tamiz
