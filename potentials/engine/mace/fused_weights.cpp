#include "tamiz/potentials/engine/mace/fused_weights.hpp"

#include <algorithm>
#include <string>
#include <utility>

#include "tamiz/potentials/engine/equivariance/symmetric_basis.hpp"

namespace tamiz::mace {
namespace {

std::string named(const char* block, std::size_t t, const std::string& rest) {
  return std::string(block) + "." + std::to_string(t) + "." + rest;
}
std::string numbered(const char* block, std::size_t t, const char* what, int k) {
  return named(block, t, std::string(what) + "." + std::to_string(k));
}

/// Momenta that a residual connection passes on.
int skip_l(const InteractionShape& shape) { return std::min(shape.input_l, shape.output_l); }

}  // namespace

template <typename Real>
FusedWeights<Real>::FusedWeights(const ModelFile& model)
    : d_(model.description),
      channels_(padded_channels(d_)),
      parameters_(model),
      radial_(d_),
      made_(d_.elements.size()),
      elements_(d_.elements.size()) {
  const auto shapes = interaction_shapes(d_);
  for (std::size_t t = 0; t < shapes.size(); ++t) layers_.push_back(make_layer(t, shapes[t]));
  // In float64 nothing but the network itself is as exact as the rest.
  if (sizeof(Real) == sizeof(float) && !radial_.input().splined()) choose_grid();
}

template <typename Real>
void FusedWeights<Real>::choose_grid() {
  std::vector<double> contacts;
  for (int k = 0; k < radial_.input().n_tables(); ++k) contacts.push_back(radial_.input().contact(static_cast<std::size_t>(k)));
  // Tables differ by a scale of the distance: the least, the middle and the largest stand for all.
  std::sort(contacts.begin(), contacts.end());
  const std::vector<double> some{contacts.front(), contacts[contacts.size() / 2], contacts.back()};
  std::vector<const RadialNetwork*> networks;
  for (const LayerWeights<Real>& layer : layers_) networks.push_back(&layer.radial.network());
  radial_.use_grid(fine_grid(d_.cutoff, radial_.input().basis(), contacts.size() == 1 ? contacts : some, networks));
}

template <typename Real>
TwoWayMatrix<Real> FusedWeights<Real>::two_way(const RowMatrix& matrix) const {
  const Padding padding{d_.channels, channels_, d_.channels, channels_};
  return {pack<Real>(matrix, padding), pack<Real>(matrix.transpose(), padding)};
}

template <typename Real>
AlignedBuffer<Real> FusedWeights<Real>::padded_row(const RowMatrix& row) const {
  AlignedBuffer<Real> padded(static_cast<std::size_t>(channels_));
  for (Eigen::Index k = 0; k < row.cols(); ++k) padded.data()[k] = static_cast<Real>(row(0, k));
  return padded;
}

template <typename Real>
LayerWeights<Real> FusedWeights<Real>::make_layer(std::size_t t, const InteractionShape& shape) const {
  LayerWeights<Real> layer{shape,
                           ConvolutionPlan<Real>(shape.input_l, d_.l_max, channels_),
                           ContractionPlan(d_.l_max, shape.output_l, d_.correlation, channels_),
                           RadialTable<Real>(radial_.input(), RadialNetwork(d_, parameters_, t, channels_), channels_),
                           {},
                           {},
                           {},
                           ReadOut(d_, parameters_, t)};
  if (t > 0)
    for (int l = 0; l <= shape.input_l; ++l)
      layer.up.push_back(two_way(parameters_.matrix(numbered("interactions", t, "linear_up", l))));
  if (shape.residual)
    for (int l = 0; l <= d_.l_max; ++l)
      layer.message.push_back(two_way(parameters_.matrix(numbered("interactions", t, "linear", l)) /
                                      (shape.density ? 1.0 : d_.average_neighbors)));
  for (int l = 0; l <= shape.output_l; ++l)
    layer.product.push_back(two_way(parameters_.matrix(numbered("products", t, "linear", l))));
  return layer;
}

template <typename Real>
AlignedBuffer<Real> FusedWeights<Real>::contraction_weights(std::size_t t, std::size_t z) const {
  const ContractionPlan& plan = layers_[t].contraction;
  std::vector<const SymmetricBasis*> bases;
  std::vector<RowMatrix> weights;  // (maps, channels) of every part
  for (int l = 0; l <= layers_[t].shape.output_l; ++l)
    for (int order = 1; order <= d_.correlation; ++order) {
      bases.push_back(&symmetric_basis(order, d_.l_max, l));
      weights.push_back(parameters_.matrix(
          named("products", t, "contraction." + std::to_string(l) + "." + std::to_string(order)), z));
    }
  constexpr auto lanes = static_cast<std::size_t>(kernels::k_lanes<Real>);
  const std::size_t n = plan.coefficients.size();
  AlignedBuffer<Real> result(n * static_cast<std::size_t>(channels_));
  for (std::size_t k = 0; k < n; ++k) {
    const auto part = static_cast<std::size_t>(plan.coefficients[k].part);
    const std::vector<double>& maps =
        bases[part]->monomials[static_cast<std::size_t>(plan.coefficients[k].monomial)].coefficients;
    const Eigen::Map<const Eigen::RowVectorXd> row(maps.data(), static_cast<Eigen::Index>(maps.size()));
    const Eigen::RowVectorXd values = row * weights[part];
    for (std::size_t c = 0; c < static_cast<std::size_t>(d_.channels); ++c)
      result.data()[(c / lanes * n + k) * lanes + c % lanes] = static_cast<Real>(values[static_cast<Eigen::Index>(c)]);
  }
  return result;
}

template <typename Real>
std::unique_ptr<ElementWeights<Real>> FusedWeights<Real>::make_element(std::size_t z) const {
  auto element = std::make_unique<ElementWeights<Real>>();
  const RowMatrix embedding = parameters_.matrix("node_embedding").row(static_cast<Eigen::Index>(z));
  element->features = padded_row(embedding * parameters_.matrix("interactions.0.linear_up.0"));
  for (std::size_t t = 0; t < layers_.size(); ++t) {
    const InteractionShape& shape = layers_[t].shape;
    auto& layer = element->layers.emplace_back();
    const auto skip = [&](int l) { return parameters_.matrix(numbered("interactions", t, "skip", l), z); };
    if (!shape.residual) {
      for (int l = 0; l <= d_.l_max; ++l) {
        const RowMatrix linear = parameters_.matrix(numbered("interactions", t, "linear", l));
        layer.message.push_back(two_way(linear * skip(l) / (shape.density ? 1.0 : d_.average_neighbors)));
      }
    } else if (t == 0) {
      element->skipped = padded_row(embedding * skip(0));
    } else {
      for (int l = 0; l <= skip_l(shape); ++l) layer.skip.push_back(two_way(skip(l)));
    }
    layer.contraction = contraction_weights(t, z);
  }
  return element;
}

template <typename Real>
const ElementWeights<Real>& FusedWeights<Real>::element(std::size_t z) const {
  std::call_once(made_[z], [&] { elements_[z] = make_element(z); });
  return *elements_[z];
}

template class FusedWeights<float>;
template class FusedWeights<double>;

}  // namespace tamiz::mace
