#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "tamiz/core/structure/structure.hpp"

namespace tamiz {

/// Many structures as flat arrays with offsets; immutable. What moves is in State.
class Batch {
 public:
  Batch() = default;
  explicit Batch(std::span<const Structure> structures);

  std::size_t n_structures() const { return offsets_.size() - 1; }
  std::size_t n_atoms() const { return offsets_.back(); }
  /// Atoms of structure s are [offsets()[s], offsets()[s + 1]).
  std::span<const std::size_t> offsets() const { return offsets_; }
  std::span<const Element> species() const { return species_; }
  std::span<const Element> species(std::size_t s) const;
  std::span<const double> masses() const { return masses_; }  ///< [u]
  /// Structure that each atom belongs to.
  std::span<const std::int32_t> owners() const { return owners_; }
  const Periodicity& periodicity(std::size_t s) const { return periodicity_[s]; }
  std::size_t n_atoms(std::size_t s) const { return offsets_[s + 1] - offsets_[s]; }

 private:
  std::vector<std::size_t> offsets_{0};
  std::vector<Element> species_;
  std::vector<double> masses_;
  std::vector<std::int32_t> owners_;
  std::vector<Periodicity> periodicity_;
};

/// What moves: float64, never wrapped.
struct State {
  Coordinates positions;    ///< (n_atoms, 3) [Å]
  std::vector<Mat3> cells;  ///< one per structure, rows are lattice vectors [Å]
  Coordinates velocities;   ///< (n_atoms, 3) [Å/fs]; empty when nothing moves
  std::int64_t step = 0;

  static State of(std::span<const Structure> structures);
};

/// Structure s of a batch at its present state.
Structure structure_of(const Batch& batch, const State& state, std::size_t s);

}  // namespace tamiz
