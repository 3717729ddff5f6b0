#include "tamiz/potentials/engine/mace/block_edges.hpp"

#include <algorithm>

namespace tamiz::mace {

template <typename Real>
void BlockEdges<Real>::exact_rows(std::size_t t) {
  if (reading() != RadialReading::Kind::exact) return;
  const RadialInput& input = model_.weights().radial().input();
  const AtomSet<Real>& atoms = space_.atoms;
  const auto width = static_cast<std::size_t>(input.basis_size());
  scratch_.first_rows.clear();
  std::size_t n = 0;
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    scratch_.first_rows.push_back(2 * n);
    n += atoms.n_edges(atom(k));
  }
  scratch_.basis.resize(n * width);
  scratch_.slopes.resize(n * width);
  std::size_t e = 0;
  for (std::size_t k = 0; k < n_atoms(); ++k)
    for (std::size_t slot = atoms.first(atom(k)); slot < atoms.first(atom(k)) + atoms.n_edges(atom(k)); ++slot, ++e)
      input.at(atoms.vector(slot).norm(), block_.element, atoms.element(atoms.neighbor(slot)),
               std::span(scratch_.basis).subspan(e * width, width),
               std::span(scratch_.slopes).subspan(e * width, width));
  const RadialNetwork& network = layer(t).radial.network();
  const double* values = network.evaluate(n, scratch_.basis.data(), scratch_.slopes.data(), scratch_.network);
  const std::size_t stride = layer(t).radial.stride(), outputs = network.n_outputs();
  scratch_.radial.reserve((2 * n + 2) * stride);
  for (std::size_t r = 0; r < 2 * n; ++r) {
    const double* source = values + (r % 2 * n + r / 2) * outputs;
    for (std::size_t c = 0; c < outputs; ++c)
      scratch_.radial.data()[r * stride + layer(t).radial.place(c)] = static_cast<Real>(source[c]);
  }
  // The kernels read four rows of an edge, of which two count for nothing.
  std::fill_n(scratch_.radial.data() + 2 * n * stride, 2 * stride, Real(0));
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
  kernels::fused_table<Real>().factors({static_cast<std::int64_t>(groups(k)), space_.atoms.n_rows(),
                                        static_cast<std::int32_t>(links),
                                        static_cast<std::int32_t>(couplings.by_link.size()), couplings.by_link.data(),
                                        group, factors.data()});
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
      edge.table = scratch_.radial.data() + (scratch_.first_rows[k] + 2 * e) * table.stride();
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
  if (reading() == RadialReading::Kind::exact) {
    const auto width = static_cast<std::size_t>(model_.weights().radial().input().basis_size());
    const std::size_t edge = exact_place(k, slot);
    return layer(t).radial.network().density(scratch_.basis.data() + edge * width, scratch_.slopes.data() + edge * width);
  }
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
