#include "tamiz/potentials/engine/import/mace_weights.hpp"

#include <map>
#include <string>

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/import/contraction_basis.hpp"
#include "tamiz/potentials/engine/import/e3nn_modules.hpp"
#include "tamiz/potentials/engine/model_parameters.hpp"

namespace tamiz::importer {
namespace {

/// Collects tensors as they are applied, under the names of model_parameters(), and divides by the factors with which
/// the model will apply them.
class Reader {
 public:
  Reader(const TorchCheckpoint& file, const Record& model, const ModelDescription& description, const Heads& heads)
      : file_(file), model_(model), d_(description), heads_(heads) {
    for (ParameterSpec& spec : model_parameters(d_)) specs_.emplace(spec.name, std::move(spec));
  }

  std::vector<double> read() {
    const Record embedding = model_.at("node_embedding").at("linear");
    put("node_embedding", embedding, 0, linear(file_, embedding));
    const auto interactions = model_.at("interactions").children(), products = model_.at("products").children(),
               readouts = model_.at("readouts").children();
    const auto shapes = interaction_shapes(d_);
    for (std::size_t t = 0; t < shapes.size(); ++t) {
      read_interaction("interactions." + std::to_string(t) + ".", interactions[t], shapes[t]);
      read_product("products." + std::to_string(t) + ".", products[t], shapes[t]);
      read_readout(t, readouts);
    }
    std::vector<double> flat;
    for (const ParameterSpec& spec : model_parameters(d_)) {
      const std::vector<double>& values = values_.at(spec.name);
      flat.insert(flat.end(), values.begin(), values.end());
    }
    return flat;
  }

 private:
  /// Appends a matrix to a tensor that may consist of several.
  void append(const std::string& name, const Record& source, const Matrix& matrix) {
    const auto spec = specs_.find(name);
    if (spec == specs_.end()) source.fail("has a part that MACE does not have there (" + name + ")");
    const auto& shape = spec->second.shape;
    const std::int64_t rows = shape[shape.size() - 2], columns = shape.back();
    if (matrix.rows() != rows || matrix.cols() != columns)
      source.fail("has a matrix of " + std::to_string(matrix.rows()) + " by " + std::to_string(matrix.cols()) +
                  ", expected " + std::to_string(rows) + " by " + std::to_string(columns));
    std::vector<double>& values = values_[name];
    for (Eigen::Index k = 0; k < matrix.size(); ++k) values.push_back(matrix.data()[k] / spec->second.factor);
  }

  /// The matrix of one l, which must be there.
  static const Matrix& of_l(const Record& source, const MatrixPerL& matrices, int l) {
    const auto found = matrices.find(l);
    if (found == matrices.end()) source.fail("has no weights for l = " + std::to_string(l));
    return found->second;
  }
  void put(const std::string& name, const Record& source, int l, const MatrixPerL& matrices) {
    append(name, source, of_l(source, matrices, l));
  }
  void put_every_l(const std::string& prefix, const Record& source, int largest, const MatrixPerL& matrices) {
    if (matrices.size() != static_cast<std::size_t>(largest) + 1)
      source.fail("has other l than 0.." + std::to_string(largest));
    for (int l = 0; l <= largest; ++l) put(prefix + std::to_string(l), source, l, matrices);
  }

  void read_interaction(const std::string& prefix, const Record& block, const InteractionShape& shape) {
    const Record up = block.at("linear_up"), behind = block.at("linear"), radial = block.at("conv_tp_weights");
    put_every_l(prefix + "linear_up.", up, shape.input_l, linear(file_, up));
    require_coupling_paths(block.at("conv_tp"), d_.channels, shape.input_l, d_.l_max);
    const Network layers = network(file_, radial);
    for (std::size_t k = 0; k < layers.layers.size(); ++k)
      append(prefix + "radial." + std::to_string(k), radial, layers.layers[k]);
    if (shape.density) {
      const Record density = block.at("density_fn");
      const Network single = network(file_, density);
      if (single.layers.size() != 1) density.fail("has several layers");
      append(prefix + "density", density, single.layers[0]);
    }
    put_every_l(prefix + "linear.", behind, d_.l_max, linear(file_, behind));
    const Record skip = block.at("skip_tp");
    const int skip_l = shape.residual ? std::min(shape.input_l, shape.output_l) : d_.l_max;
    for (const MatrixPerL& of_element : element_linear(file_, skip, static_cast<std::int64_t>(d_.elements.size())))
      put_every_l(prefix + "skip.", skip, skip_l, of_element);
  }

  void read_product(const std::string& prefix, const Record& block, const InteractionShape& shape) {
    require_type(block, "mace.modules.blocks.EquivariantProductBasisBlock");
    if (shape.residual && !block.at("use_sc").boolean()) block.at("use_sc").fail("does not fit the interaction");
    const auto contractions = block.at("symmetric_contractions").at("contractions").children();
    for (int l = 0; l <= shape.output_l; ++l)
      for (int order = 1; order <= d_.correlation; ++order)
        read_contraction(prefix + "contraction." + std::to_string(l) + "." + std::to_string(order),
                         contractions.at(static_cast<std::size_t>(l)), l, order);
    put_every_l(prefix + "linear.", block.at("linear"), shape.output_l, linear(file_, block.at("linear")));
  }

  /// Weights of the highest order stand apart, the others behind each other from the next one down.
  Record contraction_weight(const Record& contraction, int order) const {
    if (order == d_.correlation) return contraction.at("weights_max");
    return contraction.at("weights").at(std::to_string(d_.correlation - 1 - order));
  }

  void read_contraction(const std::string& name, const Record& contraction, int l, int order) {
    const Eigen::MatrixXd basis =
        in_symmetric_basis(file_.tensor(contraction.at("U_matrix_" + std::to_string(order))), order, d_.l_max, l);
    const Record record = contraction_weight(contraction, order);
    const StoredTensor weight = file_.tensor(record);
    const auto n_elements = static_cast<std::int64_t>(d_.elements.size());
    // A product that is the same for all elements stores them once.
    const std::int64_t stored = weight.shape.empty() ? 0 : weight.shape[0];
    if (weight.shape != std::vector<std::int64_t>{stored, basis.cols(), d_.channels} ||
        (stored != n_elements && stored != 1))
      record.fail("has another shape than elements, maps and channels ask for");
    for (std::int64_t e = 0; e < n_elements; ++e) {
      const double* values = weight.values.data() + (stored == 1 ? 0 : e) * basis.cols() * d_.channels;
      append(name, record, basis * Eigen::Map<const Matrix>(values, basis.cols(), d_.channels));
    }
  }

  /// Column of the chosen head.
  Matrix column(const Record& source, const MatrixPerL& matrices) const {
    const Matrix& matrix = of_l(source, matrices, 0);
    if (matrix.cols() != static_cast<Eigen::Index>(heads_.size()))
      source.fail("has " + std::to_string(matrix.cols()) + " outputs for " + std::to_string(heads_.size()) + " heads");
    return matrix.col(static_cast<Eigen::Index>(heads_.chosen));
  }

  void read_readout(std::size_t t, const std::vector<Record>& readouts) {
    const std::string prefix = "readouts." + std::to_string(t) + ".";
    const auto n = static_cast<std::size_t>(d_.n_interactions);
    const bool last = t + 1 == n;
    if (readouts.size() < n && !last) {
      append(prefix + "linear", readouts.back(),
             Matrix::Zero(d_.channels, 1));  // this one reads the last features only
      return;
    }
    const Record& readout = last ? readouts.back() : readouts[t];
    if (n == 1 || !last) {
      require_type(readout, "mace.modules.blocks.LinearReadoutBlock");
      append(prefix + "linear", readout, column(readout, linear(file_, readout.at("linear"))));
      return;
    }
    // Every head has its share of the hidden layer; the others are masked.
    const Matrix hidden = of_l(readout, linear(file_, readout.at("linear_1")), 0);
    const Matrix out = column(readout, linear(file_, readout.at("linear_2")));
    const auto begin = static_cast<Eigen::Index>(heads_.chosen) * d_.readout_hidden;
    if (hidden.cols() != static_cast<Eigen::Index>(heads_.size()) * d_.readout_hidden || out.rows() != hidden.cols())
      readout.fail("has another hidden layer than its heads ask for");
    append(prefix + "hidden", readout, hidden.middleCols(begin, d_.readout_hidden));
    append(prefix + "out", readout, out.middleRows(begin, d_.readout_hidden));
  }

  const TorchCheckpoint& file_;
  Record model_;
  const ModelDescription& d_;
  const Heads& heads_;
  std::map<std::string, ParameterSpec> specs_;
  std::map<std::string, std::vector<double>> values_;
};

}  // namespace

std::vector<double> read_weights(const TorchCheckpoint& file, const Record& model, const ModelDescription& description,
                                 const Heads& heads) {
  return Reader(file, model, description, heads).read();
}

}  // namespace tamiz::importer
