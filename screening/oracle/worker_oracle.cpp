#include "tamiz/screening/oracle/worker_oracle.hpp"

#include <fmt/format.h>
#include <poll.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <deque>
#include <nlohmann/json.hpp>
#include <thread>

#include "tamiz/core/base/error.hpp"
#include "tamiz/core/base/log.hpp"
#include "tamiz/screening/oracle/label_json.hpp"
#include "tamiz/screening/oracle/worker_message.hpp"
#include "tamiz/screening/oracle/worker_process.hpp"

namespace tamiz {
namespace {

using Clock = std::chrono::steady_clock;
using Results = std::vector<std::pair<std::int64_t, LabelResult>>;

constexpr int k_max_start_failures = 3;  // in a row, of one worker
/// A worker whose children keep its pipe open is not seen to end by its pipe: it is looked at this often.
constexpr std::chrono::milliseconds k_look(200);
constexpr std::chrono::seconds k_quit_grace(3);
/// Times its limit of CPU time that a label may take on the clock: a loaded machine costs no labels, and a worker that
/// waits for ever is still ended.
constexpr double k_wall_factor = 10.0;
constexpr auto k_walk = std::chrono::milliseconds(100);  // between two walks through the processes

struct Job {
  std::int64_t ticket;
  LabelRequest request;
  std::string key;
  std::vector<Frame> steps;
  std::optional<std::string> new_state;
};

Clock::time_point after(double seconds) {
  constexpr double k_for_ever = 1e9;  // [s]: more would not fit the clock
  return Clock::now() + std::chrono::duration_cast<Clock::duration>(std::chrono::duration<double>(std::min(seconds, k_for_ever)));
}

std::string last_line(const std::string& text) { return text.substr(text.rfind('\n') + 1); }

/// One worker: not running, started but silent yet, or ready with or without a job.
struct Slot {
  std::filesystem::path scratch;
  std::unique_ptr<WorkerProcess> process;
  worker_message::Hello hello;
  bool ready = false;
  std::optional<Job> job;
  double cpu_before = 0.0;  ///< CPU time of the worker when it got its job [s]
  std::optional<Clock::time_point> deadline;  ///< on the clock
  Clock::time_point next_look;                ///< at its CPU time, which costs a walk through all processes
  int start_failures = 0;
  std::string last_failure;

  bool given_up() const { return start_failures >= k_max_start_failures; }
  double job_cost(double cpu_time) const { return std::max(0.0, cpu_time - cpu_before); }
};

/// A worker closes its pipe a moment before it has ended: killed in between, it could not say how it ended.
void await_end(const WorkerProcess& process) {
  const auto limit = after(1.0);
  while (!process.has_ended() && Clock::now() < limit) std::this_thread::sleep_for(std::chrono::milliseconds(2));
}

}  // namespace

struct WorkerOracle::Impl {
  std::string name;
  std::vector<std::string> command;
  double start_timeout;
  std::vector<Slot> slots;
  std::deque<Job> queue;
  Results done;
  std::vector<std::pair<std::int64_t, std::string>> last_states;  ///< of labels that ended without being finished
  std::int64_t next_ticket = 0;
  GroupTimes times;
  Clock::time_point next_walk;
  bool has_started = false;  ///< some worker has greeted

  bool busy() const;
  void start(Slot& slot);
  void assign();
  void hand_over(Slot& slot);
  /// One turn: waits up to `limit` for something to happen, and deals with it. False when a signal came.
  bool turn(Clock::duration limit);
  bool wait(Clock::duration limit);
  void listen(Slot& slot);
  void hear(Slot& slot, const std::string& line);
  void check_limits(Slot& slot);
  const GroupTimes& cpu_times();
  void lose(Slot& slot, LabelStatus status, const std::string& reason);
  void fail_start(Slot& slot, const std::string& reason);
  void finish(Slot& slot, LabelResult result);
  std::size_t n_starting() const;
  void check_alive() const;
  void shut_down();
};

bool WorkerOracle::Impl::busy() const {
  return !queue.empty() || std::ranges::any_of(slots, [](const Slot& slot) { return slot.job.has_value(); });
}

void WorkerOracle::Impl::start(Slot& slot) {
  slot.ready = false;
  try {
    slot.process = std::make_unique<WorkerProcess>(command, slot.scratch);
    slot.deadline = after(start_timeout);
  } catch (const OracleError& error) {
    fail_start(slot, error.what());
  }
}

std::size_t WorkerOracle::Impl::n_starting() const {
  return static_cast<std::size_t>(
      std::ranges::count_if(slots, [](const Slot& slot) { return slot.process && !slot.ready; }));
}

/// Gives waiting requests to idle workers, and starts as many workers as there is work for.
void WorkerOracle::Impl::assign() {
  for (Slot& slot : slots) {
    if (queue.empty() || !slot.process || !slot.ready || slot.job) continue;
    if (slot.process->has_ended()) lose(slot, LabelStatus::failed, "");  // between two rounds nobody looks: killed for its memory, say
    else hand_over(slot);
  }
  for (Slot& slot : slots)
    if (queue.size() > n_starting() && !slot.process && !slot.given_up()) start(slot);
}

void WorkerOracle::Impl::hand_over(Slot& slot) {
  slot.job = std::move(queue.front());
  queue.pop_front();
  const double timeout = slot.job->request.timeout;
  slot.deadline = timeout > 0.0 ? std::optional(after(k_wall_factor * timeout)) : std::nullopt;
  slot.next_look = Clock::now();
  slot.cpu_before = slot.process->cpu_time();
  slot.process->forget_stderr();  // what is said of a label is what its own calculation wrote
  slot.process->send(worker_message::label(slot.job->request));
}

bool WorkerOracle::Impl::wait(Clock::duration limit) {
  std::vector<pollfd> files;
  for (const Slot& slot : slots) {
    if (!slot.process) continue;
    files.push_back({slot.process->output(), POLLIN, 0});
    if (slot.process->input() >= 0 && slot.process->has_unsent()) files.push_back({slot.process->input(), POLLOUT, 0});
    if (slot.deadline) limit = std::min(limit, *slot.deadline - Clock::now());
  }
  limit = std::min<Clock::duration>(limit, k_look);
  const auto rounded = std::chrono::ceil<std::chrono::milliseconds>(std::max(limit, Clock::duration::zero()));
  return ::poll(files.data(), files.size(), static_cast<int>(rounded.count())) >= 0 || errno != EINTR;
}

bool WorkerOracle::Impl::turn(Clock::duration limit) {
  assign();
  const bool undisturbed = wait(limit);
  for (Slot& slot : slots) {
    if (slot.process) slot.process->flush();
    if (slot.process) listen(slot);
    if (slot.process) check_limits(slot);
  }
  assign();
  check_alive();
  return undisturbed;
}

/// Reads what a worker said; what it said before it ended still counts.
void WorkerOracle::Impl::listen(Slot& slot) {
  const bool ended = slot.process->has_ended();
  const bool open = slot.process->receive();
  try {
    while (slot.process) {
      const auto line = slot.process->next_line();
      if (!line) break;
      hear(slot, *line);
    }
  } catch (const OracleError& error) {
    lose(slot, LabelStatus::failed, std::string("worker broke the protocol: ") + error.what());
  }
  if (slot.process && (ended || !open)) lose(slot, LabelStatus::failed, "");
}

void WorkerOracle::Impl::hear(Slot& slot, const std::string& line) {
  if (!slot.ready) {
    slot.hello = worker_message::parse_hello(line);
    slot.ready = has_started = true;
    slot.deadline.reset();
    slot.start_failures = 0;
    return;
  }
  if (!slot.job) throw OracleError("it spoke without being asked");
  worker_message::Answer answer = worker_message::parse_answer(line, slot.job->request);
  if (answer.step) slot.job->steps.push_back(std::move(*answer.step));
  if (answer.state) slot.job->new_state = std::move(*answer.state);
  if (answer.is_result) finish(slot, std::move(answer.result));
}

/// All workers share a walk through the processes of the machine, which may be thousands.
const GroupTimes& WorkerOracle::Impl::cpu_times() {
  if (Clock::now() >= next_walk) {
    times = group_cpu_times();
    next_walk = Clock::now() + k_walk;
  }
  return times;
}

void WorkerOracle::Impl::check_limits(Slot& slot) {
  if (slot.deadline && Clock::now() >= *slot.deadline) {
    if (!slot.ready) return lose(slot, LabelStatus::failed, fmt::format("no greeting within {} s", start_timeout));
    return lose(slot, LabelStatus::timed_out,
                fmt::format("timed out after {} s on the clock, {:.1f} of its {} core-seconds used", k_wall_factor * slot.job->request.timeout,
                            slot.job_cost(slot.process->cpu_time()), slot.job->request.timeout));
  }
  if (!slot.job || slot.job->request.timeout <= 0.0 || Clock::now() < slot.next_look) return;
  const double left = slot.job->request.timeout - slot.job_cost(slot.process->cpu_time(cpu_times()));
  if (left <= 0.0) return lose(slot, LabelStatus::timed_out, fmt::format("timed out after {} core-seconds", slot.job->request.timeout));
  slot.next_look = after(std::clamp(0.25 * left, 0.1, 2.0));  // a worker may use several cores
}

/// Ends a worker and fails its request. Without a reason, the worker ended by itself.
void WorkerOracle::Impl::lose(Slot& slot, LabelStatus status, const std::string& reason) {
  if (reason.empty()) await_end(*slot.process);
  const WorkerProcess::End end = slot.process->end();
  std::string text = reason.empty() ? fmt::format("worker died ({})", end.how) : reason;
  if (reason.empty() && end.how == "signal 9") text = "worker died (signal 9), killed from outside, often for lack of memory";
  const std::string errors = slot.process->stderr_tail();
  slot.process.reset();
  slot.deadline.reset();
  if (!slot.ready) return fail_start(slot, text + (errors.empty() ? "" : ", its standard error ends with:\n" + errors));
  if (!slot.job) return log::warning(fmt::format("{}: an idle worker is lost: {}", name, text));
  if (reason.empty() && !errors.empty()) text += ": " + last_line(errors);
  LabelResult result;
  result.status = status;
  result.reason = text;
  result.properties = R"({"cut_off": true})";  // how far it came depends on the machine
  result.cost = slot.job_cost(end.cpu_time);
  finish(slot, std::move(result));
}

void WorkerOracle::Impl::fail_start(Slot& slot, const std::string& reason) {
  ++slot.start_failures;
  slot.last_failure = reason;
  if (!has_started) return;  // the constructor throws the reason
  log::warning(fmt::format("{}: worker {} did not start: {}", name, fmt::join(command, " "), reason));
}

/// Completes the result of a slot's job with what only this side knows.
void WorkerOracle::Impl::finish(Slot& slot, LabelResult result) {
  Job job = std::move(*slot.job);
  slot.job.reset();
  slot.deadline.reset();
  if (job.new_state && result.status != LabelStatus::finished) last_states.emplace_back(job.ticket, *std::move(job.new_state));
  result.id = job.request.id;
  result.key = job.key;
  if (result.cost < 0.0) result.cost = slot.process ? slot.job_cost(slot.process->cpu_time()) : 0.0;
  nlohmann::json properties = settings_from_text(result.properties);
  if (!properties.contains("oracle")) properties["oracle"] = slot.hello.name;
  if (!properties.contains("version")) properties["version"] = slot.hello.version;
  result.properties = properties.dump();
  // The last step of a relaxation is the frame of its result.
  if (result.frame && !job.steps.empty() &&
      job.steps.back().structure.content_hash() == result.frame->structure.content_hash())
    job.steps.pop_back();
  result.trajectory = std::move(job.steps);
  done.emplace_back(job.ticket, std::move(result));
}

void WorkerOracle::Impl::check_alive() const {
  if (!done.empty()) return;  // these are handed out first
  if (!std::ranges::all_of(slots, [](const Slot& slot) { return slot.given_up(); })) return;
  throw OracleError(fmt::format("oracle {}: no worker starts ({}): {}", name, fmt::join(command, " "),
                                slots.front().last_failure));
}

/// Idle workers are asked to leave; the others are killed.
void WorkerOracle::Impl::shut_down() {
  for (Slot& slot : slots) {
    if (!slot.process) continue;
    if (!slot.ready || slot.job) {
      slot.process.reset();
      continue;
    }
    slot.process->send(worker_message::quit());
    slot.process->close_input();
  }
  const auto deadline = Clock::now() + k_quit_grace;
  for (Slot& slot : slots) {
    while (slot.process && !slot.process->has_ended() && Clock::now() < deadline) {
      slot.process->receive();  // a worker that writes into a full pipe would never leave
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    slot.process.reset();
  }
}

WorkerOracle::WorkerOracle(std::string name, std::vector<std::string> command, int n_workers,
                           std::filesystem::path scratch, double start_timeout)
    : impl_(std::make_unique<Impl>()) {
  if (command.empty()) throw OracleError("oracle " + name + ": the command is empty");
  if (n_workers < 1) throw OracleError(fmt::format("oracle {}: expected at least 1 worker, got {}", name, n_workers));
  impl_->name = std::move(name);
  impl_->command = std::move(command);
  impl_->start_timeout = start_timeout;
  impl_->slots.resize(static_cast<std::size_t>(n_workers));
  for (std::size_t k = 0; k < impl_->slots.size(); ++k) impl_->slots[k].scratch = scratch / fmt::format("worker-{}", k);
  Slot& first = impl_->slots.front();
  impl_->start(first);
  while (!first.ready) {
    impl_->turn(k_look);
    if (first.start_failures == 0) continue;
    throw OracleError(fmt::format("oracle {}: worker {} did not start: {}", impl_->name, fmt::join(impl_->command, " "),
                                  first.last_failure));
  }
}

WorkerOracle::~WorkerOracle() { impl_->shut_down(); }

std::string WorkerOracle::name() const { return impl_->name; }
std::string WorkerOracle::version() const { return impl_->slots.front().hello.version; }
int WorkerOracle::n_workers() const { return static_cast<int>(impl_->slots.size()); }

std::int64_t WorkerOracle::submit(const LabelRequest& request) {
  const std::int64_t ticket = impl_->next_ticket++;
  impl_->queue.push_back({ticket, request, request.key(), {}, {}});
  impl_->assign();
  return ticket;
}

std::vector<std::pair<std::int64_t, LabelResult>> WorkerOracle::poll(double timeout) {
  const auto end = after(timeout);
  do {
    const bool nothing_to_wait_for = !impl_->done.empty() || !impl_->busy();
    const auto left = nothing_to_wait_for ? Clock::duration::zero() : end - Clock::now();
    if (!impl_->turn(left)) break;
  } while (impl_->done.empty() && impl_->busy() && Clock::now() < end);
  return std::exchange(impl_->done, {});
}

void WorkerOracle::cancel(std::int64_t ticket) {
  const auto queued = std::ranges::find(impl_->queue, ticket, &Job::ticket);
  if (queued != impl_->queue.end()) {
    LabelResult result;
    result.id = queued->request.id;
    result.key = queued->key;
    result.status = LabelStatus::cancelled;
    result.reason = "cancelled before it was started";
    impl_->queue.erase(queued);
    impl_->done.emplace_back(ticket, std::move(result));
    return;
  }
  for (Slot& slot : impl_->slots)
    if (slot.job && slot.job->ticket == ticket) return impl_->lose(slot, LabelStatus::cancelled, "cancelled");
}

std::vector<std::pair<std::string, double>> WorkerOracle::running_costs() {
  std::vector<std::pair<std::string, double>> costs;
  for (const Slot& slot : impl_->slots)
    if (slot.job) costs.emplace_back(slot.job->request.id, slot.job_cost(slot.process->cpu_time(impl_->cpu_times())));
  return costs;
}

std::vector<std::pair<std::int64_t, std::string>> WorkerOracle::new_states() {
  auto states = std::exchange(impl_->last_states, {});
  for (Slot& slot : impl_->slots)
    if (slot.job && slot.job->new_state) states.emplace_back(slot.job->ticket, *std::exchange(slot.job->new_state, std::nullopt));
  return states;
}

}  // namespace tamiz
