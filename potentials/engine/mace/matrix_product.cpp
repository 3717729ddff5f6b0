#include "tamiz/potentials/engine/mace/matrix_product.hpp"

#include <vector>

#include "tamiz/potentials/engine/kernels/fused.hpp"

namespace tamiz::mace {

template <typename Number>
RowMatrix product(const RowMatrix& a, const RowMatrix& b) {
  const Eigen::Index n_out = whole_blocks(b.cols());
  const PackedMatrix<Number> packed = pack<Number>(b, {b.rows(), whole_blocks(b.rows()), b.cols(), n_out});
  using Matrix = Eigen::Matrix<Number, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;
  Matrix rows = Matrix::Zero(a.rows(), packed.n_in);
  rows.leftCols(a.cols()) = a.template cast<Number>();
  AlignedBuffer<Number> results;
  results.reserve(static_cast<std::size_t>(a.rows() * n_out));
  std::vector<const Number*> x;
  std::vector<Number*> y;
  for (Eigen::Index r = 0; r < a.rows(); ++r) {
    x.push_back(rows.data() + r * packed.n_in);
    y.push_back(results.data() + r * n_out);
  }
  kernels::fused_table<Number>().multiply(
      {a.rows(), packed.n_in, packed.n_out, x.data(), y.data(), packed.values.data(), false, nullptr});
  return Eigen::Map<const Matrix, 0, Eigen::OuterStride<>>(results.data(), a.rows(), b.cols(), Eigen::OuterStride<>(n_out))
      .template cast<double>();
}

template RowMatrix product<float>(const RowMatrix&, const RowMatrix&);
template RowMatrix product<double>(const RowMatrix&, const RowMatrix&);

}  // namespace tamiz::mace
