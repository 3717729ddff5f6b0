#pragma once

#include <map>
#include <span>
#include <string>
#include <vector>

#include "tamiz/potentials/engine/mace/packed_matrix.hpp"
#include "tamiz/potentials/engine/model_parameters.hpp"

namespace tamiz::mace {

/// The weights of a model by name, with the factors that the model applies.
class ParameterReader {
 public:
  /// Throws FormatError for tensors that do not fit the description.
  explicit ParameterReader(const ModelFile& model);

  /// All stored values, in the order of model_parameters().
  const std::vector<double>& values() const { return values_; }
  void set(std::span<const double> values) { values_.assign(values.begin(), values.end()); }

  bool has(const std::string& name) const { return places_.contains(name); }
  /// A tensor (rows, columns), or entry k along the first axis of one with three.
  RowMatrix matrix(const std::string& name, std::size_t k = 0) const;
  /// Adds the derivatives by what `matrix` gives to those by the stored values.
  void add_gradient(const std::string& name, std::size_t k, const RowMatrix& by_matrix, std::span<double> gradient) const;

 private:
  struct Place {
    std::size_t offset;
    ParameterSpec spec;
  };
  std::vector<double> values_;
  std::map<std::string, Place> places_;
};

}  // namespace tamiz::mace
