#include "tamiz/potentials/torch/tables.hpp"

#include <map>
#include <tuple>

#include "tamiz/potentials/engine/equivariance/coupling_paths.hpp"
#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/equivariance/symmetric_basis.hpp"

namespace tamiz::torch_engine {

ConvolutionPlan::ConvolutionPlan(int input_l, int l_max)
    : n_paths_(0), n_harmonics_(n_harmonics(l_max)), input_l_(input_l) {
  const auto paths = coupling_paths(input_l, l_max, l_max);
  n_paths_ = static_cast<int>(paths.size());
  slots_ = slots_per_l(paths, l_max);
  std::vector<int> base;
  for (int l = 0; l <= l_max; ++l) {
    base.push_back(rows_per_atom_);
    rows_per_atom_ += (2 * l + 1) * slots_[static_cast<std::size_t>(l)];
  }
  for (int p = 0; p < n_paths_; ++p) {
    const CouplingPath& path = paths[static_cast<std::size_t>(p)];
    // The entries by (m1, m3), in this order.
    std::map<std::tuple<int, int>, std::vector<kernels::LinkEntry>> by_link;
    for (const CouplingEntry& entry : path.entries)
      by_link[{entry.m1, entry.m3}].push_back({path.l2 * path.l2 + entry.m2, entry.value});
    int last_m1 = -1;
    const int slots = slots_[static_cast<std::size_t>(path.l3)];
    for (const auto& [key, entries] : by_link) {
      const auto [m1, m3] = key;
      const int link = static_cast<int>(links_.size());
      if (m1 != last_m1) groups_.push_back({p, path.l1 * path.l1 + m1, link, link});
      last_m1 = m1;
      const int begin = static_cast<int>(entries_.size());
      entries_.insert(entries_.end(), entries.begin(), entries.end());
      links_.push_back({begin, static_cast<int>(entries_.size()), base[static_cast<std::size_t>(path.l3)] + m3 * slots,
                        slots, path.slot});
      groups_.back().link_end = link + 1;
    }
  }
}

kernels::ConvolutionTables ConvolutionPlan::view() const {
  return {n_paths_,     n_harmonics_, static_cast<std::int32_t>(links_.size()), static_cast<std::int32_t>(groups_.size()),
          links_.data(), entries_.data(), groups_.data()};
}

PolynomialPlan::PolynomialPlan(int l_max, int output_l, int correlation)
    : order_(correlation), n_inputs_(n_harmonics(l_max)), n_outputs_(n_harmonics(output_l)) {
  for (int l = 0; l <= output_l; ++l)
    for (int order = 1; order <= correlation; ++order) {
      const SymmetricBasis& basis = symmetric_basis(order, l_max, l);
      Part part{l, order, basis.n_maps, static_cast<int>(terms_.size()), 0, {}};
      for (const Monomial& monomial : basis.monomials) {
        kernels::Term term{l * l + monomial.component, {}};
        for (std::size_t k = 0; k < 4; ++k)
          term.indices[k] = monomial.indices[k] >= 0 ? monomial.indices[k] : n_inputs_;
        terms_.push_back(term);
        part.matrix.insert(part.matrix.end(), monomial.coefficients.begin(), monomial.coefficients.end());
      }
      part.end = static_cast<int>(terms_.size());
      parts_.push_back(std::move(part));
    }
}

}  // namespace tamiz::torch_engine
