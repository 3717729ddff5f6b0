// What BlockPass does along edges.

#include <algorithm>

#include "tamiz/potentials/engine/mace/block_pass.hpp"

namespace tamiz::mace {

template <typename Real>
void BlockPass<Real>::convolve(std::size_t t) {
  const AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  this->exact_rows(t);
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    this->view_edges(t, k, plan.own);
    for (std::size_t e = 0; e < scratch_.edges.size(); ++e)
      scratch_.edges[e].features = this->sent(t, atoms.neighbor(atoms.first(atom(k)) + e),
                                              space_.layers[t].rows[static_cast<std::size_t>(Row::up)]);
    kernels::fused_table<Real>().convolve(
        {static_cast<std::int64_t>(scratch_.edges.size()), static_cast<std::int64_t>(channels_),
         static_cast<std::int64_t>(layer(t).radial.stride()), scratch_.edges.data(),
         static_cast<std::int32_t>(plan.paths.size()), plan.paths.data(), row(Row::sum, t, k)});
  }
}

template <typename Real>
void BlockPass<Real>::divide_by_density(std::size_t t) {
  const AtomSet<Real>& atoms = space_.atoms;
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    double sum = 1.0;
    for (std::size_t e = 0; e < atoms.n_edges(atom(k)); ++e) sum += this->density(t, k, atoms.first(atom(k)) + e).value;
    space_.layers[t].density[atom(k)] = sum;
    Real* x = row(Row::message, t, k);
    for (std::size_t c = 0; c < harmonics_ * channels_; ++c) x[c] *= static_cast<Real>(1.0 / sum);
  }
}

/// From the derivatives by the messages to those by the messages before their division, and by the density.
template <typename Real>
void BlockPass<Real>::density_backward(std::size_t t) {
  const AtomSet<Real>& atoms = space_.atoms;
  namespace rows = kernels::edge_rows;
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    const double density_sum = space_.layers[t].density[atom(k)];
    const Real* x = row(Row::message, t, k);
    Real* gradient = row(Row::d_message, t, k);
    double product = 0.0;
    for (std::size_t c = 0; c < harmonics_ * channels_; ++c) {
      product += static_cast<double>(x[c]) * static_cast<double>(gradient[c]);
      gradient[c] *= static_cast<Real>(1.0 / density_sum);
    }
    const double by_density = -product / density_sum;
    for (std::size_t e = 0; e < atoms.n_edges(atom(k)); ++e) {
      const std::size_t slot = atoms.first(atom(k)) + e;
      const double by_distance = by_density * this->density(t, k, slot).slope;
      const Real* unit = atoms.group(slot) + rows::k_unit * k_lanes + slot % k_lanes;
      Real* d_vector = space_.d_vectors.data() + 3 * slot;
      for (std::size_t d = 0; d < 3; ++d)
        d_vector[d] += static_cast<Real>(by_distance * static_cast<double>(unit[d * k_lanes]));
    }
  }
}

template <typename Real>
void BlockPass<Real>::reverse(std::size_t t, std::size_t k, const Couplings& couplings, Real* d_up) {
  AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  const std::size_t first = atoms.first(atom(k));
  if (scratch_.edges.empty()) return;
  model_.write_harmonics(atoms, atom(k), &scratch_.gradients);
  for (std::size_t e = 0; e < scratch_.edges.size(); ++e)
    scratch_.edges[e].gradients = scratch_.gradients.data() + e / k_lanes * 3 * harmonics_ * k_lanes + e % k_lanes;
  scratch_.reverse.reserve(static_cast<std::size_t>(plan.n_links) * k_lanes);
  kernels::fused_table<Real>().convolve_reverse(
      {static_cast<std::int64_t>(scratch_.edges.size()), static_cast<std::int64_t>(channels_),
       static_cast<std::int64_t>(layer(t).radial.stride()), scratch_.edges.data(),
       static_cast<std::int32_t>(plan.paths.size()), static_cast<std::int32_t>(harmonics_), plan.n_rows,
       plan.paths.data(), couplings.by_harmonic.data(), couplings.begin.data(), d_up,
       space_.d_vectors.data() + 3 * first, scratch_.reverse.data()});
}

template <typename Real>
void BlockPass<Real>::send_backward(std::size_t t) {
  const AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  this->exact_rows(t);
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    this->view_edges(t, k, plan.opposite);
    for (std::size_t e = 0; e < scratch_.edges.size(); ++e) {
      scratch_.edges[e].features = row(Row::up, t, k);
      scratch_.edges[e].outputs = this->kept_row(Row::d_sum, t, atoms.neighbor(atoms.first(atom(k)) + e));
    }
    Real* d_up = row(Row::d_up, t, k);
    std::fill_n(d_up, model_.stride(Row::d_up, t), Real(0));
    reverse(t, k, plan.opposite, d_up);
  }
}

template <typename Real>
void BlockPass<Real>::receive_backward() {
  const AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(0).convolution;
  this->exact_rows(0);
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    this->view_edges(0, k, plan.own);
    for (std::size_t e = 0; e < scratch_.edges.size(); ++e) {
      const std::size_t j = atoms.neighbor(atoms.first(atom(k)) + e);
      scratch_.edges[e].features = space_.first_features[static_cast<std::size_t>(atoms.element(j))];
      scratch_.edges[e].outputs = row(Row::d_sum, 0, k);
    }
    reverse(0, k, plan.own, nullptr);
  }
}

template class BlockPass<float>;
template class BlockPass<double>;

}  // namespace tamiz::mace
