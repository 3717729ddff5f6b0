#pragma once

#include <filesystem>
#include <memory>
#include <string>

#include "tamiz/core/simulation/potential.hpp"
#include "tamiz/potentials/engine/trainable.hpp"

namespace tamiz {

struct LoadOptions {
  /// "float32", "float64", or "bfloat16": float32 with the factors of its linear layers rounded to bfloat16 (docs/theory.md),
  /// by the engine fused on processors with AVX-512 BF16.
  std::string dtype = "float32";
  std::string device = "cpu";     ///< "cpu", "cuda", "cuda:1"
  int threads = 1;                ///< parts of a batch are evaluated on this many threads
  /// Of a `.safetensors` model: "fused" (kernels of this library, CPU only) or "torch" (LibTorch); empty: fused on the
  /// device cpu, else torch.
  std::string engine = "";
  /// That an evaluation by the engine fused may take [bytes]; 0: three quarters of what is there when the potential is made.
  /// Structures too large for it are worked on in slabs, with the same result in somewhat more time.
  std::size_t memory = 0;
};

/// A potential from a file: a `.safetensors` model, or a `.toml` file with a classical potential
/// (`kind = "lennard-jones" | "stillinger-weber" | "zbl"`), which runs on the device cpu and has no choice of engine. Throws FileError, FormatError
/// (checksum, version, truncation), CapabilityError for a device or an engine that is not there for the file.
std::unique_ptr<Potential> load_potential(const std::filesystem::path& file, const LoadOptions& options = {});
/// The same of a model in memory.
std::unique_ptr<Potential> make_potential(const ModelFile& model, const LoadOptions& options);

/// A model to be trained, by the engine that the options choose; `threads` does not change the gradient. Throws
/// FormatError, CapabilityError: training runs on the device cpu.
std::unique_ptr<Trainable> make_trainable(const ModelFile& model, const LoadOptions& options);

}  // namespace tamiz
