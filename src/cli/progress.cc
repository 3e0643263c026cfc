#include "cli/progress.h"

#include <unistd.h>

#include <algorithm>
#include <cmath>
#include <utility>

#include <fmt/format.h>

#include "base/log.h"

namespace alexnet::cli {
namespace {

constexpr auto kBeforeFirst = std::chrono::milliseconds(500);  // short jobs show nothing
constexpr auto kBetweenBars = std::chrono::milliseconds(100);
constexpr auto kBetweenLines = std::chrono::seconds(30);

std::string clock_text(double seconds) {
  const auto whole = static_cast<long long>(std::ceil(seconds));
  if (whole >= 3600) return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

// Nothing to do about an error: the bar is all that would have been there.
void show(const std::string& text) { [[maybe_unused]] const auto written = ::write(STDERR_FILENO, text.data(), text.size()); }

}  // namespace

std::string progress_text(const Progress& progress, double seconds) {
  const double rate = seconds > 0 ? static_cast<double>(progress.done) / seconds : 0;
  std::string text = progress.total ? fmt::format("{}/{}", progress.done, *progress.total) : fmt::format("{}", progress.done);
  text += fmt::format("  {:.{}f} a second", rate, rate < 10 ? 1 : 0);
  if (progress.total && rate > 0 && *progress.total > progress.done) {
    text += fmt::format("  {} left", clock_text(static_cast<double>(*progress.total - progress.done) / rate));
  }
  if (progress.failed > 0) text += fmt::format("  {} failed", progress.failed);
  return text;
}

std::string progress_bar(const Progress& progress, double seconds, int columns) {
  std::string text = progress_text(progress, seconds);
  const int room = std::min(columns - static_cast<int>(text.size()) - 4, 40);
  if (progress.total && *progress.total > 0 && room >= 5) {
    const int filled =
        static_cast<int>(std::min(progress.done, *progress.total) * static_cast<std::uint64_t>(room) / *progress.total);
    text = fmt::format("[{:#<{}}{:-<{}}] {}", "", filled, "", room - filled, text);
  }
  return cut_to(text, columns - 1, /*utf8=*/false);
}

ProgressBar::ProgressBar(const Terminal& error_terminal, bool quiet, Count count)
    : terminal_(error_terminal), quiet_(quiet), count_(std::move(count)) {}

ProgressBar::~ProgressBar() { hide(); }

void ProgressBar::update(std::uint64_t done, std::uint64_t failed) {
  const auto now = Clock::now();
  const auto elapsed = now - start_;
  if (quiet_ ||
      (terminal_.present ? elapsed < kBeforeFirst || (visible_ && now - last_ < kBetweenBars) : now - last_ < kBetweenLines))
    return;
  last_ = now;
  if (count_) total_ = std::exchange(count_, nullptr)();
  const Progress progress{.done = done, .failed = failed, .total = total_};
  const double seconds = std::chrono::duration<double>(elapsed).count();
  if (!terminal_.present) {
    log(LogLevel::info, progress_text(progress, seconds));
    return;
  }
  visible_ = true;
  show("\r\x1b[K" + progress_bar(progress, seconds, terminal_.columns));
}

void ProgressBar::hide() {
  if (visible_) show("\r\x1b[K");
  visible_ = false;
}

}  // namespace alexnet::cli
