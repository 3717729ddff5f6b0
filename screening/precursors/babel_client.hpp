#pragma once

#include <filesystem>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <vector>

#include "tamiz/core/structure/frame.hpp"

namespace tamiz {

/// The program `tamiz-babel`: `TAMIZ_BABEL`, or the one beside this program or library. Throws CapabilityError when
/// it is not there, saying how to build it.
std::filesystem::path babel_program();

/// Molecular formats through the program `tamiz-babel` (Open Babel), spoken to over a pipe. The program is
/// `TAMIZ_BABEL`, or the one beside this program or library.
class BabelClient {
 public:
  /// Starts the program. Throws CapabilityError when it is not there, saying how to build it.
  BabelClient();
  ~BabelClient();

  /// Every molecule of `text` (for example "CCO" as "smi"). Not periodic unless the format gives a cell.
  /// `info` has `title` and `charge`. Throws FormatError (what Open Babel could not read), OracleError (it ended).
  std::vector<Frame> read(const std::string& text, const std::string& format);
  /// The molecules in a format. Throws FormatError, OracleError.
  std::string write(std::span<const Frame> molecules, const std::string& format);

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tamiz
