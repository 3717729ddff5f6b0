#pragma once

#include <compare>
#include <cstddef>
#include <span>
#include <string>
#include <vector>

#include "tamiz/core/structure/frame.hpp"
#include "tamiz/potentials/engine/model_file.hpp"

namespace tamiz {

/// Where one tensor lies in the flat parameter array.
struct ParameterBlock {
  std::string name;
  std::size_t offset, size;
  bool decays;  ///< takes weight decay
  bool by_element = false;  ///< as many equal parts as the model has elements, in their order
};

/// Of all weights of a model, in the order of model_parameters().
std::vector<ParameterBlock> parameter_layout(const ModelDescription& description);
/// Throws ShapeError unless there are as many numbers as parameters.
void require_parameters(std::size_t numbers, std::size_t parameters);

struct LossWeights {
  double energy = 1.0;   ///< on squared error per atom [1/(eV/atom)²]
  double forces = 10.0;  ///< on mean squared component [1/(eV/Å)²]
  double stress = 1000.0;  ///< on mean squared component [1/(eV/Å³)²]
  /// Residuals above this count linearly instead of quadratically (smooth Huber), so that few extreme
  /// frames do not rule the fit; 0: always quadratically.
  double energy_delta = 0.1;  ///< [eV/atom]
  double force_delta = 0.5;   ///< length of the force error of an atom [eV/Å]
  double stress_delta = 0.0;  ///< norm of the error of the tensor [eV/Å³]
};

/// How much the labels of a frame count beside those of the others.
struct LabelWeights {
  double energy = 1.0, forces = 1.0, stress = 1.0;
  auto operator<=>(const LabelWeights&) const = default;
};

/// One frame ready for training.
struct TrainingFrame {
  Frame frame;
  LabelWeights weights;
  /// Bootstrap weight of the frame for each committee member (n_members); empty: all 1.
  std::vector<float> member_weights;
};

/// A model whose parameters can be fitted. One trainer serves every engine.
class Trainable {
 public:
  virtual ~Trainable() = default;
  virtual const ModelDescription& description() const = 0;
  virtual std::vector<ParameterBlock> layout() const = 0;
  virtual void get_parameters(std::span<double> out) const = 0;
  virtual void set_parameters(std::span<const double> values) = 0;
  /// Loss of the frames, and its gradient written to `gradient` (size of all parameters).
  /// The bits do not depend on the number of threads. Throws std::bad_alloc where memory runs out; the model is as before.
  virtual double loss_gradient(std::span<const TrainingFrame* const> frames, const LossWeights& weights,
                               std::span<double> gradient) = 0;
  /// The model with its present parameters.
  virtual ModelFile to_model_file(const ModelCard& card) const = 0;
};

}  // namespace tamiz
