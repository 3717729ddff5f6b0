#pragma once

#include <cstddef>
#include <functional>

namespace tamiz {

/// Cores that the affinity mask, the cgroup quota and Slurm grant; at least 1.
int available_threads();

/// Calls `body(k)` for k in [0, n) on `threads` threads (0: available_threads()). The first exception
/// (lowest k) is rethrown after all calls have ended. No order is promised. The threads stay and wait for the next call; one
/// that the system does not let run in time is not waited for.
void parallel_for(std::size_t n, int threads, const std::function<void(std::size_t)>& body);

}  // namespace tamiz
