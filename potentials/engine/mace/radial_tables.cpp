#include "tamiz/potentials/engine/mace/radial_tables.hpp"

#include <utility>

namespace tamiz::mace {
namespace {

/// Fine tables that are kept, of pairs of elements; with 128 channels one is some megabytes.
constexpr std::size_t k_most_fine_tables = 256;

}  // namespace

std::int32_t RadialReading::at(double r, std::int32_t a, std::int32_t b, std::array<double, 4>& values,
                               std::array<double, 4>& slopes) const {
  if (input_.splined()) return input_.at(r, a, b, values, slopes);
  const FineGrid::Weights weights = grid_.at(r);
  values = weights.values;
  slopes = weights.slopes;
  return weights.first;
}

template <typename Real>
RadialTable<Real>::RadialTable(const RadialInput& input, RadialNetwork network, int padded_channels)
    : network_(std::move(network)) {
  const auto channels = static_cast<std::size_t>(padded_channels), lanes = 64 / sizeof(Real);
  const std::size_t paths = network_.n_outputs() / channels;
  for (std::size_t path = 0; path < paths; ++path)
    for (std::size_t c = 0; c < channels; ++c) places_.push_back((c / lanes * paths + path) * lanes + c % lanes);
  if (!input.splined()) return;
  const std::vector<double> basis = input.basis_at_nodes();
  const auto width = static_cast<std::size_t>(input.basis_size()), outputs = network_.n_outputs();
  const std::size_t nodes = input.spline().nodes().size();
  const auto rows = static_cast<std::size_t>(input.spline().n_coefficients());
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
        coefficients_.data()[(table * rows + r) * stride() + place(k)] =
            static_cast<Real>(coefficients(static_cast<Eigen::Index>(r), static_cast<Eigen::Index>(k)));
    if (!network_.has_density()) continue;
    Eigen::VectorXd shares(static_cast<Eigen::Index>(nodes));
    for (std::size_t k = 0; k < nodes; ++k)
      shares[static_cast<Eigen::Index>(k)] = network_.density(at_nodes + k * width, nullptr).value;
    const Eigen::VectorXd density = matrix * shares;
    density_.insert(density_.end(), density.begin(), density.end());
  }
}

template <typename Real>
std::shared_ptr<const FineTable<Real>> RadialTable<Real>::fine(const RadialReading& reading, std::size_t table) const {
  const std::lock_guard lock(cache_->mutex);
  if (const auto found = cache_->tables.find(table); found != cache_->tables.end()) return found->second;
  // Those that are in use live on with their users.
  if (cache_->tables.size() >= k_most_fine_tables) cache_->tables.clear();
  return cache_->tables[table] = std::make_shared<const FineTable<Real>>(
             reading.grid(), reading.input().basis(), reading.input().contact(table), network_, places_, stride());
}

template class RadialTable<float>;
template class RadialTable<double>;

}  // namespace tamiz::mace
