// What `alexnet bench` prints.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/threads.h"
#include "cli/terminal.h"
#include "tasks/bench.h"

namespace alexnet::cli {

struct BenchParts {
  std::string model;
  std::string pictures;  // the folder of the pipeline
  std::string load;      // of the machine before the measurement: "0.05"
  ThreadBudget threads;  // how many and why
  std::vector<BenchCase> cases = {};
  std::vector<LayerBench> layers = {};
  std::optional<PipelineBench> pipeline = {};
};

std::string bench_text(const BenchParts& parts, const Terminal& terminal);
std::string bench_json(const BenchParts& parts);

}  // namespace alexnet::cli
