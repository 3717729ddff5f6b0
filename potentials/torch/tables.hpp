#pragma once

#include <memory>
#include <vector>

#include "tamiz/potentials/engine/kernels/kernels.hpp"
#include "tamiz/potentials/engine/model_description.hpp"
#include "tamiz/potentials/engine/model_parameters.hpp"

namespace tamiz::torch_engine {

/// Coupling tables of one interaction in the form that the kernels read.
class ConvolutionPlan {
 public:
  ConvolutionPlan(int input_l, int l_max);

  kernels::ConvolutionTables view() const;
  int n_paths() const { return n_paths_; }
  int input_l() const { return input_l_; }
  /// Paths that end in each l.
  const std::vector<int>& slots() const { return slots_; }
  /// Rows of the output per atom, Σ_l (2l + 1)·slots.
  int rows_per_atom() const { return rows_per_atom_; }

 private:
  int n_paths_, n_harmonics_, input_l_, rows_per_atom_ = 0;
  std::vector<int> slots_;
  std::vector<kernels::Link> links_;
  std::vector<kernels::LinkEntry> entries_;
  std::vector<kernels::LinkGroup> groups_;
};

/// Monomials of one symmetric contraction for L = 0..output_l and all orders.
class PolynomialPlan {
 public:
  PolynomialPlan(int l_max, int output_l, int correlation);

  /// Rows of `terms` that belong to one (L, order), with the map from weights to coefficients.
  struct Part {
    int output_l, order, n_maps, begin, end;
    std::vector<double> matrix;  ///< (end − begin, n_maps)
  };
  const std::vector<kernels::Term>& terms() const { return terms_; }
  const std::vector<Part>& parts() const { return parts_; }
  int order() const { return order_; }
  int n_inputs() const { return n_inputs_; }
  int n_outputs() const { return n_outputs_; }

 private:
  int order_, n_inputs_, n_outputs_;
  std::vector<kernels::Term> terms_;
  std::vector<Part> parts_;
};

}  // namespace tamiz::torch_engine
