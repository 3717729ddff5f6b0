#pragma once

#include <Eigen/Core>

#include "tamiz/potentials/engine/import/torch_checkpoint.hpp"

namespace tamiz::importer {

/// Writes the maps of a symmetric contraction, which mace-torch stores as tensors u (2L + 1, d, …, d, n) with d =
/// (l_max + 1)² and `order` places (without the first for L = 0), in the basis of this project: column k holds the
/// coefficients of map k. What of a tensor is not symmetric contributes nothing to a product of equal factors, and
/// goes. Throws FormatError when the shape is another, or a map is no sum of those of the basis.
Eigen::MatrixXd in_symmetric_basis(const StoredTensor& u, int order, int l_max, int output_l);

}  // namespace tamiz::importer
