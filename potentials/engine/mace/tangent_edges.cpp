// What TangentPass does along edges.

#include <algorithm>

#include "tamiz/potentials/engine/mace/tangent_pass.hpp"

namespace tamiz::mace {
namespace {

constexpr std::size_t place_of(Row kind) { return static_cast<std::size_t>(kind); }

}  // namespace

/// Tangents of everything that the edges of the block have but once.
template <typename Real>
void TangentPass<Real>::move_edges() {
  AtomSet<Real>& atoms = space_.atoms;
  const auto n_rows = static_cast<std::size_t>(atoms.n_rows());
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    const std::size_t i = atom(k), first = atoms.first(i), n_groups = this->groups(k);
    if (n_groups == 0) continue;
    const Mat3& strain = direction_.strains[static_cast<std::size_t>(direction_.structure_of[i])];
    scratch_.moves.assign_zero(3 * n_groups * k_lanes);
    for (std::size_t e = 0; e < atoms.n_edges(i); ++e) {
      const Vec3 move =
          direction_.positions[atoms.neighbor(first + e)] - direction_.positions[i] + strain * atoms.vector(first + e);
      for (std::size_t d = 0; d < 3; ++d)
        scratch_.moves.data()[(e / k_lanes * 3 + d) * k_lanes + e % k_lanes] =
            static_cast<Real>(move[static_cast<Eigen::Index>(d)]);
    }
    if (second_) {
      scratch_.bends.assign_zero(4 * n_groups * k_lanes);
      for (std::size_t e = 0; e < atoms.n_edges(i); ++e) {
        const auto bends = model_.weights().radial().curvatures(atoms.vector(first + e).norm());
        for (std::size_t r = 0; r < 4; ++r)
          scratch_.bends.data()[(e / k_lanes * 4 + r) * k_lanes + e % k_lanes] = static_cast<Real>(bends[r]);
      }
    }
    model_.write_harmonics(atoms, i, &scratch_.gradients);
    kernels::fused_table<Real>().edge_tangents(
        {static_cast<std::int64_t>(n_groups), atoms.n_rows(), static_cast<std::int32_t>(harmonics_), atoms.group(first),
         scratch_.gradients.data(), scratch_.moves.data(), second_ ? scratch_.bends.data() : nullptr,
         space_.edge_tangents.data() + first * n_rows});
  }
}

template <typename Real>
void TangentPass<Real>::view_moving(std::size_t t, std::size_t k, const Couplings& couplings) {
  const AtomSet<Real>& atoms = space_.atoms;
  const auto n_rows = static_cast<std::size_t>(atoms.n_rows());
  const auto links = static_cast<std::size_t>(layer(t).convolution.n_links);
  const Real* group = space_.edge_tangents.data() + atoms.first(atom(k)) * n_rows;
  this->view_edges(t, k, couplings);
  this->find_factors(t, k, couplings, group, scratch_.factor_tangents);
  scratch_.moving.resize(scratch_.edges.size());
  for (std::size_t e = 0; e < scratch_.edges.size(); ++e) {
    kernels::MovingEdge<Real>& edge = scratch_.moving[e];
    edge.at = scratch_.edges[e];
    edge.weights = group + e / k_lanes * n_rows * k_lanes + e % k_lanes;
    edge.factors = scratch_.factor_tangents.data() + e / k_lanes * links * k_lanes + e % k_lanes;
    edge.features = nullptr;
    edge.d_table = nullptr;
  }
}

template <typename Real>
void TangentPass<Real>::convolve(std::size_t t) {
  const AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  this->exact_rows(t);
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    view_moving(t, k, plan.own);
    for (std::size_t e = 0; e < scratch_.moving.size(); ++e) {
      const std::size_t j = atoms.neighbor(atoms.first(atom(k)) + e);
      scratch_.moving[e].at.features = this->sent(t, j, space_.layers[t].rows[place_of(Row::up)]);
      if (t > 0) scratch_.moving[e].features = this->sent(t, j, space_.tangents[t].rows[place_of(Row::up)]);
    }
    kernels::fused_table<Real>().convolve_tangent(
        {static_cast<std::int64_t>(scratch_.moving.size()), static_cast<std::int64_t>(channels_),
         static_cast<std::int64_t>(layer(t).radial.stride()), scratch_.moving.data(),
         static_cast<std::int32_t>(plan.paths.size()), plan.paths.data(), tangent(Row::sum, t, k)});
  }
}

/// Where the derivatives by the radial rows of the edges of atom k go.
template <typename Real>
void TangentPass<Real>::point_at_tables(std::size_t t, std::size_t k, WeightGradients<Real>* gradients) {
  const AtomSet<Real>& atoms = space_.atoms;
  const std::size_t stride = layer(t).radial.stride(), first = atoms.first(atom(k));
  if (this->reading() == RadialReading::Kind::exact) {
    for (std::size_t e = 0; e < scratch_.moving.size(); ++e)
      scratch_.moving[e].d_table =
          scratch_.d_radial.data() + scratch_.rows_per_edge * (scratch_.first_edges[k] + e) * stride;
    return;
  }
  const RadialInput& input = model_.weights().radial().input();
  const auto n_rows = static_cast<std::size_t>(input.spline().n_coefficients());
  std::size_t known = static_cast<std::size_t>(input.n_tables());
  Real* rows = nullptr;
  for (std::size_t e = 0; e < scratch_.moving.size(); ++e) {
    const std::size_t table = input.table_of(block_.element, atoms.element(atoms.neighbor(first + e)));
    if (table != known) rows = gradients->packed.at({WeightKey::table, t, 0, table}, n_rows * stride);
    known = table;
    scratch_.moving[e].d_table = rows + (atoms.table_row(first + e) - table * n_rows) * stride;
  }
}

template <typename Real>
void TangentPass<Real>::send_backward(std::size_t t, WeightGradients<Real>* gradients) {
  const AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  const std::size_t stride = model_.stride(Row::d_sum, t);
  const Real* d_sums = space_.layers[t].rows[place_of(Row::d_sum)].data();
  const Real* tangents = space_.tangents[t].rows[place_of(Row::d_sum)].data();
  const bool exact = gradients != nullptr && this->reading() == RadialReading::Kind::exact;
  this->exact_rows(t, second_);
  if (exact) scratch_.d_radial.assign_zero((scratch_.rows_per_edge * this->n_exact() + 2) * layer(t).radial.stride());
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    view_moving(t, k, plan.opposite);
    if (gradients != nullptr) point_at_tables(t, k, gradients);
    for (std::size_t e = 0; e < scratch_.moving.size(); ++e) {
      kernels::MovingEdge<Real>& edge = scratch_.moving[e];
      const std::size_t j = atoms.neighbor(atoms.first(atom(k)) + e);
      edge.at.features = this->sent(t, atom(k), space_.layers[t].rows[place_of(Row::up)]);
      if (t > 0) edge.features = tangent(Row::up, t, k);
      edge.at.outputs = d_sums + j * stride;
      edge.outputs = tangents + j * stride;
    }
    Real* d_up = tangent(Row::d_up, t, k);
    std::fill_n(d_up, model_.stride(Row::d_up, t), Real(0));
    kernels::fused_table<Real>().reverse_tangent(
        {static_cast<std::int64_t>(scratch_.moving.size()), static_cast<std::int64_t>(channels_),
         static_cast<std::int64_t>(layer(t).radial.stride()), scratch_.moving.data(),
         static_cast<std::int32_t>(plan.paths.size()), plan.n_rows, plan.paths.data(), d_up});
    if (second_) add_vector_tangents(t, k, plan.opposite);
  }
  if (exact) exact_backward(t, gradients);
}

/// Of the edges of atom k, which `send_backward` has in view.
template <typename Real>
void TangentPass<Real>::add_vector_tangents(std::size_t t, std::size_t k, const Couplings& couplings) {
  AtomSet<Real>& atoms = space_.atoms;
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  const std::size_t first = atoms.first(atom(k)), apart = 3 * harmonics_ * k_lanes;
  if (scratch_.moving.empty()) return;
  model_.write_harmonics(atoms, atom(k), &scratch_.gradients);
  scratch_.gradient_tangents.reserve(this->groups(k) * apart);
  kernels::fused_table<Real>().harmonics_tangent(
      {static_cast<std::int64_t>(this->groups(k)), model_.weights().description().l_max, atoms.n_rows(),
       model_.prefactors(), atoms.group(first), moving(first), scratch_.gradient_tangents.data()});
  for (std::size_t e = 0; e < scratch_.moving.size(); ++e) {
    const std::size_t place = e / k_lanes * apart + e % k_lanes;
    scratch_.moving[e].at.gradients = scratch_.gradients.data() + place;
    scratch_.moving[e].gradients = scratch_.gradient_tangents.data() + place;
  }
  scratch_.reverse.reserve(2 * static_cast<std::size_t>(plan.n_links) * k_lanes);
  kernels::fused_table<Real>().vector_tangent(
      {static_cast<std::int64_t>(scratch_.moving.size()), static_cast<std::int64_t>(channels_),
       static_cast<std::int64_t>(layer(t).radial.stride()), scratch_.moving.data(),
       static_cast<std::int32_t>(plan.paths.size()), static_cast<std::int32_t>(harmonics_), plan.n_rows, plan.n_links,
       plan.paths.data(), couplings.by_harmonic.data(), couplings.begin.data(),
       space_.d_vector_tangents.data() + 3 * first, scratch_.reverse.data()});
}

/// From the derivatives by the values and slopes of every edge to the weights of the radial network.
template <typename Real>
void TangentPass<Real>::exact_backward(std::size_t t, WeightGradients<Real>* gradients) {
  const RadialTable<Real>& table = layer(t).radial;
  const RadialNetwork& network = table.network();
  const std::size_t outputs = network.n_outputs();
  const std::size_t n = this->n_exact();
  scratch_.adjoint.resize(2 * n * outputs);
  for (std::size_t r = 0; r < 2 * n; ++r) {
    const Real* source = scratch_.d_radial.data() + r * table.stride();
    double* target = scratch_.adjoint.data() + (r % 2 * n + r / 2) * outputs;
    for (std::size_t c = 0; c < outputs; ++c) target[c] = static_cast<double>(source[table.place(c)]);
  }
  std::vector<double*> by_layers;
  for (std::size_t k = 0; k < network.n_layers(); ++k)
    by_layers.push_back(gradients->wide.at({WeightKey::network, t, k}, network.layer_size(k)));
  network.backward(n, scratch_.basis.data(), scratch_.slopes.data(), scratch_.adjoint.data(), by_layers,
                   scratch_.network);
}

template class TangentPass<float>;
template class TangentPass<double>;

}  // namespace tamiz::mace
