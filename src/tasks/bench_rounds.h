// What the benchmarks share: a network on buffers of its own, and rounds.
#pragma once

#include <chrono>
#include <span>
#include <vector>

#include "tasks/bench.h"

namespace alexnet {

double milliseconds_of(auto&& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double, std::milli>(std::chrono::steady_clock::now() - begin).count();
}

// A session with inputs as BenchOptions says.
class BenchRun {
 public:
  BenchRun(std::shared_ptr<const Network> network, std::int64_t batch, const BenchOptions& options, bool timed = false);
  double operator()();  // the milliseconds of one run
  Session& session() { return session_; }

 private:
  Session session_;
  std::int64_t batch_;
  std::vector<Tensor> inputs_;
  std::vector<Tensor> outputs_;
  std::vector<std::span<const float>> sources_;
  std::vector<std::span<float>> destinations_;
};

// Calls round(/*counts=*/false) once, then round(true) until options.seconds for each of `cases` have passed, but five times at
// least, if nobody stops it.
void run_rounds(const BenchOptions& options, double cases, const auto& round) {
  constexpr std::size_t kLeast = 5;
  const auto stopped = [&] { return options.stop != nullptr && *options.stop != 0; };
  if (!stopped()) round(false);
  double milliseconds = 0;
  for (std::size_t done = 0; !stopped() && (done < kLeast || milliseconds < 1e3 * options.seconds * cases); ++done)
    milliseconds += milliseconds_of([&] { round(true); });
}

}  // namespace alexnet
