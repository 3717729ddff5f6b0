#include "tamiz/potentials/engine/import/contraction_basis.hpp"

#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <utility>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/equivariance/symmetric_basis.hpp"

namespace tamiz::importer {
namespace {

using Key = std::pair<int, std::array<std::int16_t, k_max_correlation>>;
/// Coefficients of every map by component and sorted indices.
using Polynomials = std::map<Key, Eigen::VectorXd>;

/// Share of the norm of a map that may be left: its tensor was rounded to this.
double rounding(const std::string& dtype) { return dtype == "float64" ? 1e-12 : 1e-5; }

/// Component and sorted indices of a row of a tensor (components, inputs, …, inputs).
Key key_of(std::size_t row, int order, std::size_t inputs, std::size_t components) {
  Key key{0, {}};
  key.second.fill(-1);
  for (std::size_t used = 0; used < static_cast<std::size_t>(order); ++used, row /= inputs) {
    key.second[used] = static_cast<std::int16_t>(row % inputs);
    for (std::size_t k = used; k > 0 && key.second[k - 1] > key.second[k]; --k)
      std::swap(key.second[k - 1], key.second[k]);
  }
  key.first = static_cast<int>(row % components);
  return key;
}

Polynomials polynomials_of(const StoredTensor& u, int order, std::size_t inputs, std::size_t components) {
  const auto n = static_cast<Eigen::Index>(u.shape.back());
  Polynomials polynomials;
  std::size_t row = 0;
  for (auto begin = u.values.begin(); begin != u.values.end(); begin += n, ++row) {
    if (std::all_of(begin, begin + n, [](double value) { return value == 0.0; })) continue;
    auto& sum = polynomials.try_emplace(key_of(row, order, inputs, components), Eigen::VectorXd::Zero(n)).first->second;
    sum += Eigen::Map<const Eigen::VectorXd>(&*begin, n);
  }
  return polynomials;
}

void require_shape(const StoredTensor& u, int order, std::int64_t inputs, std::int64_t components) {
  std::vector<std::int64_t> expected(static_cast<std::size_t>(order), inputs);
  if (components > 1) expected.insert(expected.begin(), components);
  if (u.shape.size() != expected.size() + 1 || !std::equal(expected.begin(), expected.end(), u.shape.begin()) ||
      u.shape.back() < 1)
    throw FormatError("the table of the symmetric contraction of order " + std::to_string(order) +
                      " has another shape than its irreps ask for");
}

}  // namespace

Eigen::MatrixXd in_symmetric_basis(const StoredTensor& u, int order, int l_max, int output_l) {
  const std::int64_t inputs = n_harmonics(l_max), components = 2 * output_l + 1;
  require_shape(u, order, inputs, components);
  const SymmetricBasis& basis = symmetric_basis(order, l_max, output_l);
  Polynomials left = polynomials_of(u, order, static_cast<std::size_t>(inputs), static_cast<std::size_t>(components));
  Eigen::VectorXd norms = Eigen::VectorXd::Zero(u.shape.back()), rest = norms;
  for (const auto& [key, values] : left) norms += values.cwiseAbs2() / index_permutations(key.second);

  Eigen::MatrixXd coefficients = Eigen::MatrixXd::Zero(basis.n_maps, u.shape.back());
  for (const Monomial& monomial : basis.monomials) {
    const auto found = left.find({monomial.component, monomial.indices});
    if (found == left.end()) continue;
    const Eigen::Map<const Eigen::VectorXd> ours(monomial.coefficients.data(), basis.n_maps);
    coefficients +=
        ours * found->second.transpose() / (index_permutations(monomial.indices) * static_cast<double>(components));
  }
  for (const Monomial& monomial : basis.monomials) {
    const Eigen::Map<const Eigen::VectorXd> ours(monomial.coefficients.data(), basis.n_maps);
    left.try_emplace({monomial.component, monomial.indices}, Eigen::VectorXd::Zero(u.shape.back())).first->second -=
        coefficients.transpose() * ours;
  }
  for (const auto& [key, values] : left) rest += values.cwiseAbs2() / index_permutations(key.second);
  for (Eigen::Index k = 0; k < norms.size(); ++k)
    if (!(std::sqrt(rest[k]) <= rounding(u.dtype) * std::max(1.0, std::sqrt(norms[k]))))
      throw FormatError("map " + std::to_string(k) + " of the symmetric contraction of order " + std::to_string(order) +
                        " to L = " + std::to_string(output_l) + " is no invariant map of this project's basis");
  return coefficients;
}

}  // namespace tamiz::importer
