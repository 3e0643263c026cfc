#include "runtime/bandwidth.h"

#include <algorithm>
#include <chrono>
#include <vector>

namespace alexnet {

double read_bandwidth(std::uint64_t bytes) {
  constexpr double kSeconds = 0.01;
  constexpr int kTrials = 3;
  const std::vector<std::uint64_t> buffer(std::max<std::uint64_t>(bytes / sizeof(std::uint64_t), 512), 1);
  const auto words = static_cast<std::int64_t>(buffer.size());
  const auto* data = buffer.data();
  const auto repeats_taking = [&](int repeats) {
    const auto start = std::chrono::steady_clock::now();
    std::uint64_t sum = 0;
#pragma omp parallel reduction(+ : sum)
    for (int i = 0; i < repeats; ++i) {
#pragma omp for schedule(static) nowait
      for (std::int64_t word = 0; word < words; ++word) sum += data[word];
    }
    // The sum is used: a compiler may not leave the reading out.
    const double seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    return sum == 0 ? 0.0 : seconds;
  };
  int repeats = 1;
  double seconds = repeats_taking(repeats);
  while (seconds < kSeconds && repeats < 1 << 24) seconds = repeats_taking(repeats *= 2);
  for (int i = 1; i < kTrials; ++i) seconds = std::min(seconds, repeats_taking(repeats));
  return static_cast<double>(words) * sizeof(std::uint64_t) * repeats / seconds;
}

}  // namespace alexnet
