#include "tamiz/potentials/torch/placement.hpp"

#include <ATen/ops/ones.h>
#include <c10/util/Exception.h>
#include <dlfcn.h>
#include <torch/version.h>

#include "tamiz/core/base/error.hpp"

namespace tamiz::torch_engine {
namespace {

/// Throws what is wrong with a device and what helps. LibTorch says why in its first line.
[[noreturn]] void refuse(const std::string& name, const std::string& reason) {
  throw CapabilityError("device '" + name + "' cannot be used by LibTorch " TORCH_VERSION " here: " +
                        reason.substr(0, reason.find('\n')) + "; use cpu, or install a torch that drives it");
}

c10::Device parse(const std::string& name) {
  try {
    return c10::Device(name);
  } catch (const c10::Error&) {
    throw CapabilityError("device '" + name + "' is not known to LibTorch, expected cpu, cuda or cuda:N");
  }
}

}  // namespace

Placement placement_on(const std::string& name) {
  const c10::Device device = parse(name);
  if (device.is_cpu()) return {};
  // A program that is linked to LibTorch does not load its CUDA part by itself. It has to be there before anything asks
  // LibTorch for CUDA; where it is missing, the trial below says so.
  if (device.is_cuda()) dlopen("libtorch_cuda.so", RTLD_NOW | RTLD_GLOBAL);
  try {
    if (at::ones({1}, at::TensorOptions(device)).item<float>() == 1.0F) return {device, false};
  } catch (const c10::NotImplementedError&) {
    refuse(name, "it was built without it");
  } catch (const c10::Error& error) {
    refuse(name, error.what_without_backtrace());
  }
  refuse(name, "it does not give back what was written to it");
}

}  // namespace tamiz::torch_engine
