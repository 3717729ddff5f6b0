#include "tamiz/potentials/engine/mace/layer_plan.hpp"

#include <algorithm>
#include <map>

#include "tamiz/potentials/engine/equivariance/coupling_paths.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/equivariance/symmetric_basis.hpp"

namespace tamiz::mace {
namespace {

/// Monomials that begin with the same factors.
struct Branch {
  bool ends = false;  ///< a monomial ends here
  ContractionPlan::Coefficient coefficient{};
  std::map<int, Branch> further;
};

void insert(Branch& root, const Monomial& monomial, ContractionPlan::Coefficient coefficient) {
  Branch* at = &root;
  for (const std::int16_t index : monomial.indices)
    if (index >= 0) at = &at->further[index];
  at->ends = true;
  at->coefficient = coefficient;
}

void write_tree(const Branch& branch, int input, int channels, ContractionPlan& plan) {
  const auto node = plan.nodes.size();
  plan.nodes.push_back({input * channels, 0, 0, branch.ends ? 1 : 0});
  if (branch.ends) plan.coefficients.push_back(branch.coefficient);
  for (const auto& [index, next] : branch.further) {
    if (!next.further.empty()) continue;
    plan.leaves.push_back(index * channels);
    plan.coefficients.push_back(next.coefficient);
    ++plan.nodes[node].n_leaves;
  }
  for (const auto& [index, next] : branch.further) {
    if (next.further.empty()) continue;
    ++plan.nodes[node].n_children;
    write_tree(next, index, channels, plan);
  }
}

template <typename Real>
typename ConvolutionPlan<Real>::Couplings sorted(std::vector<kernels::Coupling<Real>> list, int n_links,
                                                 int n_harmonics) {
  typename ConvolutionPlan<Real>::Couplings couplings{list, list, {}};
  auto& others = couplings.by_harmonic;
  std::stable_sort(others.begin(), others.end(), [](const auto& a, const auto& b) { return a.harmonic < b.harmonic; });
  for (int m = 0; m <= n_harmonics; ++m)
    couplings.begin.push_back(static_cast<std::int32_t>(
        std::count_if(others.begin(), others.end(), [m](const auto& each) { return each.harmonic < m; })));
  // Links that nothing couples to are zero.
  std::vector<bool> coupled(static_cast<std::size_t>(n_links), false);
  for (const auto& each : list) coupled[static_cast<std::size_t>(each.link)] = true;
  for (int link = 0; link < n_links; ++link)
    if (!coupled[static_cast<std::size_t>(link)]) couplings.by_link.push_back({link, 0, Real(0)});
  std::stable_sort(couplings.by_link.begin(), couplings.by_link.end(),
                   [](const auto& a, const auto& b) { return a.link < b.link; });
  return couplings;
}

}  // namespace

template <typename Real>
ConvolutionPlan<Real>::ConvolutionPlan(int input_l, int l_max, int channels) {
  constexpr int lanes = kernels::k_lanes<Real>;
  const auto found = coupling_paths(input_l, l_max, l_max);
  slots = slots_per_l(found, l_max);
  for (int l = 0; l <= l_max; ++l) {
    begin.push_back(sum_size);
    sum_size += static_cast<std::size_t>((2 * l + 1) * slots[static_cast<std::size_t>(l)] * channels);
  }
  std::vector<kernels::Coupling<Real>> receiving, sending;
  for (const CouplingPath& path : found) {
    const auto l3 = static_cast<std::size_t>(path.l3);
    const int links = (2 * path.l1 + 1) * (2 * path.l3 + 1);
    for (const CouplingEntry& entry : path.entries) {
      const std::int32_t link = n_links + entry.m1 * (2 * path.l3 + 1) + entry.m3;
      const std::int32_t harmonic = path.l2 * path.l2 + entry.m2;
      sending.push_back({link, harmonic, static_cast<Real>(entry.value)});
      receiving.push_back({link, harmonic, static_cast<Real>(path.l2 % 2 == 0 ? entry.value : -entry.value)});
    }
    paths.push_back({.l1 = path.l1,
                     .l3 = path.l3,
                     .feature = path.l1 * path.l1 * channels,
                     .row = static_cast<std::int32_t>(begin[l3]) + path.slot * channels,
                     .row_stride = slots[l3] * channels,
                     .output = (static_cast<std::int32_t>(begin[l3]) / channels + path.slot) * lanes,
                     .output_stride = slots[l3] * lanes,
                     .link = n_links});
    n_links += links;
  }
  n_rows = static_cast<int>(sum_size) / channels;
  for (const int n : slots) {
    auto& list = places.emplace_back();
    for (int slot = 0; slot < n; ++slot)
      for (int block = 0; block < channels / lanes; ++block) list.push_back((block * n_rows + slot) * lanes);
  }
  own = sorted<Real>(receiving, n_links, n_harmonics(l_max));
  opposite = sorted<Real>(sending, n_links, n_harmonics(l_max));
}

ContractionPlan::ContractionPlan(int l_max, int output_l, int correlation, int channels)
    : n_inputs(n_harmonics(l_max)), n_outputs(n_harmonics(output_l)) {
  int part = 0;
  for (int l = 0; l <= output_l; ++l) {
    std::vector<Branch> trees(static_cast<std::size_t>(2 * l + 1));
    for (int order = 1; order <= correlation; ++order, ++part) {
      const SymmetricBasis& basis = symmetric_basis(order, l_max, l);
      parts.push_back({l, order, &basis});
      for (std::size_t k = 0; k < basis.monomials.size(); ++k)
        insert(trees[static_cast<std::size_t>(basis.monomials[k].component)], basis.monomials[k],
               {part, static_cast<int>(k)});
    }
    for (const Branch& tree : trees) write_tree(tree, 0, channels, *this);
  }
}

template struct ConvolutionPlan<float>;
template struct ConvolutionPlan<double>;

}  // namespace tamiz::mace
