// Tangents of the learnt density of neighbours (docs/theory.md, eq. 4a).

#include "tamiz/potentials/engine/mace/tangent_pass.hpp"
#include "tamiz/potentials/engine/radial/difference.hpp"

namespace tamiz::mace {

/// A = x/ρ, of which x stands in the row.
template <typename Real>
void TangentPass<Real>::divide_by_density(std::size_t t) {
  const AtomSet<Real>& atoms = space_.atoms;
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    double tangent_sum = 0.0;
    for (std::size_t e = 0, slot = atoms.first(atom(k)); e < atoms.n_edges(atom(k)); ++e, ++slot)
      tangent_sum +=
          this->density(t, k, slot).slope * static_cast<double>(moving(slot)[kernels::edge_rows::k_inverse * k_lanes]);
    space_.tangents[t].density[atom(k)] = tangent_sum;
    const auto inverse = static_cast<Real>(1.0 / space_.layers[t].density[atom(k)]),
               rise = static_cast<Real>(tangent_sum);
    Real* x = tangent(Row::message, t, k);
    const Real* whole = value(Row::message, t, k);
    for (std::size_t c = 0; c < harmonics_ * channels_; ++c) x[c] = (x[c] - whole[c] * rise) * inverse;
  }
}

/// The rows of the evaluation hold d_x = d_A/ρ; the derivative by ρ is −A·d_x.
template <typename Real>
void TangentPass<Real>::density_backward(std::size_t t, WeightGradients<Real>* gradients) {
  for (std::size_t k = 0; k < n_atoms(); ++k) {
    const auto inverse = static_cast<Real>(1.0 / space_.layers[t].density[atom(k)]);
    const auto rise = static_cast<Real>(space_.tangents[t].density[atom(k)]);
    const Real *whole = value(Row::message, t, k), *whole_tangent = tangent(Row::message, t, k);
    const Real* by_x = value(Row::d_message, t, k);
    Real* by_x_tangent = tangent(Row::d_message, t, k);
    double by_density = 0.0, by_density_tangent = 0.0;
    for (std::size_t c = 0; c < harmonics_ * channels_; ++c) {
      by_x_tangent[c] = (by_x_tangent[c] - by_x[c] * rise) * inverse;
      by_density -= static_cast<double>(whole[c]) * static_cast<double>(by_x[c]);
      by_density_tangent -= static_cast<double>(whole_tangent[c]) * static_cast<double>(by_x[c]) +
                            static_cast<double>(whole[c]) * static_cast<double>(by_x_tangent[c]);
    }
    if (gradients != nullptr) add_density(t, k, by_density, by_density_tangent, gradients);
    if (second_) add_density_to_vectors(t, k, by_density, by_density_tangent);
  }
}

template <typename Real>
void TangentPass<Real>::add_density(std::size_t t, std::size_t k, double by_density, double tangent,
                                    WeightGradients<Real>* gradients) {
  namespace rows = kernels::edge_rows;
  const AtomSet<Real>& atoms = space_.atoms;
  const RadialNetwork& network = layer(t).radial.network();
  const RadialInput& input = model_.weights().radial().input();
  for (std::size_t e = 0, slot = atoms.first(atom(k)); e < atoms.n_edges(atom(k)); ++e, ++slot) {
    const Real* weights = atoms.group(slot) + slot % k_lanes;
    if (this->reading() == RadialReading::Kind::exact) {
      network.add_density_gradient(this->exact_basis(k, slot), this->exact_slopes(k, slot), tangent,
                                   by_density * static_cast<double>(moving(slot)[rows::k_inverse * k_lanes]),
                                   gradients->wide.at({WeightKey::density, t}, network.n_radial()));
      continue;
    }
    const std::size_t table = input.table_of(block_.element, atoms.element(atoms.neighbor(slot)));
    const auto n_coefficients = static_cast<std::size_t>(input.spline().n_coefficients());
    double* target = gradients->wide.at({WeightKey::density_table, t, 0, table}, n_coefficients) +
                     (atoms.table_row(slot) - table * n_coefficients);
    for (std::size_t r = 0; r < 4; ++r)
      target[r] += static_cast<double>(weights[(rows::k_values + r) * k_lanes]) * tangent +
                   static_cast<double>(moving(slot)[(rows::k_values + r) * k_lanes]) * by_density;
  }
}

/// Second derivative of the share of a neighbour in the density.
template <typename Real>
double TangentPass<Real>::density_curvature(std::size_t t, std::size_t k, std::size_t slot) const {
  const double r = space_.atoms.vector(slot).norm();
  double sum = 0.0;
  if (this->reading() == RadialReading::Kind::exact) {
    std::vector<double> basis(this->basis_size()), slopes(this->basis_size());
    difference([&](double shift, double weight) {
      model_.weights().radial().input().at(r + shift, block_.element, space_.atoms.element(space_.atoms.neighbor(slot)),
                                           basis, slopes);
      sum += weight * layer(t).radial.network().density(basis.data(), slopes.data()).slope;
    });
    return sum;
  }
  const std::vector<double>& coefficients = this->density_rows(t, k, slot);
  const auto bends = model_.weights().radial().curvatures(r);
  for (std::size_t r = 0; r < 4; ++r) sum += coefficients[space_.atoms.table_row(slot) + r] * bends[r];
  return sum;
}

/// Tangent of by_density·slope·direction (BlockPass::density_backward).
template <typename Real>
void TangentPass<Real>::add_density_to_vectors(std::size_t t, std::size_t k, double by_density, double tangent) {
  namespace rows = kernels::edge_rows;
  const AtomSet<Real>& atoms = space_.atoms;
  for (std::size_t e = 0, slot = atoms.first(atom(k)); e < atoms.n_edges(atom(k)); ++e, ++slot) {
    const Real *unit = atoms.group(slot) + slot % k_lanes, *turned = moving(slot);
    const double slope = this->density(t, k, slot).slope,
                 stretch = static_cast<double>(turned[rows::k_inverse * k_lanes]);
    const double along = tangent * slope + by_density * density_curvature(t, k, slot) * stretch;
    for (std::size_t d = 0; d < 3; ++d)
      space_.d_vector_tangents.data()[3 * slot + d] +=
          static_cast<Real>(along * static_cast<double>(unit[(rows::k_unit + d) * k_lanes]) +
                            by_density * slope * static_cast<double>(turned[(rows::k_unit + d) * k_lanes]));
  }
}

template class TangentPass<float>;
template class TangentPass<double>;

}  // namespace tamiz::mace
