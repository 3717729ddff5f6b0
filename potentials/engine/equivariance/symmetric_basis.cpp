#include "tamiz/potentials/engine/equivariance/symmetric_basis.hpp"

#include <algorithm>
#include <cmath>
#include <cstdlib>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/equivariance/wigner.hpp"

namespace tamiz {
namespace {

constexpr double k_dependent = 1e-9;  ///< share of the norm under which a map is a sum of earlier ones
constexpr double k_zero = 1e-12;

using Indices = std::array<std::int16_t, k_max_correlation>;
/// Coefficients of a polynomial by sorted indices.
using Polynomial = std::map<Indices, double>;
/// An equivariant map: one polynomial per output component.
using Map = std::vector<Polynomial>;

Indices with_factor(Indices indices, std::int16_t factor) {
  int used = 0;
  while (used < k_max_correlation && indices[static_cast<std::size_t>(used)] >= 0) ++used;
  indices[static_cast<std::size_t>(used)] = factor;
  std::sort(indices.begin(), indices.begin() + used + 1);
  return indices;
}

Map single_factor(int l) {
  Map map(static_cast<std::size_t>(2 * l + 1));
  for (int m = 0; m <= 2 * l; ++m) map[static_cast<std::size_t>(m)][with_factor({-1, -1, -1, -1}, static_cast<std::int16_t>(l * l + m))] = 1.0;
  return map;
}

/// Couples a map of momentum l12 with one more factor of momentum l to momentum l_out.
Map couple(const Map& map, int l12, int l, int l_out) {
  Map result(static_cast<std::size_t>(2 * l_out + 1));
  for (const CouplingEntry& entry : wigner_3j(l12, l, l_out))
    for (const auto& [indices, value] : map[static_cast<std::size_t>(entry.m1)])
      result[static_cast<std::size_t>(entry.m3)][with_factor(indices, static_cast<std::int16_t>(l * l + entry.m2))] +=
          value * entry.value;
  return result;
}

/// Inner product of two maps as symmetric tensors.
double inner(const Map& a, const Map& b) {
  double sum = 0.0;
  for (std::size_t m = 0; m < a.size(); ++m)
    for (const auto& [indices, value] : a[m])
      if (const auto other = b[m].find(indices); other != b[m].end())
        sum += value * other->second / index_permutations(indices);
  return sum;
}

void add_scaled(Map& target, const Map& other, double factor) {
  for (std::size_t m = 0; m < target.size(); ++m)
    for (const auto& [indices, value] : other[m]) target[m][indices] += factor * value;
}

void scale(Map& map, double factor) {
  for (Polynomial& polynomial : map)
    for (auto& [indices, value] : polynomial) value *= factor;
}

/// Appends `candidate` made orthogonal to `basis` (twice, against rounding) where anything is left.
void append_orthogonal(std::vector<Map>& basis, Map candidate, double norm_squared) {
  const double before = inner(candidate, candidate);
  if (before < k_zero) return;
  for (int pass = 0; pass < 2; ++pass)
    for (const Map& known : basis) add_scaled(candidate, known, -inner(candidate, known) / norm_squared);
  const double after = inner(candidate, candidate);
  if (after < k_dependent * before) return;
  scale(candidate, std::sqrt(norm_squared / after));
  basis.push_back(std::move(candidate));
}

/// All couplings of ls[position..] onto `map`, with the last one ending in output_l.
void couple_all(const Map& map, int l_so_far, const std::vector<int>& ls, std::size_t position, int output_l,
                std::vector<Map>& basis) {
  const double norm_squared = 2.0 * output_l + 1.0;
  if (position == ls.size()) {
    if (l_so_far == output_l) append_orthogonal(basis, map, norm_squared);
    return;
  }
  const int l = ls[position];
  int rest = output_l;
  for (std::size_t k = position + 1; k < ls.size(); ++k) rest += ls[k];
  for (int next = std::abs(l_so_far - l); next <= std::min(l_so_far + l, rest); ++next)
    couple_all(couple(map, l_so_far, l, next), next, ls, position + 1, output_l, basis);
}

void all_multisets(int order, int l_max, int from, std::vector<int>& ls, int output_l, std::vector<Map>& maps) {
  if (static_cast<int>(ls.size()) == order) {
    int sum = output_l;
    for (const int l : ls) sum += l;
    if (sum % 2 != 0) return;
    // Maps of different multisets share no monomial, so each multiset is orthogonalised by itself.
    std::vector<Map> basis;
    couple_all(single_factor(ls[0]), ls[0], ls, 1, output_l, basis);
    for (Map& map : basis) maps.push_back(std::move(map));
    return;
  }
  for (int l = from; l <= l_max; ++l) {
    ls.push_back(l);
    all_multisets(order, l_max, l, ls, output_l, maps);
    ls.pop_back();
  }
}

SymmetricBasis compute(int order, int l_max, int output_l) {
  std::vector<Map> maps;
  std::vector<int> ls;
  all_multisets(order, l_max, 0, ls, output_l, maps);
  SymmetricBasis basis{order, output_l, static_cast<int>(maps.size()), {}};
  for (int component = 0; component <= 2 * output_l; ++component) {
    std::map<Indices, std::vector<double>> rows;
    for (std::size_t k = 0; k < maps.size(); ++k)
      for (const auto& [indices, value] : maps[k][static_cast<std::size_t>(component)]) {
        if (std::abs(value) < k_zero) continue;
        auto& row = rows[indices];
        row.resize(maps.size(), 0.0);
        row[k] = value;
      }
    for (auto& [indices, coefficients] : rows) basis.monomials.push_back({component, indices, std::move(coefficients)});
  }
  return basis;
}

}  // namespace

double index_permutations(const std::array<std::int16_t, k_max_correlation>& indices) {
  static constexpr std::array<double, 5> factorials{1, 1, 2, 6, 24};
  std::size_t used = 0, run = 0;
  double count = 1.0;
  while (used < indices.size() && indices[used] >= 0) {
    run = used > 0 && indices[used] == indices[used - 1] ? run + 1 : 1;
    count /= static_cast<double>(run);
    ++used;
  }
  return count * factorials[used];
}

const SymmetricBasis& symmetric_basis(int order, int l_max, int output_l) {
  if (order < 1 || order > k_max_correlation || l_max < 0 || l_max > k_max_harmonic || output_l < 0 || output_l > 2)
    throw ShapeError("no symmetric contraction of order " + std::to_string(order) + ", l_max " +
                     std::to_string(l_max) + " to L = " + std::to_string(output_l) +
                     ": expected order 1..4, l_max 0..6, L 0..2");
  static std::mutex mutex;
  static std::map<std::tuple<int, int, int>, SymmetricBasis> cache;
  const std::lock_guard lock(mutex);
  const auto key = std::make_tuple(order, l_max, output_l);
  if (const auto found = cache.find(key); found != cache.end()) return found->second;
  return cache.emplace(key, compute(order, l_max, output_l)).first->second;
}

}  // namespace tamiz
