#include "tamiz/core/base/progress.hpp"

#include <unistd.h>

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <mutex>
#include <optional>

#include "tamiz/core/base/log.hpp"

namespace tamiz {
namespace {

using Clock = std::chrono::steady_clock;
constexpr int k_bar_width = 24;

std::string duration_text(double seconds) {
  char text[32];
  const auto whole = static_cast<long long>(std::min(seconds, 1e12) + 0.5);
  if (whole >= 3600) std::snprintf(text, sizeof text, "%lld:%02lld:%02lld", whole / 3600, whole / 60 % 60, whole % 60);
  else std::snprintf(text, sizeof text, "%lld:%02lld", whole / 60, whole % 60);
  return text;
}

/// "12/s", "0.3/s" or, for what takes minutes each, "4/h".
std::string rate_text(double per_second) {
  char text[32];
  if (per_second >= 0.1) std::snprintf(text, sizeof text, "%.*f/s", per_second < 10.0 ? 1 : 0, per_second);
  else std::snprintf(text, sizeof text, "%.0f/h", per_second * 3600.0);
  return text;
}

}  // namespace

struct Progress::Impl {
  std::string title;
  std::size_t total;
  std::size_t already;
  bool is_terminal = isatty(STDERR_FILENO) == 1;
  Clock::time_point start = Clock::now();
  Clock::time_point last{};
  std::size_t done = 0;
  std::optional<std::size_t> shown;  ///< how many were done when it was shown last
  std::mutex mutex;

  void show(std::string_view note) {
    const double elapsed = std::chrono::duration<double>(Clock::now() - start).count();
    const double share = total > 0 ? std::min(1.0, static_cast<double>(done) / static_cast<double>(total)) : 1.0;
    std::string line = "tamiz: " + title + " ";
    if (is_terminal) {
      const int filled = static_cast<int>(share * k_bar_width);
      line += '[' + std::string(static_cast<std::size_t>(filled), '#') +
              std::string(static_cast<std::size_t>(k_bar_width - filled), '.') + "] ";
    }
    line += std::to_string(done) + "/" + std::to_string(total) + "  " + duration_text(elapsed);
    if (done > already && elapsed > 0.0) {
      const double rate = static_cast<double>(done - already) / elapsed;
      line += "  " + rate_text(rate);
      if (done < total) line += "  " + duration_text(static_cast<double>(total - done) / rate) + " left";
    }
    if (!note.empty()) line += "  " + std::string(note);
    std::fprintf(stderr, is_terminal ? "\r\033[K%s" : "%s\n", line.c_str());
    std::fflush(stderr);
    shown = done;
  }
};

Progress::Progress(std::string title, std::size_t total, std::size_t already) : impl_(std::make_unique<Impl>()) {
  impl_->title = std::move(title);
  impl_->total = total;
  impl_->already = already;
}

Progress::~Progress() {
  if (impl_->shown && impl_->is_terminal) std::fputc('\n', stderr);
}

void Progress::update(std::size_t done, std::string_view note) {
  if (log::level() >= log::Level::error) return;
  const std::lock_guard lock(impl_->mutex);
  impl_->done = done;
  if (!impl_->is_terminal && impl_->shown == done) return;  // a log file needs no clock
  const auto now = Clock::now();
  const auto interval = std::chrono::milliseconds(impl_->is_terminal ? 100 : 5000);
  if (now - impl_->last < interval && done < impl_->total) return;
  impl_->last = now;
  impl_->show(note);
}

}  // namespace tamiz
