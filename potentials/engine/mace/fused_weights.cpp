#include "tamiz/potentials/engine/mace/fused_weights.hpp"

#include <algorithm>
#include <set>
#include <string>
#include <type_traits>
#include <utility>

#include "tamiz/core/base/parallel.hpp"
#include "tamiz/potentials/engine/mace/matrix_product.hpp"
#include "tamiz/potentials/engine/mace/weight_names.hpp"

namespace tamiz::mace {
namespace {

/// Momenta that a residual connection passes on.
int skip_l(const InteractionShape& shape) { return std::min(shape.input_l, shape.output_l); }

}  // namespace

template <typename Real>
FusedWeights<Real>::FusedWeights(const ModelFile& model, Use use)
    : d_(model.description),
      use_(use),
      channels_(padded_channels(d_)),
      parameters_(model),
      radial_(d_),
      made_(d_.elements.size()),
      elements_(d_.elements.size()) {
  const auto shapes = interaction_shapes(d_);
  for (std::size_t t = 0; t < shapes.size(); ++t) {
    layers_.push_back(make_layer(t, shapes[t]));
    fill_layer(t);
  }
  if (use == Use::training) return;
  if (radial_.input().splined())
    for (LayerWeights<Real>& layer : layers_)
      for (std::size_t k = 0; k < static_cast<std::size_t>(radial_.input().n_tables()); ++k)
        layer.radial.fill(radial_, k);
  // In float64 nothing but the network itself is as exact as the rest.
  if (sizeof(Real) == sizeof(float) && !radial_.input().splined()) choose_grid();
}

template <typename Real>
void FusedWeights<Real>::update(std::span<const double> values, std::span<const std::size_t> elements, int threads) {
  parameters_.set(values);
  parallel_for(layers_.size(), threads, [&](std::size_t t) {
    layers_[t].radial.use(RadialNetwork(d_, parameters_, t, channels_));
    layers_[t].read_out = ReadOut(d_, parameters_, t);
    fill_layer(t);
  });
  made_ = std::vector<std::once_flag>(d_.elements.size());
  std::set<std::size_t> found;
  if (radial_.input().splined())
    for (const std::size_t a : elements)
      for (const std::size_t b : elements)
        found.insert(radial_.input().table_of(static_cast<std::int32_t>(a), static_cast<std::int32_t>(b)));
  const std::vector<std::size_t> tables(found.begin(), found.end());
  const std::size_t n_fills = tables.size() * layers_.size();
  parallel_for(n_fills + elements.size(), threads, [&](std::size_t k) {
    if (k < n_fills)
      layers_[k % layers_.size()].radial.fill(radial_, tables[k / layers_.size()]);
    else
      element(elements[k - n_fills]);
  });
}

template <typename Real>
void FusedWeights<Real>::choose_grid() {
  std::vector<double> contacts;
  for (int k = 0; k < radial_.input().n_tables(); ++k)
    contacts.push_back(radial_.input().contact(static_cast<std::size_t>(k)));
  // Tables differ by a scale of the distance: the least, the middle and the largest stand for all.
  std::sort(contacts.begin(), contacts.end());
  const std::vector<double> some{contacts.front(), contacts[contacts.size() / 2], contacts.back()};
  std::vector<const RadialNetwork*> networks;
  for (const LayerWeights<Real>& layer : layers_) networks.push_back(&layer.radial.network());
  radial_.use_grid(fine_grid(d_.cutoff, radial_.input().basis(), contacts.size() == 1 ? contacts : some, networks));
}

template <typename Real>
void FusedWeights<Real>::fill(TwoWayMatrix<Real>& both, const RowMatrix& matrix) const {
  const Padding padding{d_.channels, channels_, d_.channels, channels_};
  pack(matrix, padding, both.forth);
  pack(matrix.transpose(), padding, both.back);
  if constexpr (std::is_same_v<Real, float>)
    if (use_ == Use::rounded)
      for (PackedMatrix<Real>* packed : {&both.forth, &both.back}) round_to_bfloat16(*packed);
}

template <typename Real>
void FusedWeights<Real>::fill(AlignedBuffer<Real>& padded, const RowMatrix& row) const {
  padded.assign_zero(static_cast<std::size_t>(channels_));
  for (Eigen::Index k = 0; k < row.cols(); ++k) padded.data()[k] = static_cast<Real>(row(0, k));
}

template <typename Real>
LayerWeights<Real> FusedWeights<Real>::make_layer(std::size_t t, const InteractionShape& shape) const {
  LayerWeights<Real> layer{shape,
                           ConvolutionPlan<Real>(shape.input_l, d_.l_max, channels_),
                           ContractionPlan(d_.l_max, shape.output_l, d_.correlation, channels_),
                           RadialTable<Real>(radial_, RadialNetwork(d_, parameters_, t, channels_), channels_),
                           {},
                           {},
                           {},
                           ReadOut(d_, parameters_, t)};
  if (t > 0) layer.up.resize(static_cast<std::size_t>(shape.input_l) + 1);
  if (shape.residual) layer.message.resize(static_cast<std::size_t>(d_.l_max) + 1);
  layer.product.resize(static_cast<std::size_t>(shape.output_l) + 1);
  return layer;
}

template <typename Real>
void FusedWeights<Real>::fill_layer(std::size_t t) {
  LayerWeights<Real>& layer = layers_[t];
  for (std::size_t l = 0; l < layer.up.size(); ++l)
    fill(layer.up[l], parameters_.matrix(numbered("interactions", t, "linear_up", l)));
  for (std::size_t l = 0; l < layer.message.size(); ++l)
    fill(layer.message[l], parameters_.matrix(numbered("interactions", t, "linear", l)) / sum_norm(d_, layer.shape));
  for (std::size_t l = 0; l < layer.product.size(); ++l)
    fill(layer.product[l], parameters_.matrix(numbered("products", t, "linear", l)));
}

template <typename Real>
void FusedWeights<Real>::fill_contraction(std::size_t t, std::size_t z, AlignedBuffer<Real>& weights) const {
  const ContractionPlan& plan = layers_[t].contraction;
  std::vector<RowMatrix> parts;  // (maps, channels)
  for (std::size_t k = 0; k < plan.parts.size(); ++k)
    parts.push_back(parameters_.matrix(contraction_name(t, plan.parts[k]), z));
  constexpr auto lanes = static_cast<std::size_t>(kernels::k_lanes<Real>);
  const std::size_t n = plan.coefficients.size();
  weights.assign_zero(n * static_cast<std::size_t>(channels_));
  Eigen::RowVectorXd values;
  for (std::size_t k = 0; k < n; ++k) {
    const std::vector<double>& maps = plan.maps_of(k);
    const Eigen::Map<const Eigen::RowVectorXd> row(maps.data(), static_cast<Eigen::Index>(maps.size()));
    values.noalias() = row * parts[static_cast<std::size_t>(plan.coefficients[k].part)];
    for (std::size_t c = 0; c < static_cast<std::size_t>(d_.channels); ++c)
      weights.data()[(c / lanes * n + k) * lanes + c % lanes] = static_cast<Real>(values[static_cast<Eigen::Index>(c)]);
  }
}

template <typename Real>
void FusedWeights<Real>::fill_element(std::size_t z) const {
  if (elements_[z] == nullptr) elements_[z] = std::make_unique<ElementWeights<Real>>();
  ElementWeights<Real>& element = *elements_[z];
  const RowMatrix embedding = parameters_.matrix("node_embedding").row(static_cast<Eigen::Index>(z));
  fill(element.features, embedding * parameters_.matrix("interactions.0.linear_up.0"));
  element.layers.resize(layers_.size());
  for (std::size_t t = 0; t < layers_.size(); ++t) {
    const InteractionShape& shape = layers_[t].shape;
    auto& layer = element.layers[t];
    const auto skip = [&](std::size_t l) { return parameters_.matrix(numbered("interactions", t, "skip", l), z); };
    if (!shape.residual) {
      layer.message.resize(static_cast<std::size_t>(d_.l_max) + 1);
      for (std::size_t l = 0; l < layer.message.size(); ++l)
        fill(layer.message[l],
             product<double>(parameters_.matrix(numbered("interactions", t, "linear", l)), skip(l)) / sum_norm(d_, shape));
    } else if (t == 0) {
      fill(element.skipped, embedding * skip(0));
    } else {
      layer.skip.resize(static_cast<std::size_t>(skip_l(shape)) + 1);
      for (std::size_t l = 0; l < layer.skip.size(); ++l) fill(layer.skip[l], skip(l));
    }
    fill_contraction(t, z, layer.contraction);
  }
}

template <typename Real>
const ElementWeights<Real>& FusedWeights<Real>::element(std::size_t z) const {
  std::call_once(made_[z], [&] { fill_element(z); });
  return *elements_[z];
}

template class FusedWeights<float>;
template class FusedWeights<double>;

}  // namespace tamiz::mace
