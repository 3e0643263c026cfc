// What is in a model.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "base/json.h"
#include "model/model.h"
#include "runtime/network.h"

namespace alexnet {

struct LayerRow {
  std::string name;
  std::string kind;
  std::string parameters;  // "kernel=[11,11] stride=[4,4]", those that are not at their defaults
  std::vector<std::string> inputs;
  Shape output;  // of one sample
  std::int64_t parameter_count = 0;
  std::int64_t multiply_adds = 0;  // of one sample, in convolutions and linear layers
  std::string storage;             // of the weight; empty without one
};

struct TensorRow {
  std::string name;
  Shape shape;
  std::string storage;
  std::uint64_t bytes = 0;
};

struct Inspection {
  std::vector<TensorInfo> inputs;
  std::vector<LayerRow> layers;
  std::vector<std::string> outputs;
  std::vector<TensorRow> tensors;
  std::int64_t parameter_count = 0;
  std::int64_t multiply_adds = 0;
  std::uint64_t weight_bytes = 0;
};

Inspection inspect(const Model& model);

}  // namespace alexnet
