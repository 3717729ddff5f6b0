#include "tamiz/potentials/engine/training/family_decay.hpp"

#include <algorithm>
#include <map>

namespace tamiz {

FamilyDecay::FamilyDecay(const std::vector<ParameterBlock>& layout, const std::vector<Element>& elements, double rate) : rate_(rate) {
  for (const ParameterBlock& block : layout) {
    if (!block.by_element) continue;
    const std::size_t size = block.size / elements.size();
    std::map<int, std::vector<std::size_t>> families;
    for (std::size_t e = 0; e < elements.size(); ++e) families[elements[e].family()].push_back(block.offset + e * size);
    for (const auto& [family, offsets] : families)
      if (offsets.size() > 1) relatives_.push_back({offsets, size});
  }
}

void FamilyDecay::step(std::span<double> parameters, double learning_rate) const {
  const double pull = std::min(1.0, rate_ * learning_rate);
  if (pull == 0.0) return;
  for (const auto& [offsets, size] : relatives_) {
    const double share = 1.0 / static_cast<double>(offsets.size());
    for (std::size_t k = 0; k < size; ++k) {
      double sum = 0.0;
      for (const std::size_t offset : offsets) sum += parameters[offset + k];
      for (const std::size_t offset : offsets) parameters[offset + k] += pull * (share * sum - parameters[offset + k]);
    }
  }
}

}  // namespace tamiz
