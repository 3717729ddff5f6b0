#pragma once

#include <memory>
#include <mutex>
#include <span>
#include <vector>

#include "tamiz/potentials/engine/mace/layer_plan.hpp"
#include "tamiz/potentials/engine/mace/radial_tables.hpp"
#include "tamiz/potentials/engine/mace/read_out.hpp"

namespace tamiz::mace {

/// What one interaction applies, whatever the element.
template <typename Real>
struct LayerWeights {
  InteractionShape shape;
  ConvolutionPlan<Real> convolution;
  ContractionPlan contraction;
  RadialTable<Real> radial;
  std::vector<TwoWayMatrix<Real>> up;       ///< per l of the features that enter; empty in the first layer
  std::vector<TwoWayMatrix<Real>> message;  ///< per l; empty where it is one per element
  std::vector<TwoWayMatrix<Real>> product;  ///< per L
  ReadOut read_out;
};

/// What the interactions apply to atoms of one element: adjacent linear layers are one matrix here.
template <typename Real>
struct ElementWeights {
  struct Layer {
    std::vector<TwoWayMatrix<Real>> message;  ///< per l, with the matrix of the element behind it
    std::vector<TwoWayMatrix<Real>> skip;     ///< per l, of the residual connection
    AlignedBuffer<Real> contraction;          ///< (channels/k_lanes, n_coefficients, k_lanes)
  };
  AlignedBuffer<Real> features;  ///< of the first layer, behind linear_up
  AlignedBuffer<Real> skipped;   ///< what a residual connection of the first layer adds; empty without
  std::vector<Layer> layers;
};

/// What a model is read for: one that is trained takes new weights again and again; `rounded` evaluates with products with
/// matrices in bfloat16 (kernels/bfloat16.hpp), of float only.
enum class Use { evaluation, training, rounded };

/// The weights of a model as the fused kernels read them. Those of an element are worked out, in float64, when it first
/// occurs.
template <typename Real>
class FusedWeights {
 public:
  explicit FusedWeights(const ModelFile& model, Use use = Use::evaluation);

  /// Takes the stored values of all parameters, and works out what the elements at these places of the description need.
  /// Not while anything reads the weights.
  void update(std::span<const double> values, std::span<const std::size_t> elements, int threads);

  const ModelDescription& description() const { return d_; }
  const ParameterReader& parameters() const { return parameters_; }
  int channels() const { return channels_; }  ///< padded
  const RadialReading& radial() const { return radial_; }
  const std::vector<LayerWeights<Real>>& layers() const { return layers_; }
  /// Of the element at place z of the description. May be asked from several threads at once.
  const ElementWeights<Real>& element(std::size_t z) const;

 private:
  LayerWeights<Real> make_layer(std::size_t t, const InteractionShape& shape) const;
  void fill_layer(std::size_t t);
  void fill_element(std::size_t z) const;
  void fill_contraction(std::size_t t, std::size_t z, AlignedBuffer<Real>& weights) const;
  void fill(TwoWayMatrix<Real>& both, const RowMatrix& matrix) const;
  void fill(AlignedBuffer<Real>& padded, const RowMatrix& row) const;
  void choose_grid();

  ModelDescription d_;
  Use use_;
  int channels_;
  ParameterReader parameters_;
  RadialReading radial_;
  std::vector<LayerWeights<Real>> layers_;
  mutable std::vector<std::once_flag> made_;
  mutable std::vector<std::unique_ptr<ElementWeights<Real>>> elements_;
};

}  // namespace tamiz::mace
