#include "runtime/parallel.h"

#include <atomic>
#include <exception>
#include <mutex>
#include <thread>
#include <vector>

#include <fmt/format.h>

#include "alexnet/error.h"

namespace alexnet {

// `threads` is read by the pragma alone, which tools without OpenMP pass over.
void parallel_for(std::int64_t count, [[maybe_unused]] int threads, const std::function<void(std::int64_t)>& body) {
  std::exception_ptr first;
  std::mutex mutex;
  std::atomic<std::int64_t> ended = 0;  // shows ThreadSanitizer the order that the region's barrier makes
#pragma omp parallel for num_threads(threads) schedule(dynamic) if (count > 1 && threads > 1)
  for (std::int64_t i = 0; i < count; ++i) {
    try {
      body(i);
    } catch (...) {
      const std::lock_guard lock(mutex);
      if (!first) first = std::current_exception();
    }
    ended.fetch_add(1, std::memory_order_release);
  }
  ended.load(std::memory_order_acquire);
  if (first) std::rethrow_exception(first);
}

void start_threads(int threads) {
  // Plain threads first, all alive at once as those of the pool will be: their failure is an exception.
  std::mutex gate;
  std::vector<std::thread> trial;
  try {
    const std::lock_guard closed(gate);
    while (static_cast<int>(trial.size()) < threads - 1) trial.emplace_back([&gate] { const std::lock_guard wait(gate); });
  } catch (const std::exception&) {
  }
  for (auto& thread : trial) thread.join();
  if (static_cast<int>(trial.size()) < threads - 1) {
    throw Error(ErrorKind::resources, "", fmt::format("only {} of {} threads can be started", trial.size() + 1, threads),
                "give fewer with --threads, or raise the limits on processes and memory");
  }
#pragma omp parallel num_threads(threads)
  {}
}

}  // namespace alexnet
