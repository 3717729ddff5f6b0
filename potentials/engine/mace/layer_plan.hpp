#pragma once

#include <cstdint>
#include <vector>

#include "tamiz/potentials/engine/equivariance/symmetric_basis.hpp"
#include "tamiz/potentials/engine/kernels/fused.hpp"
#include "tamiz/potentials/engine/mace/packed_matrix.hpp"
#include "tamiz/potentials/engine/model_parameters.hpp"

namespace tamiz::mace {

inline int padded_channels(const ModelDescription& d) { return static_cast<int>(whole_blocks(d.channels)); }

/// The sum over neighbours of one interaction. The sum of an atom holds for every l rows m, each with the channels of
/// all paths that end in l.
template <typename Real>
struct ConvolutionPlan {
  /// `channels`: padded.
  ConvolutionPlan(int input_l, int l_max, int channels);

  std::vector<kernels::FusedPath> paths;
  /// Harmonics are stored of the vector from an atom to its neighbour; MACE takes those of the opposite vector.
  struct Couplings {
    std::vector<kernels::Coupling<Real>> by_link, by_harmonic;  ///< the same, sorted; every link has one by_link
    std::vector<std::int32_t> begin;                            ///< of each harmonic
  };
  Couplings own;       ///< for the messages that the atom receives along an edge
  Couplings opposite;  ///< for the messages that it sends along it
  std::vector<int> slots;                         ///< paths that end in each l
  std::vector<std::size_t> begin;                 ///< of each l in the sum
  std::size_t sum_size = 0;
  int n_rows = 0, n_links = 0;
  /// For every l, where the vectors of a row lie in the derivative by the sum (kernels::MultiplyArguments::places).
  std::vector<std::vector<std::int32_t>> places;
};

/// The symmetric contraction of one interaction as trees (kernels::ContractionNode).
struct ContractionPlan {
  ContractionPlan(int l_max, int output_l, int correlation, int channels);

  /// Weights of one (L, order), as model_parameters() lists them.
  struct Part {
    int l, order;
    const SymmetricBasis* basis;
  };
  struct Coefficient {
    int part, monomial;
  };
  /// What coefficient k is in terms of the weights of its part.
  const std::vector<double>& maps_of(std::size_t k) const {
    const Coefficient& c = coefficients[k];
    return parts[static_cast<std::size_t>(c.part)].basis->monomials[static_cast<std::size_t>(c.monomial)].coefficients;
  }
  std::vector<Part> parts;
  std::vector<kernels::ContractionNode> nodes;
  std::vector<std::int32_t> leaves;
  std::vector<Coefficient> coefficients;
  int n_inputs, n_outputs;
};

}  // namespace tamiz::mace
