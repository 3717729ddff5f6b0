#include "tamiz/potentials/engine/torch_backend.hpp"

#include <dlfcn.h>

#include <filesystem>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"

namespace tamiz {
namespace {

const TorchBackend* open_backend() {
  const std::filesystem::path path = own_directory() / "libtamiz_torch.so";
  if (!std::filesystem::exists(path))
    throw CapabilityError("this model needs the LibTorch engine, which is not built here (" + path.string() +
                          " is missing): configure with -DTAMIZ_WITH_TORCH=ON and build again");
  void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
  if (library == nullptr)
    throw CapabilityError("the LibTorch engine cannot be loaded: " + std::string(dlerror()) +
                          "; install the torch that Tamiz was built with (cmake/requirements.txt)");
  using Factory = const TorchBackend* (*)();
  const auto factory = reinterpret_cast<Factory>(dlsym(library, k_torch_backend_symbol));
  if (factory == nullptr)
    throw CapabilityError(path.string() + " is of another version of Tamiz: build or install both again");
  return factory();
}

}  // namespace

const TorchBackend& torch_backend() {
  static const TorchBackend* backend = open_backend();
  return *backend;
}

}  // namespace tamiz
