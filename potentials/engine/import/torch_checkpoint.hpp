#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tamiz/potentials/engine/import/pickle.hpp"
#include "tamiz/potentials/engine/import/record.hpp"
#include "tamiz/potentials/engine/import/zip_reader.hpp"

namespace tamiz::importer {

/// A tensor of a checkpoint, row-major, as doubles.
struct StoredTensor {
  std::vector<std::int64_t> shape;
  std::string dtype;  ///< "float64", "float32", "int64", "int32" or "bool"
  std::vector<double> values;
};

/// A file that `torch.save` wrote (PyTorch 1.6 or later): a zip archive with a pickle and a file per storage. Nothing
/// of it is executed. The bytes are borrowed and must outlive it.
class TorchCheckpoint {
 public:
  /// Throws FormatError for what is not such a file, or damaged; for TorchScript it says so.
  explicit TorchCheckpoint(std::string_view bytes);

  Record root() const { return {pickle_, pickle_.root(), ""}; }
  /// Whether the record stands for a tensor or parameter.
  static bool is_tensor(const Record& record);
  /// Throws FormatError when the record is no tensor, of a dtype that is not listed above, or reaches out of its
  /// storage.
  StoredTensor tensor(const Record& record) const;

 private:
  ZipReader zip_;
  std::string folder_;
  Pickle pickle_;
};

}  // namespace tamiz::importer
