#include "tamiz/potentials/engine/load.hpp"

#include "tamiz/core/base/error.hpp"
#include "tamiz/potentials/engine/classical/classical.hpp"
#include "tamiz/potentials/engine/mace/fused_potential.hpp"
#include "tamiz/potentials/engine/mace/fused_trainable.hpp"
#include "tamiz/potentials/engine/model_file.hpp"
#include "tamiz/potentials/engine/torch_backend.hpp"

namespace tamiz {

namespace {

void require_known(const LoadOptions& options) {
  if (options.dtype != "float32" && options.dtype != "float64" && options.dtype != "bfloat16")
    throw CapabilityError("dtype '" + options.dtype + "' is not supported, expected float32, float64 or bfloat16");
  if (options.engine != "" && options.engine != "fused" && options.engine != "torch")
    throw CapabilityError("engine '" + options.engine + "' is not known, expected fused or torch");
}

bool is_fused(const LoadOptions& options) {
  return options.engine.empty() ? options.device == "cpu" : options.engine == "fused";
}

}  // namespace

std::unique_ptr<Potential> load_potential(const std::filesystem::path& file, const LoadOptions& options) {
  require_known(options);
  if (file.extension() != ".toml") return make_potential(ModelFile::read(file), options);
  if (options.device != "cpu" || !options.engine.empty())
    throw CapabilityError(file.string() + " is a classical potential: it runs on the device cpu and has no choice of engine");
  return make_classical_potential(file);
}

std::unique_ptr<Potential> make_potential(const ModelFile& model, const LoadOptions& options) {
  require_known(options);
  return is_fused(options) ? make_fused_potential(model, options) : torch_backend().make_potential(model, options);
}

std::unique_ptr<Trainable> make_trainable(const ModelFile& model, const LoadOptions& options) {
  require_known(options);
  if (options.device != "cpu")
    throw CapabilityError("training runs on the device cpu, not on '" + options.device + "'");
  return is_fused(options) ? make_fused_trainable(model, options.dtype, options.threads)
                           : torch_backend().make_trainable(model, options.dtype, options.threads);
}

}  // namespace tamiz
