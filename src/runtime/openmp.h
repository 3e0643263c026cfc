// Threads of the regions that oneDNN and our own kernels open.
#pragma once

namespace alexnet {

// How many threads a region opened by the calling thread has.
int region_threads();

// While it lives, parallel regions opened by the calling thread have this many threads; other threads and what the caller had
// set before are untouched.
class ThreadScope {
 public:
  explicit ThreadScope(int threads);
  ~ThreadScope();
  ThreadScope(const ThreadScope&) = delete;
  ThreadScope& operator=(const ThreadScope&) = delete;

 private:
  int threads_before_;
  bool dynamic_before_;
};

}  // namespace alexnet
