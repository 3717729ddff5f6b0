#include "tamiz/potentials/engine/mace/radial_tables.hpp"

#include <utility>

namespace tamiz::mace {

template <typename Real>
RadialTable<Real>::RadialTable(const RadialInput& input, RadialNetwork network)
    : network_(std::move(network)) {
  if (!input.splined()) return;
  const std::vector<double> basis = input.basis_at_nodes();
  const auto width = static_cast<std::size_t>(input.basis_size()), outputs = network_.n_outputs();
  const std::size_t nodes = input.spline().nodes().size(), rows = static_cast<std::size_t>(input.spline().n_coefficients());
  const RowMatrix matrix = input.spline().matrix();
  RadialNetwork::Scratch scratch;
  coefficients_.assign_zero(static_cast<std::size_t>(input.n_coefficients()) * stride());
  for (std::size_t table = 0; table < static_cast<std::size_t>(input.n_tables()); ++table) {
    const double* at_nodes = basis.data() + table * nodes * width;
    const Eigen::Map<const RowMatrix> values(network_.evaluate(nodes, at_nodes, nullptr, scratch),
                                             static_cast<Eigen::Index>(nodes), static_cast<Eigen::Index>(outputs));
    const RowMatrix coefficients = matrix * values;
    for (std::size_t r = 0; r < rows; ++r)
      for (std::size_t k = 0; k < outputs; ++k)
        coefficients_.data()[(table * rows + r) * stride() + k] =
            static_cast<Real>(coefficients(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(k)));
    if (!network_.has_density()) continue;
    Eigen::VectorXd shares(static_cast<Eigen::Index>(nodes));
    for (std::size_t k = 0; k < nodes; ++k)
      shares[static_cast<Eigen::Index>(k)] = network_.density(at_nodes + k * width, nullptr).value;
    const Eigen::VectorXd density = matrix * shares;
    density_.insert(density_.end(), density.begin(), density.end());
  }
}

template class RadialTable<float>;
template class RadialTable<double>;

}  // namespace tamiz::mace
