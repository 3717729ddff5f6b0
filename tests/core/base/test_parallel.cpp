#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <chrono>
#include <stdexcept>
#include <string>
#include <thread>
#include <vector>

#include "tamiz/core/base/parallel.hpp"

namespace {

using namespace tamiz;

TEST(Parallel, every_index_is_called_once) {
  for (const std::size_t n : {0u, 1u, 2u, 1000u}) {
    std::vector<std::atomic<int>> calls(n);
    for (int round = 0; round < 20; ++round) parallel_for(n, 3, [&](std::size_t k) { ++calls[k]; });

    for (const auto& count : calls) EXPECT_EQ(count, 20);
  }
}

TEST(Parallel, threads_share_the_work) {
  std::atomic<int> inside{0}, most{0};

  parallel_for(2, 2, [&](std::size_t) {
    ++inside;
    // Waits for the other, but not for ever.
    for (int k = 0; k < 2000 && inside < 2; ++k) std::this_thread::sleep_for(std::chrono::milliseconds(1));
    most = std::max(most.load(), inside.load());
  });

  EXPECT_EQ(most, 2);
}

TEST(Parallel, the_exception_of_the_lowest_index_comes_out) {
  for (const int threads : {1, 4}) try {
      parallel_for(100, threads, [](std::size_t k) {
        if (k >= 3) throw std::runtime_error(k == 3 ? "three" : "a later one");
      });
      FAIL() << "no error";
    } catch (const std::runtime_error& error) {
      EXPECT_EQ(std::string(error.what()), "three");
    }
  std::atomic<int> calls{0};
  parallel_for(10, 4, [&](std::size_t) { ++calls; });

  EXPECT_EQ(calls, 10);
}

TEST(Parallel, loops_may_stand_in_loops_and_in_several_threads) {
  std::atomic<int> calls{0};
  const auto nest = [&] {
    for (int round = 0; round < 50; ++round)
      parallel_for(4, 2, [&](std::size_t) { parallel_for(5, 3, [&](std::size_t) { ++calls; }); });
  };
  std::thread other(nest);
  nest();
  other.join();

  EXPECT_EQ(calls, 2 * 50 * 4 * 5);
}

TEST(Parallel, a_forked_process_has_threads_of_its_own) {
  parallel_for(10, 2, [](std::size_t) {});
  const pid_t child = ::fork();
  if (child == 0) {
    std::atomic<int> calls{0};
    for (int round = 0; round < 20; ++round) parallel_for(10, 2, [&](std::size_t) { ++calls; });
    ::_exit(calls == 200 ? 0 : 1);
  }
  int status = 1;
  ASSERT_EQ(::waitpid(child, &status, 0), child);

  EXPECT_EQ(status, 0);
}

}  // namespace
