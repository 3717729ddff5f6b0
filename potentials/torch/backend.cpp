#include <torch/version.h>

#include "tamiz/potentials/engine/torch_backend.hpp"
#include "tamiz/potentials/torch/torch_potential.hpp"
#include "tamiz/potentials/torch/torch_trainable.hpp"

namespace tamiz::torch_engine {
namespace {

class Backend final : public TorchBackend {
 public:
  std::string torch_version() const override { return TORCH_VERSION; }
  std::unique_ptr<Potential> make_potential(const ModelFile& model, const LoadOptions& options) const override {
    return std::make_unique<TorchPotential>(model, options);
  }
  std::unique_ptr<Trainable> make_trainable(const ModelFile& model, const std::string& dtype,
                                            int threads) const override {
    return std::make_unique<TorchTrainable>(model, dtype, threads);
  }
};

}  // namespace
}  // namespace tamiz::torch_engine

extern "C" const tamiz::TorchBackend* tamiz_torch_backend_1() {
  static const tamiz::torch_engine::Backend backend;
  return &backend;
}
