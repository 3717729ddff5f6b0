#include "tamiz/potentials/engine/mace/parameter_reader.hpp"

namespace tamiz::mace {

ParameterReader::ParameterReader(const ModelFile& model) : values_(flat_parameters(model)) {
  std::size_t offset = 0;
  for (ParameterSpec& spec : model_parameters(model.description)) {
    const std::size_t size = spec.size();
    const std::string name = spec.name;
    places_.emplace(name, Place{offset, std::move(spec)});
    offset += size;
  }
}

RowMatrix ParameterReader::matrix(const std::string& name, std::size_t k) const {
  const Place& place = places_.at(name);
  const auto& shape = place.spec.shape;
  const Eigen::Index rows = shape[shape.size() - 2], columns = shape.back();
  const double* begin = values_.data() + place.offset + k * static_cast<std::size_t>(rows * columns);
  return Eigen::Map<const RowMatrix>(begin, rows, columns) * place.spec.factor;
}

void ParameterReader::add_gradient(const std::string& name, std::size_t k, const RowMatrix& by_matrix,
                                   std::span<double> gradient) const {
  const Place& place = places_.at(name);
  double* begin = gradient.data() + place.offset + k * static_cast<std::size_t>(by_matrix.size());
  Eigen::Map<RowMatrix>(begin, by_matrix.rows(), by_matrix.cols()) += by_matrix * place.spec.factor;
}

}  // namespace tamiz::mace
