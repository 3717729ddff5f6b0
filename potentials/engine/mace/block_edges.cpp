#include "tamiz/potentials/engine/mace/block_edges.hpp"

#include <algorithm>

#include "tamiz/potentials/engine/radial/difference.hpp"

namespace tamiz::mace {

/// The basis of every edge of the block, at its distance plus a shift [Å].
template <typename Real>
void BlockEdges<Real>::fill_basis(double shift) {
  const RadialInput& input = model_.weights().radial().input();
  const AtomSet<Real>& atoms = space_.atoms;
  const std::size_t width = basis_size();
  scratch_.first_edges.clear();
  std::size_t n = 0;
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    scratch_.first_edges.push_back(n);
    n += atoms.n_edges(atom(k));
  }
  scratch_.basis.resize(n * width);
  scratch_.slopes.resize(n * width);
  std::size_t e = 0;
  for (std::size_t k = 0; k < n_atoms(); ++k)
    for (std::size_t slot = atoms.first(atom(k)); slot < atoms.first(atom(k)) + atoms.n_edges(atom(k)); ++slot, ++e)
      input.at(atoms.vector(slot).norm() + shift, block_.element, atoms.element(atoms.neighbor(slot)),
               std::span(scratch_.basis).subspan(e * width, width),
               std::span(scratch_.slopes).subspan(e * width, width));
}

/// Second derivatives of the radial functions.
template <typename Real>
void BlockEdges<Real>::exact_curvatures(std::size_t t) {
  const RadialNetwork& network = layer(t).radial.network();
  const std::size_t outputs = network.n_outputs();
  fill_basis(0.0);
  const std::size_t n = n_exact();
  scratch_.curvatures.assign(n * outputs, 0.0);
  difference([&](double shift, double weight) {
    fill_basis(shift);
    const double* slopes =
        network.evaluate(n, scratch_.basis.data(), scratch_.slopes.data(), scratch_.network) + n * outputs;
    for (std::size_t k = 0; k < n * outputs; ++k) scratch_.curvatures[k] += weight * slopes[k];
  });
}

template <typename Real>
void BlockEdges<Real>::exact_rows(std::size_t t, bool curvatures) {
  if (reading() != RadialReading::Kind::exact) return;
  if (curvatures) exact_curvatures(t);
  fill_basis(0.0);
  scratch_.rows_per_edge = curvatures ? 3 : 2;
  if (curvatures || space_.radial.empty()) {
    write_exact_rows(t, scratch_.radial);
    scratch_.radial_rows = scratch_.radial.data();
    return;
  }
  auto& kept = space_.radial[t][block_.number];
  if (!kept.made) write_exact_rows(t, kept.rows);
  kept.made = true;
  scratch_.radial_rows = kept.rows.data();
}

template <typename Real>
void BlockEdges<Real>::write_exact_rows(std::size_t t, AlignedBuffer<Real>& rows) {
  const RadialNetwork& network = layer(t).radial.network();
  const std::size_t n = n_exact(), stride = layer(t).radial.stride(), outputs = network.n_outputs();
  const std::size_t n_kinds = scratch_.rows_per_edge;
  const double* values = network.evaluate(n, scratch_.basis.data(), scratch_.slopes.data(), scratch_.network);
  rows.reserve((n_kinds * n + 2) * stride);
  for (std::size_t e = 0; e < n; ++e)
    for (std::size_t kind = 0; kind < n_kinds; ++kind) {
      const double* source = kind < 2 ? values + (kind * n + e) * outputs : scratch_.curvatures.data() + e * outputs;
      Real* target = rows.data() + (n_kinds * e + kind) * stride;
      for (std::size_t c = 0; c < outputs; ++c) target[layer(t).radial.place(c)] = static_cast<Real>(source[c]);
    }
  // The kernels read four rows of an edge, of which those behind its own count for nothing.
  std::fill_n(rows.data() + n_kinds * n * stride, 2 * stride, Real(0));
}

template <typename Real>
const FineTable<Real>& BlockEdges<Real>::fine_table(std::size_t t, std::size_t k, std::size_t slot) const {
  const AtomSet<Real>& atoms = space_.atoms;
  const RadialInput& input = model_.weights().radial().input();
  return *space_.fine[t][input.table_of(atoms.element(atom(k)), atoms.element(atoms.neighbor(slot)))];
}

template <typename Real>
void BlockEdges<Real>::find_factors(std::size_t t, std::size_t k, const Couplings& couplings, const Real* group,
                                    AlignedBuffer<Real>& factors) {
  const auto links = static_cast<std::size_t>(layer(t).convolution.n_links);
  factors.reserve(groups(k) * links * k_lanes);
  kernels::fused_table<Real>().factors(
      {static_cast<std::int64_t>(groups(k)), space_.atoms.n_rows(), static_cast<std::int32_t>(links),
       static_cast<std::int32_t>(couplings.by_link.size()), couplings.by_link.data(), group, factors.data()});
}

template <typename Real>
void BlockEdges<Real>::view_edges(std::size_t t, std::size_t k, const Couplings& couplings) {
  const AtomSet<Real>& atoms = space_.atoms;
  const std::size_t first = atoms.first(atom(k)), n = atoms.n_edges(atom(k));
  const RadialTable<Real>& table = layer(t).radial;
  const auto links = static_cast<std::size_t>(layer(t).convolution.n_links);
  find_factors(t, k, couplings, n > 0 ? atoms.group(first) : nullptr, scratch_.factors);
  scratch_.edges.resize(n);
  for (std::size_t e = 0; e < n; ++e) {
    const std::size_t slot = first + e, lane = e % k_lanes;
    kernels::EdgeView<Real>& edge = scratch_.edges[e];
    edge.weights = atoms.group(slot) + lane;
    edge.factors = scratch_.factors.data() + e / k_lanes * links * k_lanes + lane;
    if (reading() == RadialReading::Kind::exact) {
      edge.table = scratch_.radial_rows + scratch_.rows_per_edge * (scratch_.first_edges[k] + e) * table.stride();
      continue;
    }
    const Real* rows =
        reading() == RadialReading::Kind::splined ? table.coefficients() : fine_table(t, k, slot).rows.data();
    edge.table = rows + atoms.table_row(slot) * table.stride();
  }
}

template <typename Real>
const std::vector<double>& BlockEdges<Real>::density_rows(std::size_t t, std::size_t k, std::size_t slot) const {
  return reading() == RadialReading::Kind::splined ? layer(t).radial.density() : fine_table(t, k, slot).density;
}

template <typename Real>
RadialNetwork::Density BlockEdges<Real>::density(std::size_t t, std::size_t k, std::size_t slot) const {
  const AtomSet<Real>& atoms = space_.atoms;
  if (reading() == RadialReading::Kind::exact)
    return layer(t).radial.network().density(exact_basis(k, slot), exact_slopes(k, slot));
  namespace rows = kernels::edge_rows;
  const Real* lane = atoms.group(slot) + slot % k_lanes;
  const std::vector<double>& coefficients = density_rows(t, k, slot);
  RadialNetwork::Density share{0.0, 0.0};
  for (std::size_t r = 0; r < 4; ++r) {
    const double coefficient = coefficients[atoms.table_row(slot) + r];
    share.value += coefficient * static_cast<double>(lane[(rows::k_values + r) * k_lanes]);
    share.slope += coefficient * static_cast<double>(lane[(rows::k_slopes + r) * k_lanes]);
  }
  return share;
}

template class BlockEdges<float>;
template class BlockEdges<double>;

}  // namespace tamiz::mace
