// How fast networks run on this machine.
#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "model/model.h"
#include "runtime/network.h"
#include "tasks/classify.h"

namespace alexnet {

// Of the milliseconds that the rounds took.
struct Timing {
  double median = 0;
  double p90 = 0;
  double p99 = 0;
  double spread = 0;  // half the distance from the 25th to the 75th percentile, as part of the median
  std::size_t rounds = 0;
};
Timing timing_of(std::vector<double> milliseconds);

struct BenchOptions {
  std::vector<std::int64_t> batches = {1, 8, 32};
  double seconds = 2;                      // for each case, about; at least five rounds are run
  std::optional<Tensor> sample = {};       // for each row of the first input; else pseudo-random numbers
  const std::atomic<int>* stop = nullptr;  // not zero: end with the rounds so far
};

// A network with a batch.
struct BenchCase {
  std::shared_ptr<const Network> network;
  std::int64_t batch = 0;
  Timing timing;
  double images_per_second = 0;
  double operations_per_second = 0;    // two for each multiply-add that the layers as written need
  double weight_bytes_per_second = 0;  // in the form in which they are read; once for each block of rows
};

// Runs all networks at all batches in turn, round by round, so that a machine that slows down slows all of them down. Empty if
// stopped before the first round has ended.
std::vector<BenchCase> bench(std::span<const std::shared_ptr<const Network>> networks, const BenchOptions& options);

// A step of the plan beside what its layers could take.
struct BenchStep {
  PlanStep plan;
  double milliseconds = 0;       // of a whole batch, as are the others
  double bare_milliseconds = 0;  // 0: oneDNN has no primitive for it
  std::string bare_implementation;
  double arithmetic_milliseconds = 0;  // its multiply-adds at the machine's peak
  double memory_milliseconds = 0;      // its bytes at the bandwidth measured for where they lie
};

struct LayerBench {
  std::shared_ptr<const Network> network;
  std::int64_t batch = 0;
  std::size_t rounds = 0;
  double milliseconds = 0;                // the network as it runs
  double bare_milliseconds = 0;           // the sum over all bare primitives of its layers
  std::vector<BenchStep> steps;           // medians
  double peak_operations_per_second = 0;  // two for each multiply-add of a large matrix product in this precision
  double memory_bytes_per_second = 0;     // read from beyond the caches
};

// The compiled network, its steps, and each layer's bare oneDNN primitive (runtime/onednn/bare.h), in turn. The bare primitives
// take as many samples at once as the network's steps do. Empty steps if stopped.
LayerBench bench_layers(const Model& model, std::shared_ptr<const Network> network, std::int64_t batch,
                        const BenchOptions& options);

// From files to labels: classify() over the same pictures, again and again.
struct PipelineBench {
  std::uint64_t pictures = 0;
  std::uint64_t failed = 0;
  Timing timing;
  double pictures_per_second = 0;
  // Of the median pass. Decoding and resizing are sums over threads; the network uses all threads at once.
  ClassifyTotals totals;
  double busy = 0;  // the part of all threads' time that went into these three
};
// Empty (no rounds) if stopped.
PipelineBench bench_pipeline(std::shared_ptr<const Network> network, const Preprocessing& preprocessing,
                             const std::vector<std::string>& operands, const PictureSourceOptions& source,
                             const ClassifyOptions& classify, const BenchOptions& options);

// The model with pseudo-random weights: uniform within sqrt(6 / fan-in), which keeps the size of activations (He et al. 2015,
// section 2.2).
Model random_model(Graph graph);

}  // namespace alexnet
