#pragma once

#include <cstdint>
#include <functional>

namespace alexnet {

// Calls body(0) ... body(count - 1), each once, on so many OpenMP threads: those that the network's primitives run on, so that
// the two never compete for processors. The first exception is rethrown when all calls have ended.
void parallel_for(std::int64_t count, int threads, const std::function<void(std::int64_t)>& body);

// Starts the OpenMP threads of the calling thread, which then stay. Throws Error of kind resources if that many can't be
// started (the OpenMP library itself would end the process).
void start_threads(int threads);

}  // namespace alexnet
