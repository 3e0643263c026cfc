// What stands behind a step of the plan: something that runs, and what is known about it before it is made.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <span>
#include <string>

#include "runtime/layout.h"

namespace alexnet {

// Where a step finds its tensors. Addresses are aligned to their elements at least; `scratch` to 64 bytes.
struct StepMemory {
  std::span<const std::byte* const> sources;
  std::byte* destination = nullptr;
  std::byte* scratch = nullptr;
  std::int64_t rows = 1;  // for kernels that take any number of rows
};

// Runs for one session, on the thread that calls it.
using Run = std::function<void(const StepMemory&)>;

// The const part, shared by all sessions: weights and code. Calling it makes what one session needs to run.
using Kernel = std::function<Run()>;

// A way to compute a layer, described; prepare() then converts weights and makes the kernel, once.
struct Choice {
  std::string implementation;
  Layout source;
  Layout destination;
  std::uint64_t scratch_bytes = 0;
  std::uint64_t weight_bytes = 0;   // that it reads
  std::uint64_t created_bytes = 0;  // of them, those that prepare() allocates
  bool any_rows = false;            // takes any number of rows at once, the same bits for each
  std::int64_t slice_rows = 1;      // takes up to this many samples of a slice at once, the same bits for each
  bool all_threads = false;         // runs right only on as many threads as it was made for
  bool whole_batch = false;         // takes all rows of a run at once, since they depend on one another; scratch is for one
  std::string precision = "f32";    // what it computes in
  double error_growth = 1;          // as PlanStep::error_growth
  std::string note = {};
  std::function<Kernel()> prepare = {};
};

}  // namespace alexnet
