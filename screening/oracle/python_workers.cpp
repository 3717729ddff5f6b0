#include <unistd.h>

#include <cstdlib>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/screening/oracle/worker_oracle.hpp"

#ifndef TAMIZ_SOURCE_WORKERS
#error "TAMIZ_SOURCE_WORKERS must name python/tamiz/workers of the source tree"
#endif

namespace tamiz {
namespace {

namespace fs = std::filesystem;

bool is_executable(const fs::path& path) { return ::access(path.c_str(), X_OK) == 0 && !fs::is_directory(path); }

/// Folder of the running program. A Python of a virtual environment is a link and shows where it leads.
fs::path program_directory() {
  std::error_code error;
  const fs::path program = fs::read_symlink("/proc/self/exe", error);
  return error ? fs::path() : program.parent_path();
}

/// Programs of the virtual environment that a folder lies in; empty when it lies in none.
fs::path environment_around(fs::path folder) {
  for (; folder.has_relative_path(); folder = folder.parent_path())
    if (fs::exists(folder / "pyvenv.cfg")) return folder / "bin";
  return {};
}

fs::path source_tree() { return fs::path(TAMIZ_SOURCE_WORKERS).parent_path().parent_path().parent_path(); }

/// GPAW is compiled against the libraries that a file of a few lines names; pip works in a folder of its own, so that its path is absolute.
std::string how_to_install_gpaw() {
  const fs::path settings = source_tree() / "cmake" / "gpaw_siteconfig.py";
  const std::string install = "`GPAW_CONFIG=$PWD/siteconfig.py CC=g++ pip install --no-binary gpaw gpaw==26.7.0`, with a siteconfig.py that says "
                              "fftw = True and libraries = ['xc', 'openblas', 'fftw3'], and `pip install ase spglib`";
  return fs::exists(settings) ? "run `make build` in " + source_tree().string() + ", or " + install : install;
}

/// The folder of the Python workers, in an installation or in the source tree.
fs::path workers_directory() {
  const fs::path own = own_directory();
  std::vector<fs::path> candidates;
  std::error_code none;
  for (const auto& entry : fs::directory_iterator(own / "../lib", none))
    if (entry.path().filename().string().starts_with("python3.")) candidates.push_back(entry.path() / "site-packages/tamiz/workers");
  for (const fs::path& folder : {own / "../tamiz/workers", own / "../workers", fs::path(TAMIZ_SOURCE_WORKERS)}) candidates.push_back(folder);
  for (const fs::path& folder : candidates)
    if (fs::exists(folder / "protocol.py")) return fs::canonical(folder);
  throw OracleError("the Python workers are not beside " + own.string() + ": install tamiz again with `pip install .`");
}

std::vector<std::string> worker_command(const std::string& script) {
  return {worker_python().string(), (workers_directory() / script).string()};
}

}  // namespace

fs::path worker_python() {
  if (const char* given = std::getenv("TAMIZ_PYTHON"); given != nullptr && *given != '\0') {
    if (is_executable(given)) return given;
    throw OracleError(std::string("TAMIZ_PYTHON names ") + given + ", which is no program that can be run");
  }
  const fs::path program = program_directory();
  for (const fs::path& bin :
       {environment_around(own_directory()), environment_around(program), source_tree() / ".venv" / "bin", program})
    for (const char* name : {"python", "python3"})
      if (!bin.empty() && is_executable(bin / name)) return bin / name;
  throw OracleError("no Python found for the DFT workers: set TAMIZ_PYTHON to one that has ase, gpaw and spglib, or run `make build`");
}

std::unique_ptr<Oracle> make_gpaw_oracle(int n_workers, const fs::path& scratch) {
  const auto command = worker_command("gpaw_worker.py");
  try {
    return std::make_unique<WorkerOracle>("gpaw", command, n_workers, scratch);
  } catch (const OracleError& error) {
    const std::string message = error.what();
    for (const std::string module : {"gpaw", "ase", "numpy", "spglib"})
      if (message.find("No module named '" + module) != std::string::npos)
        throw OracleError(module + " is not installed in " + command.front() + ": " + how_to_install_gpaw());
    throw;
  }
}

std::unique_ptr<Oracle> make_ase_oracle(const std::string& factory, int n_workers, const fs::path& scratch) {
  const std::size_t colon = factory.find(':');
  if (colon == 0 || colon == std::string::npos || colon + 1 == factory.size())
    throw OracleError("expected an ASE calculator as module:callable, for example ase.calculators.emt:EMT, got " + factory);
  auto command = worker_command("ase_worker.py");
  command.push_back(factory);
  return std::make_unique<WorkerOracle>("ase:" + factory, command, n_workers, scratch);
}

std::unique_ptr<Oracle> make_command_oracle(const std::vector<std::string>& command, int n_workers, const fs::path& scratch) {
  if (command.empty()) throw OracleError("expected a command that speaks the worker protocol, got none");
  // All words name it: another script under the same interpreter is another oracle.
  std::string name = command.front();
  for (std::size_t k = 1; k < command.size(); ++k) name += " " + command[k];
  return std::make_unique<WorkerOracle>(name, command, n_workers, scratch);
}

}  // namespace tamiz
