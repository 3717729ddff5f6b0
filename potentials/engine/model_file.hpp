#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "tamiz/potentials/engine/model_description.hpp"

namespace tamiz {

/// A named tensor of float32 or float64, row-major.
struct Tensor {
  std::string name;
  std::vector<std::int64_t> shape;
  std::string dtype = "float32";
  std::string bytes;
};

/// A model as data: one safetensors file with the description, the card and a checksum of the tensors
/// in its metadata. Nothing is executed on reading.
struct ModelFile {
  ModelDescription description;
  ModelCard card;
  std::vector<Tensor> tensors;  ///< sorted by name

  /// Throws FileError, FormatError (not a model, other version, truncated, checksum differs).
  static ModelFile read(const std::filesystem::path& path);
  /// Atomic. The bytes are a function of the content alone: no date, no path.
  void write(const std::filesystem::path& path) const;
};

}  // namespace tamiz
