#include "tamiz/potentials/engine/mace/weight_chain.hpp"

#include <algorithm>

#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/mace/matrix_product.hpp"
#include "tamiz/potentials/engine/mace/weight_names.hpp"

namespace tamiz::mace {
namespace {

/// Derivatives by the layers of a radial network, from one of its tables.
struct TableGradient {
  WeightKey key;
  std::vector<AlignedBuffer<double>> layers;
};

template <typename Real>
class Chain {
 public:
  Chain(const FusedWeights<Real>& weights, std::span<double> gradient)
      : weights_(weights), d_(weights.description()), parameters_(weights.parameters()), gradient_(gradient) {}

  void packed(const WeightKey& key, const Real* values) const;
  void wide(const WeightKey& key, const double* values) const;
  TableGradient through_table(const WeightKey& key, const Real* values) const;
  void add_network(std::size_t t, std::size_t layer, const double* values) const;

 private:
  void add(const std::string& name, std::size_t k, const RowMatrix& by_matrix) const {
    parameters_.add_gradient(name, k, by_matrix, gradient_);
  }
  RowMatrix unpacked(const RowMatrix& like, const Real* values) const;
  void message(const WeightKey& key, const Real* values) const;
  void contraction(const WeightKey& key, const Real* values) const;
  void product_of_rows(const WeightKey& key, const std::string& matrix, std::size_t k, const Real* values) const;
  void density_table(const WeightKey& key, const double* values) const;
  void read_out(const WeightKey& key, const double* values) const;

  const FusedWeights<Real>& weights_;
  const ModelDescription& d_;
  const ParameterReader& parameters_;
  std::span<double> gradient_;
};

/// A packed matrix of channels by channels, of the shape of `like`.
template <typename Real>
RowMatrix Chain<Real>::unpacked(const RowMatrix& like, const Real* values) const {
  const Padding padding{d_.channels, weights_.channels(), d_.channels, weights_.channels()};
  RowMatrix result = RowMatrix::Zero(like.rows(), like.cols());
  add_unpacked(values, like.rows() / d_.channels * weights_.channels(), padding, result);
  return result;
}

template <typename Real>
void Chain<Real>::message(const WeightKey& key, const Real* values) const {
  const InteractionShape& shape = weights_.layers()[key.interaction].shape;
  const std::string name = numbered("interactions", key.interaction, "linear", key.l);
  const RowMatrix linear = parameters_.matrix(name);
  const RowMatrix by_product = unpacked(linear, values) / sum_norm(d_, shape);
  if (shape.residual) return add(name, 0, by_product);
  const std::string skip_name = numbered("interactions", key.interaction, "skip", key.l);
  add(name, 0, product<Real>(by_product, parameters_.matrix(skip_name, key.which).transpose()));
  add(skip_name, key.which, product<Real>(linear.transpose(), by_product));
}

template <typename Real>
void Chain<Real>::contraction(const WeightKey& key, const Real* values) const {
  const ContractionPlan& plan = weights_.layers()[key.interaction].contraction;
  constexpr auto lanes = static_cast<std::size_t>(kernels::k_lanes<Real>);
  const std::size_t n = plan.coefficients.size();
  std::vector<RowMatrix> by_parts;
  for (const ContractionPlan::Part& part : plan.parts)
    by_parts.push_back(RowMatrix::Zero(part.basis->n_maps, d_.channels));
  Eigen::RowVectorXd row(d_.channels);
  for (std::size_t k = 0; k < n; ++k) {
    for (std::size_t c = 0; c < static_cast<std::size_t>(d_.channels); ++c)
      row[static_cast<Eigen::Index>(c)] = static_cast<double>(values[(c / lanes * n + k) * lanes + c % lanes]);
    const std::vector<double>& maps = plan.maps_of(k);
    RowMatrix& by_part = by_parts[static_cast<std::size_t>(plan.coefficients[k].part)];
    for (std::size_t map = 0; map < maps.size(); ++map)
      if (maps[map] != 0.0) by_part.row(static_cast<Eigen::Index>(map)) += maps[map] * row;
  }
  for (std::size_t p = 0; p < plan.parts.size(); ++p)
    if (by_parts[p].rows() > 0) add(contraction_name(key.interaction, plan.parts[p]), key.which, by_parts[p]);
}

/// The row is the embedding of the element times entry k of a matrix.
template <typename Real>
void Chain<Real>::product_of_rows(const WeightKey& key, const std::string& name, std::size_t k,
                                  const Real* values) const {
  RowMatrix by_row(1, d_.channels);
  for (Eigen::Index c = 0; c < d_.channels; ++c) by_row(0, c) = static_cast<double>(values[c]);
  const auto z = static_cast<Eigen::Index>(key.which);
  const RowMatrix embeddings = parameters_.matrix("node_embedding");
  RowMatrix by_embeddings = RowMatrix::Zero(embeddings.rows(), embeddings.cols());
  by_embeddings.row(z) = by_row * parameters_.matrix(name, k).transpose();
  add("node_embedding", 0, by_embeddings);
  add(name, k, embeddings.row(z).transpose() * by_row);
}

template <typename Real>
void Chain<Real>::packed(const WeightKey& key, const Real* values) const {
  const std::size_t t = key.interaction;
  const auto square = [&](const std::string& name, std::size_t k) {
    add(name, k, unpacked(parameters_.matrix(name, k), values));
  };
  switch (key.kind) {
    case WeightKey::up:
      return square(numbered("interactions", t, "linear_up", key.l), 0);
    case WeightKey::product:
      return square(numbered("products", t, "linear", key.l), 0);
    case WeightKey::skip:
      return square(numbered("interactions", t, "skip", key.l), key.which);
    case WeightKey::message:
      return message(key, values);
    case WeightKey::contraction:
      return contraction(key, values);
    case WeightKey::features:
      return product_of_rows(key, "interactions.0.linear_up.0", 0, values);
    case WeightKey::skipped:
      return product_of_rows(key, "interactions.0.skip.0", key.which, values);
    default:
      return;  // tables go through networks
  }
}

template <typename Real>
TableGradient Chain<Real>::through_table(const WeightKey& key, const Real* values) const {
  const RadialTable<Real>& table = weights_.layers()[key.interaction].radial;
  const RadialNetwork& network = table.network();
  const SplineMap& map = weights_.radial().spline_map();
  const std::size_t outputs = network.n_outputs();
  AlignedBuffer<double> by_coefficients(map.n_coefficients() * outputs), by_values(map.n_nodes() * outputs);
  for (std::size_t r = 0; r < map.n_coefficients(); ++r)
    for (std::size_t c = 0; c < outputs; ++c)
      by_coefficients.data()[r * outputs + c] = static_cast<double>(values[r * table.stride() + table.place(c)]);
  SplineMap::Scratch map_scratch;
  map.to_nodes(by_coefficients.data(), outputs, by_values.data(), map_scratch);
  TableGradient result{key, {}};
  std::vector<double*> by_layers;
  for (std::size_t k = 0; k < network.n_layers(); ++k)
    by_layers.push_back(result.layers.emplace_back(network.layer_size(k)).data());
  RadialNetwork::Scratch scratch;
  network.backward(map.n_nodes(), weights_.radial().basis_at_nodes(key.which), nullptr, by_values.data(), by_layers,
                   scratch);
  return result;
}

template <typename Real>
void Chain<Real>::add_network(std::size_t t, std::size_t layer, const double* values) const {
  const std::string name = numbered("interactions", t, "radial", layer);
  RowMatrix by_matrix = parameters_.matrix(name);
  const PackedMatrix<double>& packed = weights_.layers()[t].radial.network().matrix(layer);
  const Padding padding = radial_padding(d_, layer, weights_.channels(), by_matrix);
  by_matrix.setZero();
  add_unpacked(values, packed.n_in, padding, by_matrix);
  add(name, 0, by_matrix);
}

template <typename Real>
void Chain<Real>::density_table(const WeightKey& key, const double* values) const {
  const RadialNetwork& network = weights_.layers()[key.interaction].radial.network();
  const SplineMap& map = weights_.radial().spline_map();
  const Eigen::VectorXd by_values =
      weights_.radial().input().spline().matrix().transpose() *
      Eigen::Map<const Eigen::VectorXd>(values, static_cast<Eigen::Index>(map.n_coefficients()));
  const auto width = static_cast<std::size_t>(weights_.radial().input().basis_size());
  RowMatrix by_matrix = RowMatrix::Zero(static_cast<Eigen::Index>(network.n_radial()), 1);
  for (std::size_t k = 0; k < map.n_nodes(); ++k)
    network.add_density_gradient(weights_.radial().basis_at_nodes(key.which) + k * width, nullptr,
                                 by_values[static_cast<Eigen::Index>(k)], 0.0, by_matrix.data());
  add(named("interactions", key.interaction, "density"), 0, by_matrix);
}

template <typename Real>
void Chain<Real>::read_out(const WeightKey& key, const double* values) const {
  const auto& layers = weights_.layers()[key.interaction].read_out.layers();
  const RowMatrix& like = layers[key.l];
  const char* name = layers.size() == 1 ? "linear" : key.l == 0 ? "hidden" : "out";
  add(named("readouts", key.interaction, name), 0, Eigen::Map<const RowMatrix>(values, like.rows(), like.cols()));
}

template <typename Real>
void Chain<Real>::wide(const WeightKey& key, const double* values) const {
  switch (key.kind) {
    case WeightKey::network:
      return add_network(key.interaction, key.l, values);
    case WeightKey::density_table:
      return density_table(key, values);
    case WeightKey::read_out:
      return read_out(key, values);
    case WeightKey::density: {
      const auto n = static_cast<Eigen::Index>(weights_.layers()[key.interaction].radial.network().n_radial());
      return add(named("interactions", key.interaction, "density"), 0, Eigen::Map<const RowMatrix>(values, n, 1));
    }
    default:
      return;
  }
}

}  // namespace

template <typename Real>
void add_parameter_gradient(const FusedWeights<Real>& weights, const WeightGradients<Real>& by_weights, int threads,
                            std::span<double> gradient) {
  const Chain<Real> chain(weights, gradient);
  std::vector<std::pair<WeightKey, const Real*>> tables;
  by_weights.packed.visit([&](const WeightKey& key, const Real* values) {
    if (key.kind == WeightKey::table)
      tables.emplace_back(key, values);
    else
      chain.packed(key, values);
  });
  by_weights.wide.visit([&](const WeightKey& key, const double* values) { chain.wide(key, values); });
  std::vector<TableGradient> found(tables.size());
  parallel_for(tables.size(), threads,
               [&](std::size_t k) { found[k] = chain.through_table(tables[k].first, tables[k].second); });
  for (const TableGradient& each : found)
    for (std::size_t layer = 0; layer < each.layers.size(); ++layer)
      chain.add_network(each.key.interaction, layer, each.layers[layer].data());
}

template void add_parameter_gradient(const FusedWeights<float>&, const WeightGradients<float>&, int, std::span<double>);
template void add_parameter_gradient(const FusedWeights<double>&, const WeightGradients<double>&, int,
                                     std::span<double>);

}  // namespace tamiz::mace
