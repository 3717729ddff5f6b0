#include "tamiz/screening/oracle/worker_process.hpp"

#include <fcntl.h>
#include <spawn.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <map>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/files.hpp"
#include "tamiz/screening/oracle/signal_hold.hpp"

namespace tamiz {
namespace {

constexpr std::size_t k_max_line = std::size_t{1} << 28;  // bytes; a frame of 10⁵ atoms has about 20 MB
constexpr std::size_t k_tail = 2000;                      // bytes of standard error that a message quotes
constexpr int k_first_free = 3;                           // descriptors below are the standard streams

struct Pipe {
  int read = -1, write = -1;
};

/// Both ends above the standard streams, also where the host program has closed those.
Pipe make_pipe() {
  std::array<int, 2> ends{};
  if (::pipe2(ends.data(), O_CLOEXEC) != 0) throw OracleError(std::string("cannot make a pipe: ") + std::strerror(errno));
  for (int& end : ends) {
    if (end >= k_first_free) continue;
    const int moved = ::fcntl(end, F_DUPFD_CLOEXEC, k_first_free);
    ::close(end);
    end = moved;
  }
  return {ends[0], ends[1]};
}

void set_nonblocking(int file) { ::fcntl(file, F_SETFL, ::fcntl(file, F_GETFL) | O_NONBLOCK); }

void close_if_open(int& file) {
  if (file >= 0) ::close(file);
  file = -1;
}

/// The host's environment, with one thread for each worker: there is a worker for each core.
std::vector<std::string> worker_environment(const std::filesystem::path& scratch) {
  std::map<std::string, std::string> variables;
  for (char** entry = environ; *entry != nullptr; ++entry) {
    const std::string text = *entry;
    const std::size_t equals = text.find('=');
    if (equals != std::string::npos) variables[text.substr(0, equals)] = text.substr(equals + 1);
  }
  for (const char* name : {"OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"}) variables[name] = "1";
  variables["TAMIZ_SCRATCH"] = scratch.string();
  std::vector<std::string> environment;
  for (const auto& [name, value] : variables) environment.push_back(name + "=" + value);
  return environment;
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> result;
  for (std::string& text : texts) result.push_back(text.data());
  result.push_back(nullptr);
  return result;
}

double seconds(const timeval& time) { return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec); }

std::string describe(int status) {
  if (WIFSIGNALED(status)) return "signal " + std::to_string(WTERMSIG(status));
  return "exit code " + std::to_string(WEXITSTATUS(status));
}

}  // namespace

/// A folder at `wanted`, or beside it where another program still works there: workers outlive a host that was killed. Its lock passes to the
/// worker and to what that starts, and goes with the last of them.
std::filesystem::path WorkerProcess::take_folder(const std::filesystem::path& wanted) {
  for (int k = 1;; ++k) {
    std::filesystem::path folder = wanted;
    if (k > 1) folder += "-" + std::to_string(k);
    std::error_code error;
    std::filesystem::create_directories(folder, error);
    if (error) throw FileError(folder.string() + ": cannot make the scratch folder: " + error.message());
    const auto file = folder / ".lock";
    lock_.emplace(file, O_RDWR | O_CREAT);
    if (lock_->get() < 0) throw_file_error("open", file);
    if (lock_file(lock_->get(), file)) return std::filesystem::absolute(folder);
  }
}

WorkerProcess::WorkerProcess(const std::vector<std::string>& command, const std::filesystem::path& scratch) : scratch_(take_folder(scratch)) {
  forget_stderr();
  Pipe requests = make_pipe(), answers = make_pipe();
  input_ = requests.write;
  output_ = answers.read;
  set_nonblocking(input_);
  set_nonblocking(output_);
  try {
    start(command, requests.read, answers.write);
  } catch (...) {
    for (int* file : {&requests.read, &answers.write, &input_, &output_}) close_if_open(*file);
    throw;
  }
  close_if_open(requests.read);
  close_if_open(answers.write);
}

void WorkerProcess::start(const std::vector<std::string>& command, int child_input, int child_output) {
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_adddup2(&actions, child_input, STDIN_FILENO);
  posix_spawn_file_actions_adddup2(&actions, child_output, STDOUT_FILENO);
  posix_spawn_file_actions_adddup2(&actions, lock_->get(), lock_->get());  // the same number: kept open
  const std::string errors = (scratch_ / "stderr.txt").string();
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, errors.c_str(), O_WRONLY | O_CREAT | O_APPEND, 0644);

  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
  posix_spawnattr_setpgroup(&attributes, 0);
  // Batch systems send these to all processes of a job: it is for this program to end its workers, whose labels would be kept
  // as failed otherwise.
  sigset_t blocked, all;
  sigemptyset(&blocked);
  for (const int signal : {SIGTERM, SIGINT, SIGUSR1}) sigaddset(&blocked, signal);
  sigfillset(&all);
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setsigdefault(&attributes, &all);

  std::vector<std::string> arguments = command, environment = worker_environment(scratch_);
  const int error = posix_spawnp(&pid_, arguments.front().c_str(), &actions, &attributes, pointers(arguments).data(),
                                 pointers(environment).data());
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error == 0) return;
  pid_ = -1;
  throw OracleError("cannot start the worker " + command.front() + ": " + std::strerror(error));
}

WorkerProcess::~WorkerProcess() {
  end();
  close_if_open(input_);
  close_if_open(output_);
}

void WorkerProcess::send(std::string_view line) {
  unsent_.append(line).push_back('\n');
  flush();
}

void WorkerProcess::flush() {
  const SignalHold hold(SIGPIPE);
  std::size_t sent = 0;
  while (input_ >= 0 && sent < unsent_.size()) {
    const ssize_t written = ::write(input_, unsent_.data() + sent, unsent_.size() - sent);
    if (written > 0) sent += static_cast<std::size_t>(written);
    if (written >= 0 || errno == EINTR) continue;
    if (errno != EAGAIN) close_if_open(input_);  // nobody reads any more: the end of its output tells the rest
    break;
  }
  unsent_.erase(0, input_ < 0 ? unsent_.size() : sent);
}

void WorkerProcess::close_input() {
  flush();
  close_if_open(input_);
  unsent_.clear();
}

bool WorkerProcess::receive() {
  std::array<char, 65536> buffer;
  while (received_.size() <= k_max_line) {
    const ssize_t got = ::read(output_, buffer.data(), buffer.size());
    if (got > 0) received_.append(buffer.data(), static_cast<std::size_t>(got));
    if (got > 0 || (got < 0 && errno == EINTR)) continue;
    return got < 0 && errno == EAGAIN;
  }
  return true;
}

std::optional<std::string> WorkerProcess::next_line() {
  const std::size_t newline = received_.find('\n', scanned_);
  if (newline == std::string::npos) {
    scanned_ = received_.size();
    if (scanned_ > k_max_line) throw OracleError("a line is longer than " + std::to_string(k_max_line) + " bytes");
    return std::nullopt;
  }
  std::string line = received_.substr(0, newline);
  received_.erase(0, newline + 1);
  scanned_ = 0;
  return line;
}

bool WorkerProcess::has_ended() const {
  if (ended_) return true;
  siginfo_t info{};
  const int result = ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT);
  return result != 0 || info.si_pid == pid_;
}

double WorkerProcess::cpu_time(const GroupTimes& times) const {
  if (ended_) return ended_->cpu_time;
  const auto found = times.find(pid_);
  return found == times.end() ? 0.0 : found->second;
}

WorkerProcess::End WorkerProcess::end() {
  if (ended_ || pid_ < 0) return ended_.value_or(End{});
  const double before = cpu_time();  // what its children use is lost to wait4 when they are killed too
  ::kill(-pid_, SIGKILL);
  int status = 0;
  rusage usage{};
  pid_t waited = 0;
  do waited = ::wait4(pid_, &status, 0, &usage);
  while (waited < 0 && errno == EINTR);
  ended_ = End{};
  // A host that ignores SIGCHLD reaps its children itself, and their status is gone.
  ended_->how = waited == pid_ ? describe(status) : "unknown status";
  ended_->cpu_time = std::max(before, seconds(usage.ru_utime) + seconds(usage.ru_stime));
  return *ended_;
}

void WorkerProcess::forget_stderr() {
  std::error_code error;
  const auto earlier = std::filesystem::file_size(scratch_ / "stderr.txt", error);
  stderr_begin_ = error ? 0 : earlier;
}

std::string WorkerProcess::stderr_tail() const {
  std::ifstream file(scratch_ / "stderr.txt", std::ios::binary | std::ios::ate);
  if (!file) return {};
  const auto size = static_cast<std::size_t>(file.tellg());
  const std::size_t length = std::min(size - std::min(size, stderr_begin_), k_tail);
  std::string text(length, '\0');
  file.seekg(static_cast<std::streamoff>(size - length));
  file.read(text.data(), static_cast<std::streamsize>(length));
  while (!text.empty() && (text.back() == '\n' || text.back() == ' ')) text.pop_back();
  return text;
}

GroupTimes group_cpu_times() {
  GroupTimes times;
  const double ticks_per_second = static_cast<double>(::sysconf(_SC_CLK_TCK));
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator("/proc", error)) {
    const std::string name = entry.path().filename().string();
    if (name.find_first_not_of("0123456789") != std::string::npos) continue;
    std::ifstream file(entry.path() / "stat");
    std::string text;
    if (!std::getline(file, text)) continue;
    const std::size_t bracket = text.rfind(')');  // the program's name may hold blanks and brackets
    if (bracket == std::string::npos) continue;
    // After the name: state, parent, group, 8 others, then user, system and the children's two, in clock ticks.
    char state = 0;
    long parent = 0, its_group = 0, other = 0, user = 0, system = 0, child_user = 0, child_system = 0;
    const int n_read = std::sscanf(text.c_str() + bracket + 1, " %c %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld %ld", &state,
                                   &parent, &its_group, &other, &other, &other, &other, &other, &other, &other, &other,
                                   &user, &system, &child_user, &child_system);
    if (n_read != 15) continue;
    times[static_cast<pid_t>(its_group)] += static_cast<double>(user + system + child_user + child_system) / ticks_per_second;
  }
  return times;
}

}  // namespace tamiz
