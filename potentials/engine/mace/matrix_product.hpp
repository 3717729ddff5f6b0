#pragma once

#include "tamiz/potentials/engine/mace/packed_matrix.hpp"

namespace tamiz::mace {

/// a·b, worked out in Number (float or double) with the kernels of the machine's instruction set: Eigen is compiled for the
/// least of them, with which products of weights were a third of a training step of 128 channels. Every entry is one sum
/// in the order of the columns of `a`.
template <typename Number>
RowMatrix product(const RowMatrix& a, const RowMatrix& b);

}  // namespace tamiz::mace
