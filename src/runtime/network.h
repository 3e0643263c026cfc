// From a model to something that runs: compile() chooses primitives, layouts and memory once; a Network is immutable and
// shared by threads; a Session is one thread's scratch space and runs without allocating (OpenMP does, for regions inside others,
// where slices run at once).
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "model/model.h"
#include "runtime/plan.h"

namespace alexnet {

// What a layer computes in. `automatic`: the fastest whose cost in top-1 the model records as at most 0.5 points, else f32.
enum class Precision { automatic, f32, bf16, int8 };

// Samples of a run are taken in blocks of at most this many: the steps before the first linear layer run over them slice by
// slice, the others over the whole block. More rows share the reading of weights; beyond 32 that gains little.
inline constexpr std::int64_t kMostRows = 32;

struct CompileOptions {
  int threads = 0;  // 0: what thread_budget() allows
  Precision precision = Precision::f32;
  // Convolutions of f32 by Winograd's method where that is faster: fewer multiplications, with a rounding error some times larger.
  bool winograd = true;
  // bf16 also on AVX-512 without instructions for it, where it is slower than f32: to see what it costs in accuracy.
  bool emulate_bf16 = false;
  // Samples in a block, 1 to kMostRows. With no more than a run will have, nothing is prepared that pays for more rows only.
  std::int64_t rows = kMostRows;
  // Names of nodes (or inputs) to make readable besides the graph's outputs. A kept node is never fused away.
  std::vector<std::string> keep = {};
  // Bytes that a session's arena and the weights made by compile() may take together.
  std::uint64_t max_memory = UINT64_MAX;
  // A folder in which weights that were prepared for this processor are kept for the next time: they are then mapped instead of
  // made. Empty: none, nothing is written. What is wrong with the folder shows in the plan alone.
  std::filesystem::path prepared = {};
};

struct TensorInfo {
  std::string name;
  Shape shape;  // of one sample
};

class Network {
 public:
  ~Network();
  const std::vector<TensorInfo>& inputs() const;
  const std::vector<TensorInfo>& outputs() const;  // the graph's outputs, then CompileOptions::keep, without repeats
  const Plan& plan() const;                        // plain data: what runs
  int threads() const;

 private:
  friend std::shared_ptr<const Network> compile(const Model& model, const CompileOptions& options);
  friend class Session;
  struct Impl;
  explicit Network(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

// The model must have passed check(); its weights are shared where they run as they are stored. Throws Error of kind model (naming
// the layer) for what can't be run, usage for options out of range and for an unknown name to keep, and resources for more
// memory than allowed, before it is taken.
std::shared_ptr<const Network> compile(const Model& model, const CompileOptions& options);

class Session {
 public:
  // `timed`: keep the seconds that each step takes.
  explicit Session(std::shared_ptr<const Network> network, bool timed = false);
  ~Session();
  Session(Session&&) noexcept;
  Session& operator=(Session&&) noexcept;

  // Runs `batch` samples. inputs[i] holds batch x elements of network.inputs()[i], row-major f32; outputs[i] receives
  // batch x elements of network.outputs()[i]. Any batch; each row's bits depend neither on the batch nor on the threads. Only where
  // Plan::whole_batch names layers do they depend on the batch, which then runs as a whole, and the session grows to the largest
  // that it was given. Throws Error of kind usage for tensors of other sizes, and resources for such a batch that takes more memory
  // than allowed.
  void run(std::int64_t batch, std::span<const std::span<const float>> inputs, std::span<const std::span<float>> outputs);

  // What each step of the plan took in all runs since it was last asked for, if the session is timed; else empty.
  std::vector<double> take_step_seconds();

 private:
  struct Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace alexnet
