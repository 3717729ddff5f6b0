// What BlockPass does along edges.

#include <algorithm>

#include "tamiz/potentials/engine/mace/block_pass.hpp"

namespace tamiz::mace {

template <typename Real>
void FusedModel<Real>::BlockPass::exact_rows(std::size_t t) {
  if (model_.weights_.radial().kind() != RadialReading::Kind::exact) return;
  const RadialInput& input = model_.weights_.radial().input();
  const AtomSet<Real>& atoms = space_.atoms;
  const auto width = static_cast<std::size_t>(input.basis_size());
  scratch_.first_rows.clear();
  std::size_t n = 0;
  for (std::size_t k = 0; k < block_.atoms.size(); ++k) {
    scratch_.first_rows.push_back(2 * n);
    n += atoms.n_edges(atom(k));
  }
  scratch_.basis.resize(n * width);
  scratch_.slopes.resize(n * width);
  std::size_t e = 0;
  for (std::size_t k = 0; k < block_.atoms.size(); ++k)
    for (std::size_t slot = atoms.first(atom(k)); slot < atoms.first(atom(k)) + atoms.n_edges(atom(k)); ++slot, ++e)
      input.at(atoms.vector(slot).norm(), block_.element, atoms.element(atoms.neighbor(slot)),
               std::span(scratch_.basis).subspan(e * width, width),
               std::span(scratch_.slopes).subspan(e * width, width));
  const RadialNetwork& network = layer(t).radial.network();
  const double* values = network.evaluate(n, scratch_.basis.data(), scratch_.slopes.data(), scratch_.network);
  const std::size_t stride = layer(t).radial.stride(), outputs = network.n_outputs();
  scratch_.rows.reserve((2 * n + 2) * stride);
  for (std::size_t r = 0; r < 2 * n; ++r) {
    const double* source = values + (r % 2 * n + r / 2) * outputs;
    for (std::size_t c = 0; c < outputs; ++c) scratch_.rows.data()[r * stride + layer(t).radial.place(c)] = static_cast<Real>(source[c]);
  }
  // The kernels read four rows of an edge, of which two count for nothing.
  std::fill_n(scratch_.rows.data() + 2 * n * stride, 2 * stride, Real(0));
}

template <typename Real>
const FineTable<Real>& FusedModel<Real>::BlockPass::fine_table(std::size_t t, std::size_t k, std::size_t slot) const {
  const AtomSet<Real>& atoms = space_.atoms;
  const RadialInput& input = model_.weights_.radial().input();
  return *space_.layers[t].fine[input.table_of(atoms.element(atom(k)), atoms.element(atoms.neighbor(slot)))];
}

template <typename Real>
void FusedModel<Real>::BlockPass::view_edges(std::size_t t, std::size_t k,
                                             const Couplings& couplings) {
  const AtomSet<Real>& atoms = space_.atoms;
  const std::size_t first = atoms.first(atom(k)), n = atoms.n_edges(atom(k)), groups = (n + k_lanes - 1) / k_lanes;
  const RadialTable<Real>& table = layer(t).radial;
  const auto links = static_cast<std::size_t>(layer(t).convolution.n_links);
  scratch_.factors.reserve(groups * links * k_lanes);
  kernels::fused_table<Real>().factors({static_cast<std::int64_t>(groups), atoms.n_rows(),
                                        static_cast<std::int32_t>(links), static_cast<std::int32_t>(couplings.by_link.size()), couplings.by_link.data(),
                                        n > 0 ? atoms.group(first) : nullptr, scratch_.factors.data()});
  const RadialReading& reading = model_.weights_.radial();
  const RadialReading::Kind kind = reading.kind();
  scratch_.edges.resize(n);
  for (std::size_t e = 0; e < n; ++e) {
    const std::size_t slot = first + e, lane = e % k_lanes;
    kernels::EdgeView<Real>& edge = scratch_.edges[e];
    edge.weights = atoms.group(slot) + lane;
    edge.factors = scratch_.factors.data() + e / k_lanes * links * k_lanes + lane;
    if (kind == RadialReading::Kind::exact) {
      edge.table = scratch_.rows.data() + (scratch_.first_rows[k] + 2 * e) * table.stride();
      continue;
    }
    const Real* rows = kind == RadialReading::Kind::splined ? table.coefficients() : fine_table(t, k, slot).rows.data();
    edge.table = rows + atoms.table_row(slot) * table.stride();
  }
}

template <typename Real>
void FusedModel<Real>::BlockPass::convolve(std::size_t t) {
  const AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  scratch_.sum.reserve(block_.atoms.size() * plan.sum_size);
  exact_rows(t);
  for (std::size_t k = 0; k < block_.atoms.size(); ++k) {
    view_edges(t, k, plan.own);
    for (std::size_t e = 0; e < scratch_.edges.size(); ++e) {
      const std::size_t j = atoms.neighbor(atoms.first(atom(k)) + e);
      scratch_.edges[e].features = t == 0 ? space_.first_features[static_cast<std::size_t>(atoms.element(j))]
                                          : space_.layers[t].up.data() + j * model_.feature_stride(t);
    }
    kernels::fused_table<Real>().convolve({static_cast<std::int64_t>(scratch_.edges.size()),
                                           static_cast<std::int64_t>(channels_),
                                           static_cast<std::int64_t>(layer(t).radial.stride()), scratch_.edges.data(),
                                           static_cast<std::int32_t>(plan.paths.size()), plan.paths.data(),
                                           scratch_.sum.data() + k * plan.sum_size});
  }
}

template <typename Real>
RadialNetwork::Density FusedModel<Real>::BlockPass::density(std::size_t t, std::size_t k, std::size_t slot) const {
  const AtomSet<Real>& atoms = space_.atoms;
  const RadialTable<Real>& table = layer(t).radial;
  const RadialReading::Kind kind = model_.weights_.radial().kind();
  if (kind == RadialReading::Kind::exact) {
    const RadialInput& input = model_.weights_.radial().input();
    const auto width = static_cast<std::size_t>(input.basis_size());
    const std::size_t edge = scratch_.first_rows[k] / 2 + slot - atoms.first(atom(k));
    return table.network().density(scratch_.basis.data() + edge * width, scratch_.slopes.data() + edge * width);
  }
  namespace rows = kernels::edge_rows;
  const Real* lane = atoms.group(slot) + slot % k_lanes;
  const auto& rows_of_density = kind == RadialReading::Kind::splined ? table.density() : fine_table(t, k, slot).density;
  RadialNetwork::Density share{0.0, 0.0};
  for (std::size_t row = 0; row < 4; ++row) {
    const double coefficient = rows_of_density[atoms.table_row(slot) + row];
    share.value += coefficient * static_cast<double>(lane[(rows::k_values + row) * k_lanes]);
    share.slope += coefficient * static_cast<double>(lane[(rows::k_slopes + row) * k_lanes]);
  }
  return share;
}

template <typename Real>
void FusedModel<Real>::BlockPass::divide_by_density(std::size_t t) {
  const AtomSet<Real>& atoms = space_.atoms;
  for (std::size_t k = 0; k < block_.atoms.size(); ++k) {
    double sum = 1.0;
    for (std::size_t e = 0; e < atoms.n_edges(atom(k)); ++e) sum += density(t, k, atoms.first(atom(k)) + e).value;
    space_.layers[t].density[atom(k)] = sum;
    Real* x = message(t, k);
    for (std::size_t c = 0; c < harmonics_ * channels_; ++c) x[c] *= static_cast<Real>(1.0 / sum);
  }
}

/// From the derivatives by the messages to those by the messages before their division, and by the density.
template <typename Real>
void FusedModel<Real>::BlockPass::density_backward(std::size_t t) {
  const AtomSet<Real>& atoms = space_.atoms;
  namespace rows = kernels::edge_rows;
  for (std::size_t k = 0; k < block_.atoms.size(); ++k) {
    const double density_sum = space_.layers[t].density[atom(k)];
    const Real* x = message(t, k);
    Real* gradient = scratch_.gradient.data() + k * harmonics_ * channels_;
    double product = 0.0;
    for (std::size_t c = 0; c < harmonics_ * channels_; ++c) {
      product += static_cast<double>(x[c]) * static_cast<double>(gradient[c]);
      gradient[c] *= static_cast<Real>(1.0 / density_sum);
    }
    const double by_density = -product / density_sum;
    for (std::size_t e = 0; e < atoms.n_edges(atom(k)); ++e) {
      const std::size_t slot = atoms.first(atom(k)) + e;
      const double by_distance = by_density * density(t, k, slot).slope;
      const Real* unit = atoms.group(slot) + rows::k_unit * k_lanes + slot % k_lanes;
      Real* d_vector = space_.d_vectors.data() + 3 * slot;
      for (std::size_t d = 0; d < 3; ++d)
        d_vector[d] += static_cast<Real>(by_distance * static_cast<double>(unit[d * k_lanes]));
    }
  }
}

template <typename Real>
void FusedModel<Real>::BlockPass::reverse(std::size_t t, std::size_t k,
                                          const Couplings& couplings, Real* d_up) {
  AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  const std::size_t first = atoms.first(atom(k));
  if (scratch_.edges.empty()) return;
  model_.write_harmonics(atoms, atom(k), &scratch_.gradients);
  for (std::size_t e = 0; e < scratch_.edges.size(); ++e)
    scratch_.edges[e].gradients = scratch_.gradients.data() + e / k_lanes * 3 * harmonics_ * k_lanes + e % k_lanes;
  scratch_.reverse.reserve(static_cast<std::size_t>(plan.n_links) * k_lanes);
  kernels::fused_table<Real>().convolve_reverse({static_cast<std::int64_t>(scratch_.edges.size()),
                                                 static_cast<std::int64_t>(channels_),
                                                 static_cast<std::int64_t>(layer(t).radial.stride()),
                                                 scratch_.edges.data(), static_cast<std::int32_t>(plan.paths.size()),
                                                 static_cast<std::int32_t>(harmonics_), plan.n_rows, plan.paths.data(),
                                                 couplings.by_harmonic.data(), couplings.begin.data(), d_up, space_.d_vectors.data() + 3 * first,
                                                 scratch_.reverse.data()});
}

template <typename Real>
void FusedModel<Real>::BlockPass::send_backward(std::size_t t) {
  const AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  const std::size_t stride = model_.feature_stride(t), sum_stride = odd_lines<Real>(plan.sum_size);
  scratch_.d_up.assign_zero(block_.atoms.size() * stride);
  exact_rows(t);
  for (std::size_t k = 0; k < block_.atoms.size(); ++k) {
    view_edges(t, k, plan.opposite);
    for (std::size_t e = 0; e < scratch_.edges.size(); ++e) {
      scratch_.edges[e].features = space_.layers[t].up.data() + atom(k) * stride;
      scratch_.edges[e].outputs =
          space_.layers[t].d_sum.data() + atoms.neighbor(atoms.first(atom(k)) + e) * sum_stride;
    }
    reverse(t, k, plan.opposite, scratch_.d_up.data() + k * stride);
  }
}

template <typename Real>
void FusedModel<Real>::BlockPass::receive_backward() {
  const AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(0).convolution;
  exact_rows(0);
  for (std::size_t k = 0; k < block_.atoms.size(); ++k) {
    view_edges(0, k, plan.own);
    for (std::size_t e = 0; e < scratch_.edges.size(); ++e) {
      const std::size_t j = atoms.neighbor(atoms.first(atom(k)) + e);
      scratch_.edges[e].features = space_.first_features[static_cast<std::size_t>(atoms.element(j))];
      scratch_.edges[e].outputs = d_sum(0, k);
    }
    reverse(0, k, plan.own, nullptr);
  }
}

template class FusedModel<float>::BlockPass;
template class FusedModel<double>::BlockPass;

}  // namespace tamiz::mace
