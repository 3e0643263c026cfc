// What a compiled network does, as plain data: what `inspect --plan` prints is what runs.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "runtime/prepared.h"

namespace alexnet {

struct PlanStep {
  std::string kind;                 // "convolution", "reorder", ...
  std::vector<std::string> layers;  // those computed here, in order: {"conv1", "relu1"}; for a reorder, whose output it moves
  std::string implementation;       // oneDNN's own name for its kernel ("jit:avx512_core"), "own:...", or "reference"
  std::string precision;            // what it computes in: "f32"
  std::string source_layout;        // "nhwc"; "nChw16c" is blocks of 16 channels
  std::string destination_layout;
  bool rows = false;               // false: runs once for each slice of the batch; true: for many rows at once
  std::uint64_t arena_offset = 0;  // where its output lies, and how many bytes that takes
  std::uint64_t arena_bytes = 0;
  std::uint64_t scratch_bytes = 0;  // of the arena, while it runs
  std::uint64_t weight_bytes = 0;   // that it reads, in the form in which it reads them
  std::uint64_t macs = 0;           // multiply-adds for one sample
  double error_growth = 1;          // rounding error of its sums, against that of adding up all products one after the other
  std::string note;                 // why it is not the usual choice; often empty
};

// A layer that no step computes.
struct PlanAbsence {
  std::string layer;
  std::string reason;  // "view of 'pool5'", "folded into 'conv1'"
};

struct Plan {
  std::vector<PlanStep> steps;
  std::vector<std::string> passes;  // what was done to the model before: "dropped dropout 'drop6'"
  std::vector<PlanAbsence> absent;
  std::string precision;                 // what the network was compiled for
  std::string note;                      // why that is not what was asked for; often empty
  std::vector<std::string> whole_batch;  // layers that take statistics from the batch: a run's rows depend on one another
  std::string instruction_set;           // "AVX-512 with VNNI and BF16"
  int threads = 0;
  std::int64_t slice = 0;           // samples that the steps before the linear layers take at once
  int slices_at_once = 1;           // more than one: each on a thread of its own, in runs of that many samples at least
  std::int64_t rows = 0;            // samples that the steps from the first linear layer on take at once, at most
  std::uint64_t arena_bytes = 0;    // for each session; for each sample of its largest run if the batch runs as a whole
  std::uint64_t weight_bytes = 0;   // read by all steps together
  std::uint64_t created_bytes = 0;  // of them, made by compile() beside the model's own
  std::uint64_t macs = 0;           // multiply-adds for one sample
  PreparedCounts prepared;          // all zero without CompileOptions::prepared
};

}  // namespace alexnet
