#include "runtime/openmp.h"

#include <omp.h>

namespace alexnet {

int region_threads() { return omp_get_max_threads(); }

// Without dynamic adjustment a region has as many threads as were asked for, which oneDNN's primitives rely on.
ThreadScope::ThreadScope(int threads) : threads_before_(omp_get_max_threads()), dynamic_before_(omp_get_dynamic() != 0) {
  omp_set_num_threads(threads);
  omp_set_dynamic(0);
}

ThreadScope::~ThreadScope() {
  omp_set_num_threads(threads_before_);
  omp_set_dynamic(dynamic_before_ ? 1 : 0);
}

}  // namespace alexnet
