#pragma once

#include <memory>
#include <string>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/potentials/engine/load.hpp"
#include "tamiz/potentials/engine/trainable.hpp"

namespace tamiz {

/// What libtamiz_torch offers. The library is opened when it is first asked for, so that nothing else pays
/// for loading LibTorch.
class TorchBackend {
 public:
  virtual ~TorchBackend() = default;
  /// Version of the LibTorch in this process.
  virtual std::string torch_version() const = 0;
  virtual std::unique_ptr<Potential> make_potential(const ModelFile& model, const LoadOptions& options) const = 0;
  /// `dtype` "float32" or "float64"; `threads` does not change the result.
  virtual std::unique_ptr<Trainable> make_trainable(const ModelFile& model, const std::string& dtype,
                                                    int threads) const = 0;
};

/// Name of the function that the library exports; it returns a `const TorchBackend*` that lives for ever.
inline constexpr const char* k_torch_backend_symbol = "tamiz_torch_backend_1";

/// Opens libtamiz_torch beside this library. Throws CapabilityError with the fix when it is not there or
/// LibTorch cannot be loaded.
const TorchBackend& torch_backend();

}  // namespace tamiz
