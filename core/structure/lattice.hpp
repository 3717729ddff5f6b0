#pragma once

#include <array>

#include "tamiz/core/base/math.hpp"

namespace tamiz {

/// Three lattice vectors as the rows of a matrix [Å]. Left-handed cells are allowed.
class Lattice {
 public:
  /// All zeros: no cell, only valid with no periodic direction.
  Lattice() = default;
  /// Throws NumericsError when an entry is not finite.
  explicit Lattice(const Mat3& rows);
  /// a, b, c [Å], α, β, γ [degrees]; a along x, b in the xy plane (ASE's convention).
  /// Throws NumericsError where these do not make a cell with volume.
  static Lattice from_parameters(double a, double b, double c, double alpha, double beta, double gamma);

  const Mat3& rows() const { return rows_; }
  Vec3 vector(int k) const { return rows_.row(k); }
  /// Signed [Å³]; negative for a left-handed cell.
  double signed_volume() const;
  double volume() const;
  /// {a, b, c, α, β, γ} in Å and degrees.
  std::array<double, 6> parameters() const;
  /// Distances between opposite faces [Å].
  Vec3 heights() const;
  /// Rows b_k with a_i · b_k = δ_ik (no 2π) [1/Å]. Throws NumericsError for zero volume.
  Mat3 reciprocal() const;

  bool operator==(const Lattice&) const = default;

 private:
  Mat3 rows_ = Mat3::Zero();
};

}  // namespace tamiz
