#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <vector>

#include "tamiz/screening/oracle/oracle.hpp"

namespace tamiz {

/// Runs worker processes, one per core, that read requests and write answers as JSON lines (protocol in
/// screening/oracle/README.md). A worker that dies fails its request and is started again when there is work; so is one
/// whose process group uses more CPU time than the request allows, or that takes ten times as long on the clock.
/// One thread at a time; results come in the order in which they are done. `poll` returns early on a signal,
/// and throws OracleError when no worker starts any more (three times in a row each).
class WorkerOracle : public Oracle {
 public:
  /// `command` is executed directly, never through a shell. Each worker gets the folder `scratch`/worker-<k>
  /// (TAMIZ_SCRATCH in its environment), where its standard error is kept in stderr.txt. Throws OracleError
  /// when the first worker does not greet within `start_timeout` [s]; the others start when there is work.
  WorkerOracle(std::string name, std::vector<std::string> command, int n_workers, std::filesystem::path scratch,
               double start_timeout = 120.0);
  ~WorkerOracle() override;

  std::string name() const override;
  std::string version() const override;
  int n_workers() const override;
  std::int64_t submit(const LabelRequest& request) override;
  std::vector<std::pair<std::int64_t, LabelResult>> poll(double timeout) override;
  void cancel(std::int64_t ticket) override;
  std::vector<std::pair<std::string, double>> running_costs() override;
  std::vector<std::pair<std::int64_t, std::string>> new_states() override;

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

/// Python that runs the DFT workers: `TAMIZ_PYTHON`, else the one of the virtual environment that holds the
/// library or the program, else the source tree's .venv, else the one beside the program. Throws OracleError
/// saying how to install it.
std::filesystem::path worker_python();

/// The embedded DFT oracle: GPAW in worker processes. Throws OracleError when GPAW is missing, with the
/// command that installs it.
std::unique_ptr<Oracle> make_gpaw_oracle(int n_workers, const std::filesystem::path& scratch);
/// Any ASE calculator: `factory` is "module:callable", for example "ase.calculators.emt:EMT".
std::unique_ptr<Oracle> make_ase_oracle(const std::string& factory, int n_workers, const std::filesystem::path& scratch);
/// Any command that speaks the protocol.
std::unique_ptr<Oracle> make_command_oracle(const std::vector<std::string>& command, int n_workers,
                                            const std::filesystem::path& scratch);

}  // namespace tamiz
