#pragma once

#include <vector>

#include "tamiz/potentials/engine/mace/aligned_buffer.hpp"
#include "tamiz/potentials/engine/radial/spline.hpp"

namespace tamiz::mace {

/// From values of many functions at the nodes of a spline to its coefficients, and the transpose of that for
/// derivatives; in float64.
class SplineMap {
 public:
  explicit SplineMap(const RadialSpline& spline);

  std::size_t n_nodes() const { return n_nodes_; }
  std::size_t n_coefficients() const { return n_coefficients_; }

  /// Buffers that calls use again.
  struct Scratch {
    AlignedBuffer<double> packed;
    std::vector<const double*> x;
    std::vector<double*> y;
  };
  /// `values` (n_nodes, width) to `coefficients` (n_coefficients, width), where width is a multiple of 8.
  void to_coefficients(const double* values, std::size_t width, double* coefficients, Scratch& scratch) const;
  void to_nodes(const double* by_coefficients, std::size_t width, double* by_values, Scratch& scratch) const;

 private:
  struct Side {
    std::size_t n_in, padded;
    AlignedBuffer<double> rows;  ///< (n_out, padded)
  };
  static Side side_of(const Eigen::MatrixXd& matrix);
  static void apply(const Side& side, std::size_t n_out, const double* from, std::size_t width, double* to,
                    Scratch& scratch);

  std::size_t n_nodes_, n_coefficients_;
  Side forth_, back_;
};

}  // namespace tamiz::mace
