#pragma once

#include <span>
#include <vector>

#include "tamiz/core/structure/element.hpp"
#include "tamiz/potentials/engine/trainable.hpp"

namespace tamiz {

/// Pulls the weights of every element towards the mean of its family, Element::family(), as weight decay pulls weights towards zero:
/// what elements do not differ in by the labels they share, so that a model says more of combinations that it has not seen
/// (docs/theory.md, section 2).
class FamilyDecay {
 public:
  /// `rate`: pull of a step over its learning rate; 0: none.
  FamilyDecay(const std::vector<ParameterBlock>& layout, const std::vector<Element>& elements, double rate);

  void step(std::span<double> parameters, double learning_rate) const;

 private:
  /// Weights of the relatives in one block.
  struct Relatives {
    std::vector<std::size_t> offsets;
    std::size_t size;
  };

  double rate_;
  std::vector<Relatives> relatives_;
};

}  // namespace tamiz
