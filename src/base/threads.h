// How many threads this process may sensibly use, and why.
#pragma once

#include <string>

namespace alexnet {

struct ThreadBudget {
  int threads = 1;
  std::string reason;  // "2 processors allowed by affinity", "OMP_NUM_THREADS"
};

// The smallest of what OMP_NUM_THREADS (when it is a positive number), the processor affinity and the cgroup's CPU quota
// (v1 and v2, this cgroup and its parents) allow.
ThreadBudget thread_budget();

}  // namespace alexnet
