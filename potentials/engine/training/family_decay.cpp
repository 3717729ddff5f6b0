#include "tamiz/potentials/engine/training/family_decay.hpp"

#include <algorithm>
#include <array>
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
    std::array<double, 512> sums;  // of so many weights at a time, one element after the other, as they lie
    for (std::size_t begin = 0; begin < size; begin += sums.size()) {
      const std::size_t n = std::min(sums.size(), size - begin);
      sums.fill(0.0);
      for (const std::size_t offset : offsets)
        for (std::size_t k = 0; k < n; ++k) sums[k] += parameters[offset + begin + k];
      for (const std::size_t offset : offsets)
        for (std::size_t k = 0; k < n; ++k)
          parameters[offset + begin + k] += pull * (share * sums[k] - parameters[offset + begin + k]);
    }
  }
}

}  // namespace tamiz
