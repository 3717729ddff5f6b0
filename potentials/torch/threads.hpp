#pragma once

#include <ATen/Parallel.h>

namespace tamiz::torch_engine {

/// LibTorch on one thread inside a scope: shards are the parallel unit, and a fixed inner order keeps the
/// bits apart from the number of threads.
class SingleThreadScope {
 public:
  SingleThreadScope() : before_(at::get_num_threads()) {
    if (before_ != 1) at::set_num_threads(1);
  }
  ~SingleThreadScope() {
    if (before_ != 1) at::set_num_threads(before_);
  }
  SingleThreadScope(const SingleThreadScope&) = delete;
  SingleThreadScope& operator=(const SingleThreadScope&) = delete;

 private:
  int before_;
};

}  // namespace tamiz::torch_engine
