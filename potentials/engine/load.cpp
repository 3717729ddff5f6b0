#include "tamiz/potentials/engine/load.hpp"

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/classical/classical.hpp"
#include "tamiz/potentials/engine/mace/fused_potential.hpp"
#include "tamiz/potentials/engine/model_file.hpp"
#include "tamiz/potentials/engine/torch_backend.hpp"

namespace tamiz {

std::unique_ptr<Potential> load_potential(const std::filesystem::path& file, const LoadOptions& options) {
  if (options.dtype != "float32" && options.dtype != "float64")
    throw CapabilityError("dtype '" + options.dtype + "' is not supported, expected float32 or float64");
  if (options.engine != "" && options.engine != "fused" && options.engine != "torch")
    throw CapabilityError("engine '" + options.engine + "' is not known, expected fused or torch");
  if (file.extension() == ".toml") return make_classical_potential(file);
  const bool fused = options.engine.empty() ? options.device == "cpu" : options.engine == "fused";
  if (fused) return make_fused_potential(ModelFile::read(file), options);
  return torch_backend().make_potential(ModelFile::read(file), options);
}

}  // namespace tamiz
