#include "tamiz/core/base/parallel.hpp"

#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <unistd.h>

#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <condition_variable>
#include <cstdlib>
#include <deque>
#include <exception>
#include <fstream>
#include <memory>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

#include "tamiz/core/base/control_groups.hpp"

namespace tamiz {
namespace {

int affinity_cores() {
  cpu_set_t set;
  CPU_ZERO(&set);
  if (sched_getaffinity(0, sizeof set, &set) != 0) return static_cast<int>(std::thread::hardware_concurrency());
  return CPU_COUNT(&set);
}

/// Cores by a quota, rounded up; 0: no limit.
int quota_cores(double quota, double period) {
  return quota > 0.0 && period > 0.0 ? static_cast<int>(std::ceil(quota / period)) : 0;
}

/// Quota of one control group, version 2 ("max 100000" or "150000 100000") or version 1; 0: none.
int quota_of_group(const std::string& folder, bool is_v2) {
  if (is_v2) {
    std::ifstream file(folder + "/cpu.max");
    std::string quota;
    double period = 0.0;
    return file >> quota >> period && quota != "max" ? quota_cores(std::atof(quota.c_str()), period) : 0;
  }
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
  double quota_us = 0.0, period = 0.0;
  return quota_file >> quota_us && period_file >> period ? quota_cores(quota_us, period) : 0;
}

/// Smallest quota of the groups that bind this process; 0: none.
int cgroup_cores() {
  int cores = 0;
  over_control_groups("cpu", [&](const std::string& folder, bool is_v2) {
    if (const int here = quota_of_group(folder, is_v2); here > 0) cores = cores > 0 ? std::min(cores, here) : here;
  });
  return cores;
}

int slurm_cores() {
  const char* text = std::getenv("SLURM_CPUS_PER_TASK");
  return text != nullptr ? std::atoi(text) : 0;
}

}  // namespace

int available_threads() {
  int threads = std::max(1, affinity_cores());
  for (const int limit : {cgroup_cores(), slurm_cores()})
    if (limit > 0) threads = std::min(threads, limit);
  return threads;
}

namespace {

/// Looks again and again for a moment: the next pass over a batch comes within microseconds, and to sleep and to be woken takes
/// tens of them. Short, because a core that others want is lost meanwhile.
template <typename Condition>
void spin_until(const Condition& condition) {
  constexpr auto k_longest = std::chrono::microseconds(50);
  const auto begun = std::chrono::steady_clock::now();
  while (!condition() && std::chrono::steady_clock::now() - begun < k_longest) {
#if defined(__x86_64__)
    __builtin_ia32_pause();
#endif
  }
}

/// The calls of one parallel_for. Outlives it where a helper comes late.
class Job {
 public:
  Job(std::size_t n, const std::function<void(std::size_t)>& body) : n_(n), first_index_(n), body_(&body) {}

  /// Of a helper; does nothing once the caller has gone.
  void help() {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      ++helping_;
    }
    work();
    const std::lock_guard lock(mutex_);
    if (--helping_ == 0) done_.notify_all();
  }

  /// Of the caller: waits for the helpers that have begun, not for those that the system lets run too late.
  void work_and_close() {
    work();
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    spin_until([&] { return helping_ == 0; });
    std::unique_lock lock(mutex_);
    done_.wait(lock, [&] { return helping_ == 0; });
    if (first_error_) std::rethrow_exception(first_error_);
  }

 private:
  void work() {
    for (std::size_t k = next_++; k < n_; k = next_++) {
      try {
        (*body_)(k);
      } catch (...) {
        const std::lock_guard lock(mutex_);
        if (k < first_index_) {
          first_index_ = k;
          first_error_ = std::current_exception();
        }
        next_ = n_;
      }
    }
  }

  const std::size_t n_;
  std::atomic<std::size_t> next_{0};
  std::mutex mutex_;
  std::condition_variable done_;
  std::atomic<int> helping_{0};  // changes under the mutex
  bool closed_ = false;
  std::exception_ptr first_error_;
  std::size_t first_index_;
  const std::function<void(std::size_t)>* body_;
};

/// Threads that wait for jobs: a pass over small structures takes less time than a thread takes to start.
class Helpers {
 public:
  /// Those of this process. Never destroyed: a thread may wait in it until the process ends, and after a fork the child has
  /// none of the threads and begins anew.
  static Helpers& of_process() {
    static std::mutex mutex;
    static Helpers* helpers = nullptr;
    const std::lock_guard lock(mutex);
    if (helpers == nullptr || helpers->process_ != ::getpid()) helpers = new Helpers;
    return *helpers;
  }

  void ask(const std::shared_ptr<Job>& job, std::size_t n) noexcept {
    const std::lock_guard lock(mutex_);
    try {
      for (std::size_t k = 0; k < n; ++k) jobs_.push_back(job);
      for (; waiting_ < jobs_.size() && started_ < k_most; ++waiting_, ++started_) std::thread([this] { run(); }).detach();
    } catch (const std::exception&) {
      // There is no memory for more jobs, or the system grants no more threads: those that run share the work.
    }
    n_jobs_ = jobs_.size();
    for (std::size_t k = 0; k < n; ++k) came_.notify_one();
  }

  /// Nobody needs to look at this job any more.
  void withdraw(const std::shared_ptr<Job>& job) {
    const std::lock_guard lock(mutex_);
    std::erase(jobs_, job);
    n_jobs_ = jobs_.size();
  }

 private:
  static constexpr std::size_t k_most = 1024;

  [[noreturn]] void run() {
    // Signals are for the threads that began the work.
    sigset_t all;
    sigfillset(&all);
    pthread_sigmask(SIG_BLOCK, &all, nullptr);
    std::unique_lock lock(mutex_);
    for (;;) {
      came_.wait(lock, [&] { return !jobs_.empty(); });
      const std::shared_ptr<Job> job = std::move(jobs_.front());
      jobs_.pop_front();
      n_jobs_ = jobs_.size();
      --waiting_;
      lock.unlock();
      job->help();
      lock.lock();
      ++waiting_;
      lock.unlock();
      spin_until([&] { return n_jobs_ > 0; });
      lock.lock();
    }
  }

  const pid_t process_ = ::getpid();
  std::mutex mutex_;
  std::condition_variable came_;
  std::deque<std::shared_ptr<Job>> jobs_;
  std::atomic<std::size_t> n_jobs_{0};  // of jobs_, to be read without the mutex
  std::size_t waiting_ = 0, started_ = 0;
};

}  // namespace

void parallel_for(std::size_t n, int threads, const std::function<void(std::size_t)>& body) {
  const int wanted = threads > 0 ? threads : available_threads();
  const std::size_t n_threads = std::min(n, static_cast<std::size_t>(wanted));
  if (n_threads <= 1) {
    for (std::size_t k = 0; k < n; ++k) body(k);
    return;
  }
  Helpers& helpers = Helpers::of_process();
  const auto job = std::make_shared<Job>(n, body);
  helpers.ask(job, n_threads - 1);
  struct Withdrawal {
    Helpers& helpers;
    const std::shared_ptr<Job>& job;
    ~Withdrawal() { helpers.withdraw(job); }
  } withdrawal{helpers, job};
  job->work_and_close();
}

}  // namespace tamiz
