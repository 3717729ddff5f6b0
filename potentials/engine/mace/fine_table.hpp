#pragma once

#include <array>
#include <vector>

#include "tamiz/potentials/engine/mace/radial_network.hpp"

namespace tamiz::mace {

/// Equal intervals of [0, cutoff] with cubic polynomials through values and slopes at their ends.
struct FineGrid {
  double cutoff = 0.0;  ///< [Å]
  int intervals = 0;    ///< 0: none

  double spacing() const { return cutoff / intervals; }
  /// Rows of a table: for every interval its first slope times the spacing, its first value and the change of the value over
  /// it; at last the slope at the cutoff. The change is kept beside the values because the difference of two rounded ones
  /// would lose, over a short interval, most digits of the slope.
  std::size_t n_rows() const { return k_rows_per_interval * static_cast<std::size_t>(intervals) + 1; }
  static constexpr int k_rows_per_interval = 3;

  struct Weights {
    int first;                             ///< row that values[0] belongs to
    std::array<double, 4> values, slopes;  ///< weights, and their d/dr [1/Å]
  };
  /// At 0 <= r < cutoff [Å].
  Weights at(double r) const;
  /// Second derivatives of the weights [1/Å²].
  std::array<double, 4> curvatures(double r) const;
};

/// The radial network of one interaction on such a grid, for atoms whose covalent radii sum up to `contact` [Å].
template <typename Real>
struct FineTable {
  AlignedBuffer<Real> rows;     ///< (n_rows, stride)
  std::vector<double> density;  ///< (n_rows), empty without

  /// `places`: of the outputs of the network in a row of `stride` numbers.
  FineTable(const FineGrid& grid, const RadialBasis& basis, double contact, const RadialNetwork& network,
            const std::vector<std::size_t>& places, std::size_t stride);
};

/// The coarsest grid on which the network is met in value and slope as well as float32 tells numbers apart, from
/// k_shortest on; without intervals where none is.
FineGrid fine_grid(double cutoff, const RadialBasis& basis, const std::vector<double>& contacts,
                   const std::vector<const RadialNetwork*>& networks);

}  // namespace tamiz::mace
