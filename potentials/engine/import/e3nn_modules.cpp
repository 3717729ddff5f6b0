#include "tamiz/potentials/engine/import/e3nn_modules.hpp"

#include <cmath>

#include "tamiz/potentials/engine/equivariance/coupling_paths.hpp"
#include "tamiz/potentials/engine/import/irreps.hpp"

namespace tamiz::importer {
namespace {

constexpr double k_same_norm = 1e-9;  ///< of path weights, which are Python floats

const MulIrrep& pick(const std::vector<MulIrrep>& irreps, const Record& index) {
  const std::int64_t k = index.integer();
  if (k < 0 || k >= static_cast<std::int64_t>(irreps.size()))
    index.fail("is " + std::to_string(k) + ", which is out of range");
  return irreps[static_cast<std::size_t>(k)];
}

std::vector<Record> instruction(const Record& record, std::size_t n_parts) {
  auto parts = record.arguments();
  if (parts.size() != n_parts) record.fail("is not an instruction of " + std::to_string(n_parts) + " parts");
  return parts;
}

/// Where the multiplicities of an irrep begin among all of its l.
std::int64_t place(const std::vector<MulIrrep>& irreps, std::int64_t index) {
  std::int64_t begin = 0;
  for (std::int64_t k = 0; k < index; ++k)
    if (irreps[static_cast<std::size_t>(k)].l == irreps[static_cast<std::size_t>(index)].l)
      begin += irreps[static_cast<std::size_t>(k)].mul;
  return begin;
}

std::int64_t total(const std::vector<MulIrrep>& irreps, int l) {
  std::int64_t sum = 0;
  for (const MulIrrep& irrep : irreps)
    if (irrep.l == l) sum += irrep.mul;
  return sum;
}

StoredTensor finite_tensor(const TorchCheckpoint& file, const Record& record) {
  StoredTensor tensor = file.tensor(record);
  for (const double value : tensor.values)
    if (!std::isfinite(value)) record.fail("holds a value that is not finite");
  return tensor;
}

/// Hands out the values of a flat weight in their order.
class Weights {
 public:
  Weights(const TorchCheckpoint& file, const Record& record) : record_(record), tensor_(finite_tensor(file, record)) {}
  const double* take(std::int64_t size) {
    if (size > static_cast<std::int64_t>(tensor_.values.size()) - used_)
      record_.fail("has fewer values than its instructions ask for");
    used_ += size;
    return tensor_.values.data() + used_ - size;
  }
  /// A matrix that is larger than all values together cannot be what they fill.
  Matrix& matrix(MatrixPerL& matrices, const std::vector<MulIrrep>& in, const std::vector<MulIrrep>& out, int l) const {
    Matrix& matrix = matrices[l];
    if (matrix.size() != 0) return matrix;
    const std::int64_t rows = total(in, l), columns = total(out, l),
                       most = static_cast<std::int64_t>(tensor_.values.size());
    if (rows > most || columns > most || rows * columns > most)
      record_.fail("has fewer values than its irreps ask for");
    matrix = Matrix::Zero(rows, columns);
    return matrix;
  }
  void require_used_up() const {
    if (used_ != static_cast<std::int64_t>(tensor_.values.size()))
      record_.fail("has more values than its instructions ask for");
  }

 private:
  Record record_;
  StoredTensor tensor_;
  std::int64_t used_ = 0;
};

}  // namespace

void require_type(const Record& record, const std::string& type) {
  if (record.type() != type)
    record.fail("is of class '" + record.type() + "', which is not supported here: expected '" + type + "'");
}

StoredTensor sized_tensor(const TorchCheckpoint& file, const Record& record, std::size_t size) {
  StoredTensor tensor = finite_tensor(file, record);
  if (tensor.values.size() != size)
    record.fail("has " + std::to_string(tensor.values.size()) + " values, expected " + std::to_string(size));
  return tensor;
}

double scalar(const TorchCheckpoint& file, const Record& record) {
  return TorchCheckpoint::is_tensor(record) ? sized_tensor(file, record, 1).values[0] : record.real();
}

MatrixPerL linear(const TorchCheckpoint& file, const Record& module) {
  require_type(module, "e3nn.o3._linear.Linear");
  if (module.find("bias_numel") && module.at("bias_numel").integer() != 0)
    module.fail("has a bias, which is not supported");
  const auto in = irreps_of(module.at("irreps_in")), out = irreps_of(module.at("irreps_out"));
  Weights weights(file, module.at("weight"));
  MatrixPerL matrices;
  for (const Record& each : module.at("instructions").items()) {
    const auto parts = instruction(each, 4);  // i_in, i_out, shape, weight
    const MulIrrep& from = pick(in, parts[0]);
    const MulIrrep& to = pick(out, parts[1]);
    if (from.l != to.l) each.fail("joins different l");
    const Eigen::Map<const Matrix> block(weights.take(from.mul * to.mul), from.mul, to.mul);
    weights.matrix(matrices, in, out, from.l)
        .block(place(in, parts[0].integer()), place(out, parts[1].integer()), from.mul, to.mul) +=
        parts[3].real() * block;
  }
  weights.require_used_up();
  return matrices;
}

std::vector<MatrixPerL> element_linear(const TorchCheckpoint& file, const Record& module, std::int64_t n_elements) {
  require_type(module, "e3nn.o3._tensor_product._sub.FullyConnectedTensorProduct");
  const auto in = irreps_of(module.at("irreps_in1")), out = irreps_of(module.at("irreps_out"));
  if (largest_l(module.at("irreps_in2"), n_elements) != 0)
    module.at("irreps_in2").fail("is not one scalar per element");
  Weights weights(file, module.at("weight"));
  std::vector<MatrixPerL> matrices(static_cast<std::size_t>(n_elements));
  for (const Record& each : module.at("instructions").items()) {
    const auto parts = instruction(each, 7);  // i_in1, i_in2, i_out, mode, has_weight, weight, shape
    const MulIrrep& from = pick(in, parts[0]);
    const MulIrrep& to = pick(out, parts[2]);
    if (from.l != to.l || parts[1].integer() != 0 || parts[3].text() != "uvw")
      each.fail("is not a linear map per element");
    // The 3j symbol of (l, 0, l) is the unit matrix over √(2l + 1).
    const double factor = parts[5].real() / std::sqrt(2.0 * from.l + 1.0);
    const double* values = weights.take(from.mul * n_elements * to.mul);  // (from, element, to)
    for (std::int64_t e = 0; e < n_elements; ++e) {
      Matrix& matrix = weights.matrix(matrices[static_cast<std::size_t>(e)], in, out, from.l);
      for (std::int64_t u = 0; u < from.mul; ++u)
        matrix.row(place(in, parts[0].integer()) + u).segment(place(out, parts[2].integer()), to.mul) +=
            factor * Eigen::Map<const Eigen::RowVectorXd>(values + (u * n_elements + e) * to.mul, to.mul);
    }
  }
  weights.require_used_up();
  return matrices;
}

double silu_norm(const Record& activation) {
  require_type(activation, "e3nn.math._normalize_activation.normalize2mom");
  if (const std::string name = activation.at("f").type_name(); name != "silu" && name != "SiLU")
    activation.at("f").fail("is the activation '" + name + "', expected silu");
  return activation.at("cst").real();
}

Network network(const TorchCheckpoint& file, const Record& module) {
  require_type(module, "e3nn.nn._fc.FullyConnectedNet");
  Network result{{}, 0.0};
  const auto layers = module.children();
  for (std::size_t k = 0; k < layers.size(); ++k) {
    const Record& layer = layers[k];
    require_type(layer, "e3nn.nn._fc._Layer");
    const StoredTensor weight = finite_tensor(file, layer.at("weight"));
    if (weight.shape.size() != 2 || weight.values.empty()) layer.at("weight").fail("is not a matrix");
    if (layer.at("var_in").real() != 1.0 || layer.at("var_out").real() != 1.0)
      layer.fail("has a variance other than 1, which is not supported");
    if (k > 0 && result.layers.back().cols() != weight.shape[0]) layer.fail("does not fit the layer before it");
    result.layers.emplace_back(Eigen::Map<const Matrix>(weight.values.data(), weight.shape[0], weight.shape[1]) /
                               std::sqrt(static_cast<double>(weight.shape[0])));
    const auto activation = layer.find("act");
    if (activation.has_value() != (k + 1 < layers.size()))
      layer.fail("should have an activation behind every layer but the last");
    if (!activation) continue;
    const double norm = silu_norm(*activation);
    if (result.activation_norm != 0.0 && norm != result.activation_norm)
      layer.fail("has another activation than the layer before it");
    result.activation_norm = norm;
  }
  if (result.layers.empty()) module.fail("has no layers");
  return result;
}

void require_coupling_paths(const Record& module, std::int64_t channels, int input_l, int l_max) {
  require_type(module, "e3nn.o3._tensor_product._tensor_product.TensorProduct");
  const auto in1 = irreps_of(module.at("irreps_in1")), in2 = irreps_of(module.at("irreps_in2")),
             out = irreps_of(module.at("irreps_out"));
  const auto paths = coupling_paths(input_l, l_max, l_max);
  const auto instructions = module.at("instructions").items();
  if (instructions.size() != paths.size())
    module.fail("has " + std::to_string(instructions.size()) + " paths, expected " + std::to_string(paths.size()));
  for (std::size_t k = 0; k < paths.size(); ++k) {
    const auto parts = instruction(instructions[k], 7);  // i_in1, i_in2, i_out, mode, has_weight, weight, shape
    const MulIrrep &a = pick(in1, parts[0]), &b = pick(in2, parts[1]), &c = pick(out, parts[2]);
    const CouplingPath& path = paths[k];
    if (a.l != path.l1 || b.l != path.l2 || c.l != path.l3 || a.mul != channels || b.mul != 1 || c.mul != channels ||
        parts[3].text() != "uvu" || !parts[4].boolean() ||
        std::abs(parts[5].real() - std::sqrt(2.0 * c.l + 1.0)) > k_same_norm)
      instructions[k].fail("is another path than MACE has there");
  }
}

}  // namespace tamiz::importer
