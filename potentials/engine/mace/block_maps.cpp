#include "tamiz/potentials/engine/mace/block_maps.hpp"

#include <algorithm>
#include <type_traits>

#include "tamiz/potentials/engine/equivariance/spherical_harmonics.hpp"
#include "tamiz/potentials/engine/kernels/bfloat16.hpp"

namespace tamiz::mace {

template <typename Real>
BlockMaps<Real>::BlockMaps(const FusedModel<Real>& model, Workspace<Real>& space, BlockScratch<Real>& scratch,
                           const Block& block, Layers& layers, const KeptRows& kept)
    : model_(model),
      space_(space),
      scratch_(scratch),
      block_(block),
      element_(model.weights().element(static_cast<std::size_t>(block.element))),
      channels_(static_cast<std::size_t>(model.weights().channels())),
      harmonics_(static_cast<std::size_t>(n_harmonics(model.weights().description().l_max))),
      layers_(layers),
      kept_(kept) {
  for (std::size_t kind = 0; kind < k_row_kinds; ++kind)
    scratch.rows[kind].reserve(k_block_atoms * model.largest_stride(static_cast<Row>(kind)));
}

template <typename Real>
const std::vector<TwoWayMatrix<Real>>& BlockMaps<Real>::message_weights(std::size_t t) const {
  return layer(t).shape.residual ? layer(t).message : element_.layers[t].message;
}

template <typename Real>
Real* BlockMaps<Real>::row_of(Layers& layers, const KeptRows& kept, Row kind, std::size_t t, std::size_t k) const {
  const auto which = static_cast<std::size_t>(kind);
  const std::size_t stride = model_.stride(kind, t);
  if (kept[t][which] == Keep::none) return scratch_.rows[which].data() + k * stride;
  return layers[t].rows[which].data() + place(kept[t][which], atom(k)) * stride;
}

/// Rows m of l of every atom k: output(k, m) = input(k, m)·matrix, or added to it.
template <typename Real>
template <typename Input, typename Output>
void BlockMaps<Real>::multiply(const PackedMatrix<Real>& matrix, std::size_t l, bool add, const Input& input,
                               const Output& output, const std::int32_t* places) {
  scratch_.x.clear();
  scratch_.y.clear();
  for (std::size_t k = 0; k < n_atoms(); ++k)
    for (std::size_t m = 0; m < 2 * l + 1; ++m) {
      scratch_.x.push_back(input(k, m));
      scratch_.y.push_back(output(k, m));
    }
  const auto n_rows = static_cast<std::int64_t>(scratch_.x.size());
  if constexpr (std::is_same_v<Real, float>)
    if (!matrix.rounded.empty()) {
      scratch_.rounded.reserve(static_cast<std::size_t>(n_rows * matrix.n_in));
      return kernels::multiply_bfloat16({n_rows, matrix.n_in, matrix.n_out, scratch_.x.data(), scratch_.y.data(),
                                         matrix.rounded.data(), add, places, scratch_.rounded.data()});
    }
  kernels::fused_table<Real>().multiply({n_rows, matrix.n_in, matrix.n_out, scratch_.x.data(), scratch_.y.data(),
                                         matrix.values.data(), add, places});
}

/// The same between rows that hold channels of (l, m).
template <typename Real>
void BlockMaps<Real>::multiply(const PackedMatrix<Real>& matrix, std::size_t l, bool add, Row from, std::size_t t_from,
                               Row to, std::size_t t_to) {
  multiply(
      matrix, l, add, [&](std::size_t k, std::size_t m) { return row(from, t_from, k) + (l * l + m) * channels_; },
      [&](std::size_t k, std::size_t m) { return row(to, t_to, k) + (l * l + m) * channels_; });
}

template <typename Real>
void BlockMaps<Real>::to_message(std::size_t t) {
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  for (std::size_t l = 0; l < plan.slots.size(); ++l) {
    const std::size_t width = static_cast<std::size_t>(plan.slots[l]) * channels_;
    multiply(
        message_weights(t)[l].forth, l, false,
        [&](std::size_t k, std::size_t m) { return row(Row::sum, t, k) + plan.begin[l] + m * width; },
        [&](std::size_t k, std::size_t m) { return row(Row::message, t, k) + (l * l + m) * channels_; });
  }
}

template <typename Real>
void BlockMaps<Real>::to_features_behind(std::size_t t, const Real* skipped) {
  for (std::size_t l = 0; l < layer(t).product.size(); ++l)
    multiply(layer(t).product[l].forth, l, false, Row::contracted, t, Row::features, t + 1);
  for (std::size_t l = 0; l < element_.layers[t].skip.size(); ++l)
    multiply(element_.layers[t].skip[l].forth, l, true, Row::features, t, Row::features, t + 1);
  if (skipped == nullptr) return;
  for (std::size_t k = 0; k < n_atoms(); ++k)
    for (std::size_t c = 0; c < channels_; ++c) row(Row::features, t + 1, k)[c] += skipped[c];
}

template <typename Real>
void BlockMaps<Real>::to_up(std::size_t t) {
  for (std::size_t l = 0; l < layer(t).up.size(); ++l)
    multiply(layer(t).up[l].forth, l, false, Row::features, t, Row::up, t);
}

template <typename Real>
void BlockMaps<Real>::back_to_contracted(std::size_t t) {
  for (std::size_t l = 0; l < layer(t).product.size(); ++l)
    multiply(layer(t).product[l].back, l, false, Row::d_features, t + 1, Row::d_contracted, t);
}

template <typename Real>
void BlockMaps<Real>::back_to_sum(std::size_t t) {
  const ConvolutionPlan<Real>& plan = layer(t).convolution;
  for (std::size_t l = 0; l < plan.slots.size(); ++l) {
    const std::size_t width = static_cast<std::size_t>(plan.slots[l]) * channels_;
    multiply(
        message_weights(t)[l].back, l, false,
        [&](std::size_t k, std::size_t m) { return row(Row::d_message, t, k) + (l * l + m) * channels_; },
        [&](std::size_t k, std::size_t m) {
          return row(Row::d_sum, t, k) + (plan.begin[l] + m * width) / channels_ * k_lanes;
        },
        plan.places[l].data());
  }
}

template <typename Real>
void BlockMaps<Real>::back_along_skip(std::size_t t) {
  for (std::size_t k = 0; k < n_atoms(); ++k)
    std::fill_n(row(Row::d_features, t, k), model_.stride(Row::d_features, t), Real(0));
  for (std::size_t l = 0; l < element_.layers[t].skip.size(); ++l)
    multiply(element_.layers[t].skip[l].back, l, false, Row::d_features, t + 1, Row::d_features, t);
}

template <typename Real>
void BlockMaps<Real>::back_to_features(std::size_t t) {
  for (std::size_t l = 0; l < layer(t).up.size(); ++l)
    multiply(layer(t).up[l].back, l, true, Row::d_up, t, Row::d_features, t);
}

template class BlockMaps<float>;
template class BlockMaps<double>;

}  // namespace tamiz::mace
