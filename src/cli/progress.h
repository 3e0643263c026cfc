// How far a long job is, on standard error: a bar on a terminal, a log line about every 30 s elsewhere.
#pragma once

#include <chrono>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>

#include "cli/terminal.h"

namespace alexnet::cli {

struct Progress {
  std::uint64_t done = 0;
  std::uint64_t failed = 0;
  std::optional<std::uint64_t> total = {};
};

// "40/100  57 a second  0:01 left  1 failed", without what is not known.
std::string progress_text(const Progress& progress, double seconds);
// The same behind "[####------] ", in less than `columns`.
std::string progress_bar(const Progress& progress, double seconds, int columns);

class ProgressBar {
 public:
  using Clock = std::chrono::steady_clock;

  // How many there will be in all, if that can be known; asked once, when there is something to show.
  using Count = std::function<std::optional<std::uint64_t>()>;

  // Draws nothing if `quiet`.
  ProgressBar(const Terminal& error_terminal, bool quiet, Count count);
  ~ProgressBar();
  ProgressBar(const ProgressBar&) = delete;
  ProgressBar& operator=(const ProgressBar&) = delete;

  void update(std::uint64_t done, std::uint64_t failed);
  // Clears the line for other text; the next update draws again.
  void hide();

 private:
  Terminal terminal_;
  bool quiet_;
  Count count_;
  std::optional<std::uint64_t> total_;
  bool visible_ = false;
  Clock::time_point start_ = Clock::now();
  Clock::time_point last_ = start_;
};

}  // namespace alexnet::cli
