#include "tamiz/potentials/engine/mace/radial_tables.hpp"

#include <algorithm>
#include <utility>

namespace tamiz::mace {
namespace {

/// Fine tables of pairs of elements that are kept though nobody uses them at the moment; with 128 channels one is some megabytes.
constexpr std::size_t k_fine_bytes = std::size_t{1} << 30;

}  // namespace

RadialReading::RadialReading(const ModelDescription& description) : input_(description) {
  if (!input_.splined()) return;
  spline_map_.emplace(input_.spline());
  at_nodes_ = input_.basis_at_nodes();
}

std::int32_t RadialReading::at(double r, std::int32_t a, std::int32_t b, std::array<double, 4>& values,
                               std::array<double, 4>& slopes) const {
  if (input_.splined()) return input_.at(r, a, b, values, slopes);
  const FineGrid::Weights weights = grid_.at(r);
  values = weights.values;
  slopes = weights.slopes;
  return weights.first;
}

std::array<double, 4> RadialReading::curvatures(double r) const {
  if (kind() == Kind::exact) return {0.0, 0.0, 1.0, 0.0};
  return input_.splined() ? input_.spline().curvatures(r) : grid_.curvatures(r);
}

template <typename Real>
RadialTable<Real>::RadialTable(const RadialReading& reading, RadialNetwork network, int padded_channels)
    : network_(std::move(network)) {
  const auto channels = static_cast<std::size_t>(padded_channels), lanes = 64 / sizeof(Real);
  const std::size_t paths = network_.n_outputs() / channels;
  for (std::size_t path = 0; path < paths; ++path)
    for (std::size_t c = 0; c < channels; ++c) places_.push_back((c / lanes * paths + path) * lanes + c % lanes);
  if (!reading.input().splined()) return;
  const auto n = static_cast<std::size_t>(reading.input().n_coefficients());
  coefficients_.assign_zero(n * stride());
  if (network_.has_density()) density_.resize(n);
}

template <typename Real>
void RadialTable<Real>::fill(const RadialReading& reading, std::size_t table) {
  const SplineMap& map = reading.spline_map();
  const auto width = static_cast<std::size_t>(reading.input().basis_size()), outputs = network_.n_outputs();
  const std::size_t rows = map.n_coefficients();
  const double* at_nodes = reading.basis_at_nodes(table);
  RadialNetwork::Scratch scratch;
  SplineMap::Scratch map_scratch;
  AlignedBuffer<double> coefficients(rows * outputs);
  map.to_coefficients(network_.evaluate(map.n_nodes(), at_nodes, nullptr, scratch), outputs, coefficients.data(), map_scratch);
  for (std::size_t r = 0; r < rows; ++r) {
    Real* row = coefficients_.data() + (table * rows + r) * stride();
    for (std::size_t k = 0; k < outputs; ++k) row[place(k)] = static_cast<Real>(coefficients.data()[r * outputs + k]);
  }
  if (!network_.has_density()) return;
  Eigen::VectorXd shares(static_cast<Eigen::Index>(map.n_nodes()));
  for (std::size_t k = 0; k < map.n_nodes(); ++k)
    shares[static_cast<Eigen::Index>(k)] = network_.density(at_nodes + k * width, nullptr).value;
  const Eigen::VectorXd density = reading.input().spline().matrix() * shares;
  std::copy(density.begin(), density.end(), density_.begin() + static_cast<std::ptrdiff_t>(table * rows));
}

template <typename Real>
std::shared_ptr<const FineTable<Real>> RadialTable<Real>::fine(const RadialReading& reading, std::size_t table) const {
  const std::lock_guard lock(cache_->mutex);
  if (const auto found = cache_->tables.find(table); found != cache_->tables.end()) return found->second;
  const std::size_t bytes = reading.grid().n_rows() * stride() * sizeof(Real);
  if ((cache_->tables.size() + 1) * bytes > k_fine_bytes)
    std::erase_if(cache_->tables, [](const auto& entry) { return entry.second.use_count() == 1; });
  return cache_->tables[table] = std::make_shared<const FineTable<Real>>(
             reading.grid(), reading.input().basis(), reading.input().contact(table), network_, places_, stride());
}

template class RadialTable<float>;
template class RadialTable<double>;

}  // namespace tamiz::mace
