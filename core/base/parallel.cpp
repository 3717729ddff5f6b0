#include "tamiz/core/base/parallel.hpp"

#include <sched.h>

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstdlib>
#include <exception>
#include <fstream>
#include <mutex>
#include <string>
#include <system_error>
#include <thread>
#include <vector>

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
int quota_of_group(const std::string& folder) {
  std::ifstream v2(folder + "/cpu.max");
  std::string quota;
  double period = 0.0;
  if (v2 >> quota >> period) return quota == "max" ? 0 : quota_cores(std::atof(quota.c_str()), period);
  std::ifstream quota_file(folder + "/cpu.cfs_quota_us"), period_file(folder + "/cpu.cfs_period_us");
  double quota_us = 0.0;
  if (quota_file >> quota_us && period_file >> period) return quota_cores(quota_us, period);
  return 0;
}

/// Smallest quota from the group at `path` up to the root: a parent's limit binds its children.
int quota_up_from(const std::string& root, std::string path) {
  int cores = quota_of_group(root);
  while (path.size() > 1) {
    const int here = quota_of_group(root + path);
    if (here > 0) cores = cores > 0 ? std::min(cores, here) : here;
    path.erase(path.find_last_of('/'));
  }
  return cores;
}

/// Lines of /proc/self/cgroup: "0::/user.slice/job" (version 2), "4:cpu,cpuacct:/job" (version 1).
int cgroup_cores() {
  int cores = 0;
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);) {
    const std::size_t first = line.find(':'), second = line.find(':', first + 1);
    if (first == std::string::npos || second == std::string::npos) continue;
    const std::string controllers = line.substr(first + 1, second - first - 1);
    const bool is_v2 = controllers.empty();
    if (!is_v2 && ("," + controllers + ",").find(",cpu,") == std::string::npos) continue;
    const int here = quota_up_from(is_v2 ? "/sys/fs/cgroup" : "/sys/fs/cgroup/cpu", line.substr(second + 1));
    if (here > 0) cores = cores > 0 ? std::min(cores, here) : here;
  }
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

void parallel_for(std::size_t n, int threads, const std::function<void(std::size_t)>& body) {
  const int wanted = threads > 0 ? threads : available_threads();
  const std::size_t n_threads = std::min(n, static_cast<std::size_t>(wanted));
  if (n_threads <= 1) {
    for (std::size_t k = 0; k < n; ++k) body(k);
    return;
  }
  std::atomic<std::size_t> next{0};
  std::mutex mutex;
  std::exception_ptr first_error;
  std::size_t first_index = n;
  const auto work = [&] {
    for (std::size_t k = next++; k < n; k = next++) {
      try {
        body(k);
      } catch (...) {
        const std::lock_guard lock(mutex);
        if (k < first_index) {
          first_index = k;
          first_error = std::current_exception();
        }
        next = n;
      }
    }
  };
  std::vector<std::thread> pool;
  try {
    for (std::size_t t = 1; t < n_threads; ++t) pool.emplace_back(work);
  } catch (const std::system_error&) {
    // The system grants no more threads: those that run share the work.
  }
  work();
  for (std::thread& thread : pool) thread.join();
  if (first_error) std::rethrow_exception(first_error);
}

}  // namespace tamiz
