#pragma once

#include <array>
#include <span>
#include <vector>

#include "tamiz/core/simulation/potential.hpp"

namespace tamiz {

/// Numbers the elements that a potential knows from 0 on.
class SpeciesTable {
 public:
  explicit SpeciesTable(std::vector<Element> elements);

  std::span<const Element> elements() const { return elements_; }
  std::size_t size() const { return elements_.size(); }
  /// Place of an element that is known.
  std::size_t operator[](Element element) const { return static_cast<std::size_t>(places_[static_cast<std::size_t>(element.number())]); }
  /// Of every atom of a batch whose elements are all known.
  std::vector<std::size_t> of(std::span<const Element> species) const;

 private:
  std::vector<Element> elements_;
  std::array<int, 119> places_;
};

/// A prediction of the right sizes, all zero, with what was asked for.
Prediction empty_prediction(const Batch& batch, const Outputs& outputs);

/// Sums atom energies to energies and divides the virials dE/dε [eV] by the volumes.
void finish(Prediction& prediction, const Batch& batch, const State& state, const Outputs& outputs,
            std::span<const double> atom_energies, std::span<const Mat3> virials);

}  // namespace tamiz
