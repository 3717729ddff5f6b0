#pragma once

#include <cstdint>

/// Inner loops of the model over raw arrays, vectorised over channels; one build per instruction set, chosen
/// at run time. No container and no Eigen type passes through here, so that files built with different
/// instruction sets can never share an inline function.
///
/// Layouts: channels run fastest. Node features x are (components, n_atoms, channels).
namespace tamiz::kernels {

/// A contribution of one feature component m1 to one output row, times Σ value·Y[m2].
struct Link {
  std::int32_t entry_begin, entry_end;  ///< into ConvolutionTables::entries
  std::int32_t row_block, slots, slot;  ///< output row is row_block·n_atoms + atom·slots + slot
};
struct LinkEntry {
  std::int32_t m2;
  double value;
};
/// Links that share a path and a feature component.
struct LinkGroup {
  std::int32_t path, m1, link_begin, link_end;
};
struct ConvolutionTables {
  std::int32_t n_paths, n_harmonics, n_links, n_groups;
  const Link* links;
  const LinkEntry* entries;
  const LinkGroup* groups;
};

/// The form Q = Σ_edges Σ_links (Σ value·Y[m2]) · R[path]·h[m1, neighbour]·G[row, centre]. It is linear in
/// each of Y (n_edges, n_harmonics), R (n_edges, n_paths, channels), h (components, n_atoms, channels) and
/// G (rows, channels): every derivative is one of the four kernels below.
template <typename Real>
struct ConvolutionArguments {
  ConvolutionTables tables;
  std::int64_t n_atoms, channels;
  const std::int64_t* first;      ///< (n_atoms + 1) edges of a centre
  const std::int32_t* neighbors;  ///< (n_edges)
  const Real *harmonics, *radial, *features, *output;
  Real* scratch;                  ///< n_links + channels values
  std::int64_t* offsets;          ///< n_links values
  Real* result;                   ///< zeroed by the caller
};

/// R[e, q] = Σ_k b[e, k]·T[first[e] + k, q], k = 0..3; linear in b and T.
template <typename Real>
struct SplineArguments {
  std::int64_t n_edges, width;
  const std::int32_t* first;
  const Real *weights, *table, *output;
  Real* result;
};

/// y[m, n] = x[m, n]·W[l(m), element(n)]; x (rows, n_atoms, n_in), W (n_l, n_elements, n_in, n_out).
template <typename Real>
struct ElementLinearArguments {
  std::int64_t n_l, n_elements, n_atoms, n_in, n_out;
  const std::int32_t* l_begin;   ///< (n_l + 1) rows of each block
  const std::int32_t* elements;  ///< (n_atoms)
  const Real *x, *weights, *y;
  Real* result;
};

/// A monomial of `order` factors; index n_inputs stands for the constant 1.
struct Term {
  std::int32_t component;
  std::int32_t indices[4];
};
/// f[component, n] += Σ_terms a[term, element(n)]·Π x[index, n]; x (n_inputs, n_atoms, channels),
/// a (n_terms, n_elements, channels). `gradient` has the shape of f, `direction` that of x.
template <typename Real>
struct PolynomialArguments {
  std::int64_t n_terms, order, n_inputs, n_outputs, n_elements, n_atoms, channels;
  const Term* terms;
  const std::int32_t* elements;
  const Real *x, *a, *gradient, *direction;
  Real* scratch;                     ///< (4·(n_inputs + 1) + 2·(n_outputs + 1))·16 values
  Real *result_f, *result_x, *result_a;  ///< zeroed by the caller; x and a may be null
};

/// Maps derivatives by radial weights and harmonics to forces and virials, and back.
template <typename Real>
struct GeometryArguments {
  std::int64_t n_atoms, n_radial, n_harmonics;
  const std::int64_t* first;
  const std::int32_t *neighbors, *frames;  ///< (n_edges), (n_atoms)
  const Real *vectors, *slopes, *gradients;  ///< (E, 3), (E, n_radial), (E, 3, n_harmonics)
};

template <typename Real>
struct Table {
  void (*convolution_output)(const ConvolutionArguments<Real>&);
  void (*convolution_harmonics)(const ConvolutionArguments<Real>&);
  void (*convolution_radial)(const ConvolutionArguments<Real>&);
  void (*convolution_features)(const ConvolutionArguments<Real>&);
  void (*spline_output)(const SplineArguments<Real>&);
  void (*spline_weights)(const SplineArguments<Real>&);
  void (*spline_table)(const SplineArguments<Real>&);
  void (*element_linear)(const ElementLinearArguments<Real>&);
  void (*element_linear_weights)(const ElementLinearArguments<Real>&);
  /// f of PolynomialArguments.
  void (*polynomial)(const PolynomialArguments<Real>&);
  /// Derivatives of Σ gradient·f by x and a.
  void (*polynomial_gradient)(const PolynomialArguments<Real>&);
  /// Derivatives of Σ direction·(∂/∂x Σ gradient·f) by gradient (result_f), x and a.
  void (*polynomial_second)(const PolynomialArguments<Real>&);
  /// dE/dr_ij of every edge from dE/dweights and dE/dY: `forces` (n_atoms, 3) and `virials` (n_frames, 3, 3).
  void (*geometry_forces)(const GeometryArguments<Real>&, const Real* by_radial, const Real* by_harmonics,
                          Real* forces, Real* virials);
  /// The transposed map.
  void (*geometry_transposed)(const GeometryArguments<Real>&, const Real* forces, const Real* virials,
                              Real* by_radial, Real* by_harmonics);
};

/// "avx512", "avx2" or "generic": the best that this processor runs, or what TAMIZ_ISA names. Throws
/// CapabilityError when TAMIZ_ISA names a set that is unknown or that the processor lacks.
const char* instruction_set();
/// The kernels of that instruction set; Real is float or double.
template <typename Real>
const Table<Real>& table();

}  // namespace tamiz::kernels
