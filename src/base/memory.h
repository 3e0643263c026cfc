// How much memory this process may still take.
#pragma once

#include <cstdint>

namespace alexnet {

// Bytes: the smallest of what the machine has available, what the cgroup's memory limit (v1 and v2, this cgroup and its
// parents) leaves, and what the address space limit (ulimit -v) leaves. UINT64_MAX where none of them can be read.
std::uint64_t free_memory();

}  // namespace alexnet
