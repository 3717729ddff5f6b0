#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tamiz/potentials/engine/equivariance/coupling_paths.hpp"
#include "tamiz/potentials/engine/model_description.hpp"
#include "tamiz/potentials/engine/model_file.hpp"

namespace tamiz {

/// One weight tensor of a MACE model. The model uses `factor` times the stored values (e3nn's path
/// normalisation), so that stored values start as standard normals.
struct ParameterSpec {
  std::string name;
  std::vector<std::int64_t> shape;
  double factor;         ///< applied where the weight is used
  double initial_scale;  ///< standard deviation of the first values
  bool decays;           ///< takes weight decay
  bool by_element;       ///< the first extent is the elements

  std::size_t size() const;
};

/// Momenta of one interaction with the product behind it.
struct InteractionShape {
  int input_l;    ///< features that enter have l = 0..input_l
  int output_l;   ///< features that leave; only scalars behind the last interaction
  bool residual;  ///< skip connection around the product; without, the message passes through a matrix per element
  bool density;   ///< divided by a learnt density of neighbours instead of their average number
};
std::vector<InteractionShape> interaction_shapes(const ModelDescription& description);

/// All weights in their order in the flat parameter array. Names follow the blocks of mace-torch:
/// `node_embedding`, `interactions.t.linear_up.l`, `interactions.t.radial.k`, `interactions.t.linear.l`,
/// `interactions.t.skip.l`, `products.t.contraction.L.order`, `products.t.linear.L`, `readouts.t.*`.
std::vector<ParameterSpec> model_parameters(const ModelDescription& description);

/// An untrained model: weights drawn by (seed, tensor). Statistics are those of the description.
ModelFile initial_model(const ModelDescription& description, std::uint64_t seed);

/// Flat values of a model file, in the order of `model_parameters`. Throws FormatError when a tensor is
/// missing, of another shape, not finite, or unknown.
std::vector<double> flat_parameters(const ModelFile& model);
/// The reverse; tensors are stored as `dtype`.
std::vector<Tensor> tensors_of(const ModelDescription& description, const std::vector<double>& values,
                               const std::string& dtype);

}  // namespace tamiz
