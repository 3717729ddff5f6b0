#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <string_view>

namespace tamiz {

/// A bar with rate and remaining time on a terminal, a plain line every few seconds in a log file,
/// nothing at log level `error` or above (`--quiet`). Never throws; safe to call from any thread.
class Progress {
 public:
  /// `already` of the total were done before this began: rate and remaining time are those of the others.
  Progress(std::string title, std::size_t total, std::size_t already = 0);
  ~Progress();
  Progress(const Progress&) = delete;
  Progress& operator=(const Progress&) = delete;

  /// Sets how many of `total` are done; `note` is shown behind the bar.
  void update(std::size_t done, std::string_view note = {});

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace tamiz
