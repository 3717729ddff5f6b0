#include "tamiz/screening/propose/oxidation.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <limits>
#include <numeric>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/text.hpp"

namespace tamiz {
namespace {

using StateTable = std::map<Element, std::vector<int>>;

StateTable read_states() {
  const std::filesystem::path path = data_directory() / "tables" / "oxidation_states_icsd24_filtered.txt";
  const std::string text = read_file(path);
  StateTable table;
  std::size_t line_number = 0;
  for (std::size_t begin = 0; begin < text.size();) {
    const std::size_t end = std::min(text.find('\n', begin), text.size());
    const std::string_view line = trim(std::string_view(text).substr(begin, end - begin));
    begin = end + 1;
    ++line_number;
    if (line.empty() || line.front() == '#') continue;
    const std::vector<std::string_view> words = split_whitespace(line);
    const std::string where = fmt::format("{}:{}", path.string(), line_number);
    std::vector<int>& states = table[Element::from_symbol(words[0])];
    for (std::size_t k = 1; k < words.size(); ++k) states.push_back(static_cast<int>(parse_integer(words[k], where)));
  }
  return table;
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

std::vector<int> allowed_states(Element element, AnionRule rule) {
  const std::span<const int> known = known_oxidation_states(element);
  std::vector<int> result;
  const int octet = octet_state(element);
  const bool has_octet = std::find(known.begin(), known.end(), octet) != known.end() && octet < 0;
  const int lowest = known.empty() ? 0 : *std::min_element(known.begin(), known.end());
  for (const int state : known) {
    const bool best_anion = state == (has_octet ? octet : lowest);
    if (state > most_positive_state(element)) continue;
    if (state > 0 || rule == AnionRule::any || best_anion) result.push_back(state);
  }
  return result;
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

/// Which of several balanced assignments is taken: the largest charges, then the highest cation charge on the
/// most electronegative cation (Sr2+ Ti4+, not Sr4+ Ti2+).
std::pair<int, double> score_of(const std::vector<std::pair<Element, int>>& counts, const OxidationStates& states) {
  int magnitude = 0;
  double order = 0.0;
  for (const auto& [element, count] : counts) {
    magnitude += count * std::abs(states.at(element));
    if (states.at(element) > 0) order += count * states.at(element) * element.electronegativity();
  }
  return {magnitude, order};
}

}  // namespace

std::span<const int> known_oxidation_states(Element element) {
  static const StateTable table = read_states();
  const auto found = table.find(element);
  return found == table.end() ? std::span<const int>{} : std::span<const int>(found->second);
}

std::optional<OxidationStates> balance_charges(const Composition& composition, AnionRule rule) {
  const std::vector<std::pair<Element, int>> counts(composition.counts().begin(), composition.counts().end());
  if (counts.empty()) return std::nullopt;
  if (counts.size() == 1) return OxidationStates{{counts[0].first, 0}};
  std::optional<OxidationStates> best;
  std::pair<int, double> best_score{-1, 0.0};
  OxidationStates current;
  const std::function<void(std::size_t, int)> extend = [&](std::size_t k, int sum) {
    if (k == counts.size()) {
      if (sum != 0 || !electronegativities_fit(current)) return;
      const std::pair<int, double> score = score_of(counts, current);
      if (score <= best_score) return;
      best = current;
      best_score = score;
      return;
    }
    const auto& [element, count] = counts[k];
    for (const int state : allowed_states(element, rule)) {
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

std::vector<Composition> balanced_compositions(std::span<const Element> elements, int max_atoms, AnionRule rule) {
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
      if (balance_charges(composition, rule)) result.push_back(composition);
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
