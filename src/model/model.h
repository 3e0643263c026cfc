// A network ready to be compiled: structure, weights, and what is needed to feed it and to read its answers. One plain value.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/json.h"
#include "formats/label_list.h"
#include "graph/graph.h"
#include "image/preprocess.h"
#include "model/weight.h"

namespace alexnet {

// A picture (U8, height x width x 3) and the logits (F32) that the network gave for it when the model file was made.
struct Golden {
  Tensor input;
  Tensor logits;
};

struct Model {
  Graph graph;
  Weights weights;
  Preprocessing preprocessing;
  std::vector<Label> labels;  // in output order; empty when unknown
  std::string provenance;     // JSON texts, as the model file holds them; empty when absent
  std::string accuracy;
  std::string ranges;
  std::string lrn_source;
  std::optional<Golden> golden;
};

// Throws Error of kind model, listing together all parameters that are missing, unexpected (with the nearest expected name)
// or of another shape than the graph wants, and a label count that differs from the number of outputs.
void check(const Model& model, const std::string& where);

// The output that holds the scores before softmax: what a graph output reads if it is a softmax, else the output itself.
std::string logits_name(const Graph& graph);

}  // namespace alexnet
