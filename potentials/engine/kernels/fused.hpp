#pragma once

#include <cstdint>

/// Inner loops of the fused evaluation (docs/theory.md, section 1.1) over raw arrays, vectorised over channels or, for
/// what an edge has but once, over edges. As in kernels.hpp no container passes through here.
///
/// Vectors are 64 bytes on every instruction set and sums have one fixed order, so that AVX2 and AVX-512 give the same
/// bits. Rows of channels start at multiples of 64 bytes and are padded with zeros to whole vectors.
namespace tamiz::kernels {

/// Numbers in a vector.
template <typename Real>
inline constexpr int k_lanes = static_cast<int>(64 / sizeof(Real));

/// Edges lie in groups of k_lanes, every group as rows of k_lanes numbers: these, and behind them the harmonics.
namespace edge_rows {
inline constexpr int k_values = 0;   ///< weights of four rows of a radial table, and
inline constexpr int k_slopes = 4;   ///< their derivatives by the distance
inline constexpr int k_unit = 8;     ///< direction, three rows
inline constexpr int k_inverse = 11; ///< 1/distance
inline constexpr int k_harmonics = 12;
}  // namespace edge_rows

/// factor[link] += value·Y[harmonic]. Couplings are sorted by link, and every link has one.
template <typename Real>
struct Coupling {
  std::int32_t link, harmonic;
  Real value;
};

/// A path l1 ⊗ l2 → l3; where all features are scalars, path k is 0 ⊗ k → k. Its links are factors of all pairs (m1, m3), m3 running fastest. Offsets are in numbers.
struct FusedPath {
  std::int32_t l1, l3;
  std::int32_t feature;              ///< of the first component of l1 in the features of an atom
  std::int32_t row, row_stride;      ///< of the rows m3 in the sum of an atom
  std::int32_t output, output_stride;  ///< of the same in the derivative by the sum
  std::int32_t link;
};

/// Harmonics of unit vectors of `n_groups` groups, written behind the other rows.
template <typename Real>
struct HarmonicsArguments {
  std::int64_t n_groups;
  std::int32_t l_max, n_rows;  ///< rows of a group
  const Real* prefactors;      ///< ((l_max + 1)²) at l² + l + m, m >= 0
  Real* edges;
  Real* gradients;             ///< (n_groups, 3, (l_max + 1)², k_lanes) by the vector, or null
};

/// Factors of the links of every edge from its harmonics, (n_groups, n_links, k_lanes).
template <typename Real>
struct FactorArguments {
  std::int64_t n_groups;
  std::int32_t n_rows, n_links, n_couplings;
  const Coupling<Real>* couplings;
  const Real* edges;
  Real* factors;
};

/// Where the parts of one edge lie. Weights and factors of an edge are k_lanes apart. A row of the radial table is
/// (channels/k_lanes, n_paths, k_lanes), a derivative by the sum (channels/k_lanes, n_rows, k_lanes).
template <typename Real>
struct EdgeView {
  const Real* weights;
  const Real* factors;
  const Real* table;     ///< first of four rows of the radial table
  const Real* features;  ///< of the atom that sends the message
  const Real* outputs;   ///< derivative by the sum of the atom that receives it; the reverse only
  const Real* gradients; ///< of the harmonics; the reverse only
};

/// sum[row(path, m3)] = Σ_edges Σ_m1 factor·R_path·h_m1
template <typename Real>
struct ConvolveArguments {
  std::int64_t n_edges, channels, table_stride;
  const EdgeView<Real>* edges;
  std::int32_t n_paths;
  const FusedPath* paths;
  Real* sum;
};

/// Derivatives of Σ_edges outputs·sum by the vector of every edge and, where not null, by the features, summed over
/// edges.
template <typename Real>
struct ConvolveReverseArguments {
  std::int64_t n_edges, channels, table_stride;
  const EdgeView<Real>* edges;
  std::int32_t n_paths, n_harmonics, n_rows;
  const FusedPath* paths;
  const Coupling<Real>* couplings;   ///< sorted by harmonic here,
  const std::int32_t* by_harmonic;   ///< and where those of each begin (n_harmonics + 1)
  Real* d_features;
  Real* d_vectors;  ///< (n_edges, 3), added to
  Real* scratch;    ///< n_links·k_lanes
};

/// y_r = x_r·W (or y_r += x_r·W) for rows anywhere; W packed as (n_out/k_lanes, n_in, k_lanes). Vectors of a row y_r lie
/// one behind the other, or at `places`.
template <typename Real>
struct MultiplyArguments {
  std::int64_t n_rows, n_in, n_out;
  const Real* const* x;
  Real* const* y;
  const Real* matrix;
  bool add;
  const std::int32_t* places;  ///< (n_out/k_lanes), or null
};

/// A polynomial as a tree: a node is worth its constant, plus coefficients times the inputs of its leaves, plus
/// the nodes below it times their inputs. Nodes, leaves and coefficients stand in depth-first order, a tree per output.
struct ContractionNode {
  std::int32_t input;  ///< offset of the input that it is multiplied with
  std::int32_t n_leaves, n_children, has_constant;
};
template <typename Real>
struct ContractArguments {
  std::int64_t n_outputs, n_inputs, channels, n_coefficients;
  const ContractionNode* nodes;
  const std::int32_t* leaves;  ///< offsets of inputs
  const Real* coefficients;    ///< (channels/k_lanes, n_coefficients, k_lanes)
  const Real* x;               ///< (n_inputs, channels)
  const Real* weights;         ///< (n_outputs, channels) of the gradient; null: ones
  Real* f;                     ///< (n_outputs, channels), or null
  Real* gradient;              ///< (n_inputs, channels)
};

// Training and products with second derivatives run through everything a second time, with tangents: derivatives of all
// numbers along one direction (docs/theory.md, section 2.1). Tangents lie as the values do, in arrays of their own.

/// Tangents of what an edge has but once, from the tangent of its vector. Groups of tangents have the rows of groups of
/// edges: tangents of the weights at k_values, of the direction, of the distance at k_inverse, and of the harmonics are
/// written; those of the slopes of the weights only where their second derivatives are given.
template <typename Real>
struct EdgeTangentArguments {
  std::int64_t n_groups;
  std::int32_t n_rows, n_harmonics;
  const Real* edges;
  const Real* gradients;  ///< of the harmonics (HarmonicsArguments)
  const Real* moves;      ///< (n_groups, 3, k_lanes) tangents of the vectors
  const Real* curvatures; ///< (n_groups, 4, k_lanes) second derivatives of the weights, or null
  Real* tangents;
};

/// An edge with its tangents; null for features that are constants.
template <typename Real>
struct MovingEdge {
  EdgeView<Real> at;
  const Real* weights;
  const Real* factors;
  const Real* features;
  const Real* outputs;  ///< the reverse only
  Real* d_table;        ///< derivatives by four rows of the table, added to; the reverse only, or null
  const Real* gradients; ///< tangents of EdgeView::gradients; second derivatives only
};

/// Tangent of ConvolveArguments::sum.
template <typename Real>
struct ConvolveTangentArguments {
  std::int64_t n_edges, channels, table_stride;
  const MovingEdge<Real>* edges;
  std::int32_t n_paths;
  const FusedPath* paths;
  Real* sum;
};

/// Tangents of the derivatives of Σ_edges outputs·sum by the features and by the rows of the radial table.
template <typename Real>
struct ReverseTangentArguments {
  std::int64_t n_edges, channels, table_stride;
  const MovingEdge<Real>* edges;
  std::int32_t n_paths, n_rows;
  const FusedPath* paths;
  Real* d_features;  ///< added to
};

/// Tangents of a contraction (ContractArguments), of its gradient, and of its derivatives by the coefficients, which are
/// added to.
template <typename Real>
struct ContractTangentArguments {
  std::int64_t n_outputs, n_inputs, channels, n_coefficients;
  const ContractionNode* nodes;
  const std::int32_t* leaves;
  const Real* coefficients;
  const Real* x;
  const Real* x_tangent;
  const Real* weights;  ///< contract_reverse_tangent only, and what follows
  const Real* weights_tangent;
  Real* result;         ///< of f (n_outputs, channels), or of the gradient (n_inputs, channels)
  Real* d_coefficients;
};

/// Tangents of the gradients of harmonics (HarmonicsArguments), along those of directions and distances.
template <typename Real>
struct HarmonicsTangentArguments {
  std::int64_t n_groups;
  std::int32_t l_max, n_rows;
  const Real* prefactors;
  const Real* edges;
  const Real* tangents;
  Real* gradients;
};

/// Tangents of the derivatives by the vectors of edges (ConvolveReverseArguments).
template <typename Real>
struct VectorTangentArguments {
  std::int64_t n_edges, channels, table_stride;
  const MovingEdge<Real>* edges;
  std::int32_t n_paths, n_harmonics, n_rows, n_links;
  const FusedPath* paths;
  const Coupling<Real>* couplings;  ///< sorted by harmonic,
  const std::int32_t* by_harmonic;  ///< and where those of each begin (n_harmonics + 1)
  Real* d_vectors;                  ///< (n_edges, 3), added to
  Real* scratch;                    ///< 2·n_links·k_lanes
};

/// matrix += Σ_r x_r ⊗ y_r, packed as in MultiplyArguments.
template <typename Real>
struct AccumulateArguments {
  std::int64_t n_rows, n_in, n_out;
  const Real* const* x;
  const Real* const* y;
  Real* matrix;
};

template <typename Real>
struct FusedTable {
  void (*harmonics)(const HarmonicsArguments<Real>&);
  void (*factors)(const FactorArguments<Real>&);
  void (*convolve)(const ConvolveArguments<Real>&);
  void (*convolve_reverse)(const ConvolveReverseArguments<Real>&);
  void (*multiply)(const MultiplyArguments<Real>&);
  /// f only.
  void (*contract)(const ContractArguments<Real>&);
  /// f where asked, and gradient = Σ weights·df/dx.
  void (*contract_gradient)(const ContractArguments<Real>&);
  void (*edge_tangents)(const EdgeTangentArguments<Real>&);
  void (*convolve_tangent)(const ConvolveTangentArguments<Real>&);
  void (*reverse_tangent)(const ReverseTangentArguments<Real>&);
  void (*contract_tangent)(const ContractTangentArguments<Real>&);
  void (*contract_reverse_tangent)(const ContractTangentArguments<Real>&);
  void (*accumulate)(const AccumulateArguments<Real>&);
  void (*harmonics_tangent)(const HarmonicsTangentArguments<Real>&);
  void (*vector_tangent)(const VectorTangentArguments<Real>&);
};

/// The kernels of instruction_set(); Real is float or double.
template <typename Real>
const FusedTable<Real>& fused_table();

}  // namespace tamiz::kernels
