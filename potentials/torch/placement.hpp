#pragma once

#include <c10/core/Device.h>

#include <string>

namespace tamiz::torch_engine {

/// Where tensors live, and what works on them: our kernels, on the CPU alone, or operations of LibTorch, on any device.
struct Placement {
  c10::Device device = c10::kCPU;
  bool kernels = true;
};

/// Placement on a device named "cpu", "cuda", "cuda:1" or as LibTorch names it. Throws CapabilityError where LibTorch
/// does not know the name, or cannot keep a number on that device here.
Placement placement_on(const std::string& device);

}  // namespace tamiz::torch_engine
