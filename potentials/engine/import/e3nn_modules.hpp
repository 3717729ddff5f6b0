#pragma once

#include <Eigen/Core>
#include <map>
#include <string>
#include <vector>

#include "tamiz/potentials/engine/import/torch_checkpoint.hpp"

namespace tamiz::importer {

using Matrix = Eigen::Matrix<double, Eigen::Dynamic, Eigen::Dynamic, Eigen::RowMajor>;

/// What e3nn's modules apply, with their path weights multiplied in: y = x·matrix for the multiplicities of each l.
using MatrixPerL = std::map<int, Matrix>;

/// Throws FormatError when the record is of another class.
void require_type(const Record& record, const std::string& type);

/// A tensor with this many values. Throws FormatError for another number, or one that is not finite.
StoredTensor sized_tensor(const TorchCheckpoint& file, const Record& record, std::size_t size);
/// A tensor of one value, or a number.
double scalar(const TorchCheckpoint& file, const Record& record);

/// e3nn.o3.Linear without biases. Inputs of one l follow each other in their order.
MatrixPerL linear(const TorchCheckpoint& file, const Record& module);

/// e3nn.o3.FullyConnectedTensorProduct of features with one-hot elements: a matrix per element.
std::vector<MatrixPerL> element_linear(const TorchCheckpoint& file, const Record& module, std::int64_t n_elements);

/// e3nn.nn.FullyConnectedNet with SiLU between its layers.
struct Network {
  std::vector<Matrix> layers;
  double activation_norm;  ///< 0 for a single layer
};
Network network(const TorchCheckpoint& file, const Record& module);

/// The factor of an activation that must be e3nn's normalised SiLU.
double silu_norm(const Record& activation);

/// Throws FormatError unless the paths of a tensor product `uvu` between `channels` features and spherical harmonics
/// are those of coupling_paths(input_l, l_max, l_max), in this order and with this norm.
void require_coupling_paths(const Record& module, std::int64_t channels, int input_l, int l_max);

}  // namespace tamiz::importer
