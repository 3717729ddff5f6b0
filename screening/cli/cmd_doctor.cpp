#include <fmt/format.h>

#include <filesystem>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/core/base/parallel.hpp"
#include "tamiz/core/base/temporary_folder.hpp"
#include "tamiz/core/base/version.hpp"
#include "tamiz/potentials/engine/kernels/kernels.hpp"
#include "tamiz/potentials/engine/torch_backend.hpp"
#include "tamiz/screening/cli/command.hpp"
#include "tamiz/screening/oracle/worker_oracle.hpp"
#include "tamiz/screening/precursors/babel_client.hpp"

namespace tamiz::cli {
namespace {

using nlohmann::json;

struct Check {
  std::string what, found, fix;  ///< `fix` is empty where all is well
};

/// What the processor has, and what the kernels use of it.
Check instruction_set_check() {
  std::string sets;
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) sets += " avx2";
  if (__builtin_cpu_supports("fma")) sets += " fma";
  if (__builtin_cpu_supports("avx512f")) sets += " avx512f";
  if (sets.empty()) sets = " none beyond the baseline";
  try {
    return {"instruction sets", fmt::format("{}; kernels use {}", sets.substr(1), kernels::instruction_set()), ""};
  } catch (const CapabilityError& error) {
    return {"instruction sets", sets.substr(1), error.what()};
  }
}

/// Loads LibTorch: a library that is there may still not fit.
Check torch_check() {
  const auto library = own_directory() / "libtamiz_torch.so";
  if (!std::filesystem::exists(library))
    return {"LibTorch engine (MACE)", "not built here", "configure with -DTAMIZ_WITH_TORCH=ON, or run `make build`"};
  try {
    return {"LibTorch engine (MACE)", fmt::format("LibTorch {} by {}", torch_backend().torch_version(), library.string()), ""};
  } catch (const Error& error) {
    return {"LibTorch engine (MACE)", library.string(), error.what()};
  }
}

Check babel_check() {
  try {
    return {"Open Babel program", babel_program().string(), ""};
  } catch (const CapabilityError& error) {
    return {"Open Babel program", error.what(), "configure with -DTAMIZ_WITH_BABEL=ON and libopenbabel-dev installed"};
  }
}

Check data_check() {
  try {
    return {"shipped data", data_directory().string(), ""};
  } catch (const FileError& error) {
    return {"shipped data", error.what(), "set TAMIZ_DATA to the folder that holds models/ and prototypes/"};
  }
}

/// Starts the DFT worker and hears its greeting: what a campaign does first.
Check gpaw_check() {
  try {
    const TemporaryFolder scratch("tamiz-doctor");
    const auto oracle = make_gpaw_oracle(1, scratch.path());
    return {"DFT workers", fmt::format("{} {} by {}", oracle->name(), oracle->version(), worker_python().string()), ""};
  } catch (const Error& error) {
    return {"DFT workers", "not found", error.what()};
  }
}

}  // namespace

void add_doctor(CLI::App& app) {
  add_command(app, "doctor", "Say what is built and found here, and the fix for what is missing", "tamiz doctor",
              [](const Common& common, json& result) {
                const std::vector<Check> checks{
                    {"version", fmt::format("{} ({})", version(), commit()), ""},
                    {"compiler", "g++ " __VERSION__, ""},
                    instruction_set_check(),
                    {"threads granted", std::to_string(available_threads()), ""},
                    data_check(),
                    torch_check(),
                    babel_check(),
                    gpaw_check()};
                bool all_well = true;
                for (const Check& check : checks) {
                  result[check.what] = {{"found", check.found}, {"ok", check.fix.empty()}, {"fix", check.fix}};
                  all_well = all_well && check.fix.empty();
                  if (!common.speaks()) continue;
                  fmt::print("{:4} {:24} {}\n", check.fix.empty() ? "ok" : "--", check.what, check.found);
                  if (!check.fix.empty()) fmt::print("     fix: {}\n", check.fix);
                }
                return all_well ? k_done : k_failed;
              });
}

}  // namespace tamiz::cli
