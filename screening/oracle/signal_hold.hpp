#pragma once

#include <signal.h>

#include <ctime>

namespace tamiz {

/// Keeps one signal that a write can raise (SIGPIPE, SIGXFSZ) from ending the process: the write then
/// returns an error, which is dealt with. Only the calling thread is touched, so that the host program's
/// own handlers stay as they are.
class SignalHold {
 public:
  explicit SignalHold(int signal) {
    sigset_t pending;
    sigpending(&pending);
    was_pending_ = sigismember(&pending, signal) == 1;
    sigemptyset(&held_);
    sigaddset(&held_, signal);
    pthread_sigmask(SIG_BLOCK, &held_, &previous_);
  }
  ~SignalHold() {
    const timespec at_once{};
    if (!was_pending_) sigtimedwait(&held_, nullptr, &at_once);
    pthread_sigmask(SIG_SETMASK, &previous_, nullptr);
  }
  SignalHold(const SignalHold&) = delete;
  SignalHold& operator=(const SignalHold&) = delete;

 private:
  sigset_t held_{}, previous_{};
  bool was_pending_ = false;
};

}  // namespace tamiz
