// A network ready to be compiled: structure, weights, and what is needed to feed it and to read its answers. One plain value.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

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
  std::string accuracy;       // accuracy.h understands it
  std::string ranges;
  std::string lrn_source;  // lrn_source.h does
  std::optional<Golden> golden;
};

// Throws Error of kind model, listing together all parameters that are missing, unexpected (with the nearest expected name)
// or of another shape than the graph wants, and labels, preprocessing and golden data that do not fit the graph.
void check(const Model& model, const std::string& where);

// What check() lists, in words; empty if all is well. Throws Error if the graph contradicts itself.
std::vector<std::string> problems(const Model& model);
// Throws such a list as one Error of kind model; does nothing if it is empty.
void refuse_if_any(const std::vector<std::string>& problems, const std::string& where, const std::string& hint = {});

// Throws Error of kind model, listing together all weights that hold NaN or infinities. 240 MB of f32 take about 10 ms.
void check_finite(const Weights& weights, const std::string& where, int threads = 1);

// The output that holds the scores before softmax: what the graph's first output reads if it is a softmax, else the output
// itself.
std::string logits_name(const Graph& graph);
// How many scores there are; nothing if the logits are not one row of them for each sample.
std::optional<std::int64_t> class_count(const Graph& graph);

// Weights of rank 2 and more stored this way, the others (biases, statistics) as f32. A weight for which int8_sparse would
// take more room than int8 is stored as int8. Throws Error of kind model, naming the weight, for what stored() refuses.
Weights stored(const Weights& weights, Storage storage);

}  // namespace alexnet
