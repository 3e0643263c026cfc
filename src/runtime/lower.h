// From a model to the steps that run it: which kernel computes each layer, in which layout, and where its tensors lie.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "model/model.h"
#include "runtime/kernel.h"
#include "runtime/network.h"
#include "runtime/plan.h"
#include "runtime/prepared.h"

namespace alexnet {

// A tensor of a running network. Several share their bytes when one is only a view of the other.
struct Value {
  Shape sample;  // without the batch
  Layout layout;
  std::size_t storage = 0;
  bool rows = false;  // made by a step that takes many rows at once, or after one
};

// Bytes for one sample: an input of the network, read where the caller has it, or a place in the arena.
struct ValueStorage {
  std::optional<std::size_t> input;
  std::uint64_t bytes = 0;
  bool of_slice = false;  // in the part of the arena that each slice under way has for itself, else in the one for a block
  std::uint64_t offset = 0;
  std::int64_t samples = 1;  // that it holds, one behind the other
};

struct NetworkStep {
  PlanStep plan;
  Choice choice;
  std::vector<std::size_t> sources;        // values
  std::optional<std::size_t> destination;  // a value, or
  std::optional<std::size_t> output;       // an output of the network
  bool rows = false;                       // runs after all slices of a block of rows
  std::uint64_t scratch_offset = 0;
};

// Samples in a slice, if a step takes more than one: four of 13 x 13 are enough for the weights of Winograd convolutions.
inline constexpr std::int64_t kSlice = 4;

// Steps [begin, end), which run one behind the other for `rows` samples, then for the next ones.
struct Segment {
  std::size_t begin = 0;
  std::size_t end = 0;
  std::int64_t rows = 1;
};

struct Program {
  std::vector<Value> values;
  std::vector<ValueStorage> storages;
  std::vector<NetworkStep> steps;  // those with rows behind those without
  std::vector<Segment> segments;   // all steps in order
  std::size_t slice_segments = 0;  // the first of them run for each slice, the others for a block
  // Not zero only if the batch runs as a whole, segment by segment. Then the arena begins with this many bytes of scratch that
  // steps of single rows share, and behind them every offset is to be multiplied by the number of samples.
  std::uint64_t shared_bytes = 0;
  // The arena's parts else: one for tensors and scratch of a block, then one for each slice that may be under way.
  std::uint64_t block_bytes = 0;
  std::uint64_t slice_bytes = 0;
  std::vector<TensorInfo> inputs;
  std::vector<TensorInfo> outputs;
  std::uint64_t max_memory = UINT64_MAX;
  std::shared_ptr<WeightStore> prepared;  // where weights come from and go to; null for nowhere
  Plan plan;
};

// A tensor to be read by the caller, and the name under which the model now makes it.
struct Exposed {
  std::string name;
  std::string made_as;
};

// The model must have passed check(), and the precision must be chosen. Nothing large is allocated yet: prepare() of the steps'
// choices does that. Runs under a ThreadScope of options.threads.
Program lower(const Model& model, const std::vector<Exposed>& outputs, const CompileOptions& options);

}  // namespace alexnet
