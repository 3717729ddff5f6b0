#pragma once

#include <filesystem>
#include <map>
#include <string>
#include <string_view>

#include "tamiz/potentials/engine/model_file.hpp"

namespace tamiz {

struct ImportOptions {
  /// Which of several heads the model shall have; empty: the only one, or the one named "default".
  std::string head = {};
  /// Added to the card, in place of what the import writes there itself.
  std::map<std::string, std::string> card = {};
};

/// A model that mace-torch saved with `torch.save` (a `.model` file, published ones among them) as a model of this
/// project, which calculates the same (docs/parity.md). Everything comes from the file; nothing in it is executed.
/// Weights keep their dtype. The radial network is evaluated at every edge (`radial_nodes` 0), and there is no
/// committee.
///
/// Throws FileError; FormatError for a file that is none or is damaged; CapabilityError naming the first thing in it
/// that this project's model does not have, or a head that it lacks.
ModelFile import_mace(const std::filesystem::path& path, const ImportOptions& options = {});

/// The same from the bytes of a file; `name` is for the card.
ModelFile parse_mace(std::string_view bytes, const std::string& name, const ImportOptions& options = {});

}  // namespace tamiz
