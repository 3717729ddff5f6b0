#pragma once

#include <sys/types.h>

#include <filesystem>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tamiz/core/base/descriptor.hpp"

namespace tamiz {

/// CPU times of all process groups there are [core-seconds], by one walk through all processes.
using GroupTimes = std::map<pid_t, double>;
GroupTimes group_cpu_times();

/// One worker program with its pipes: lines in, lines out, never blocking. It leads a process group of its
/// own, so that a Ctrl-C on the terminal does not reach it and it ends together with what it started.
class WorkerProcess {
 public:
  /// Starts `command` (program looked up on PATH, no shell) on one thread. Standard error goes to
  /// `scratch`/stderr.txt; TAMIZ_SCRATCH names the folder to the worker: `scratch`-2 where an earlier worker is still at work in it.
  /// Throws OracleError, FileError.
  WorkerProcess(const std::vector<std::string>& command, const std::filesystem::path& scratch);
  /// Kills what is still running, and waits for it.
  ~WorkerProcess();
  WorkerProcess(const WorkerProcess&) = delete;
  WorkerProcess& operator=(const WorkerProcess&) = delete;

  pid_t pid() const { return pid_; }
  int input() const { return input_; }    ///< we write requests here; -1 when closed
  int output() const { return output_; }  ///< we read answers here
  bool has_unsent() const { return !unsent_.empty(); }

  /// Queues a line and sends what the pipe takes now. A worker that is gone is noticed by `receive`.
  void send(std::string_view line);
  void flush();
  /// Closes its standard input once everything is sent.
  void close_input();

  /// Reads what has arrived. Returns false at the end of the worker's output.
  bool receive();
  /// The next whole line that has arrived, without its newline. Throws OracleError for a line that never ends.
  std::optional<std::string> next_line();

  /// Whether the program has ended (it stays a zombie until `end`).
  bool has_ended() const;
  /// CPU time so far of the program and of everything in its group [core-seconds].
  double cpu_time() const { return cpu_time(group_cpu_times()); }
  double cpu_time(const GroupTimes& times) const;  ///< as of these

  struct End {
    std::string how;        ///< "signal 9" or "exit code 1"
    double cpu_time = 0.0;  ///< of its whole life [core-seconds]
  };
  /// Kills the group and waits. Call once; later calls return the same.
  End end();

  /// Last lines of what it wrote to standard error since it began, or since `forget_stderr`.
  std::string stderr_tail() const;
  void forget_stderr();

 private:
  std::filesystem::path take_folder(const std::filesystem::path& wanted);
  void start(const std::vector<std::string>& command, int child_input, int child_output);

  std::optional<Descriptor> lock_;
  std::filesystem::path scratch_;
  pid_t pid_ = -1;
  int input_ = -1, output_ = -1;
  std::string unsent_, received_;
  std::size_t scanned_ = 0;  ///< bytes of received_ known to hold no newline
  std::size_t stderr_begin_ = 0;  ///< bytes in the file that are of no interest, as those of earlier workers
  std::optional<End> ended_;
};

}  // namespace tamiz
