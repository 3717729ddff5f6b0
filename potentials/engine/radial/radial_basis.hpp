#pragma once

#include <span>
#include <vector>

#include "tamiz/potentials/engine/model_description.hpp"

namespace tamiz {

/// Radial basis of MACE (docs/theory.md, eqs. 1 and 1a): Bessel functions or Gaussians of the distance or of a
/// transformed one, times a polynomial envelope. With `envelope_on_weights` the envelope is the last of the values
/// instead, to multiply what the network makes of the others.
class RadialBasis {
 public:
  explicit RadialBasis(const ModelDescription& description);

  int size() const { return static_cast<int>(points_.size()) + (envelope_apart_ ? 1 : 0); }
  /// Writes size() values and, where not empty, derivatives [1/Å] at 0 < r [Å] between atoms whose covalent radii sum
  /// up to `contact` [Å]. All are zero from the cutoff on.
  void at(double r, double contact, std::span<double> values, std::span<double> derivatives = {}) const;

 private:
  struct Value {
    double value, slope;
  };
  Value transformed(double r, double contact) const;
  Value function(std::size_t n, double x) const;

  double cutoff_;
  int power_;
  bool gaussian_, envelope_apart_;
  enum class Transform { none, agnesi, soft } transform_;
  std::vector<double> points_;      ///< frequencies [1/Å] of Bessel functions, or centres [Å] of Gaussians
  std::vector<double> parameters_;  ///< of the transform
  double sharpness_ = 0.0;          ///< of Gaussians [1/Å²]
};

}  // namespace tamiz
