// The nodes of an ONNX graph that its outputs depend on, each after those that it reads.
#pragma once

#include <vector>

#include "formats/onnx.h"

namespace alexnet {

// Throws Error of kind model, naming nodes and values, for a cycle, a value that nothing makes, a value that is made twice, and an
// output that nothing makes. `where` names the file.
std::vector<const OnnxNode*> ordered_nodes(const OnnxGraph& graph, const std::string& where);

// Every name that a node reads from outside: its inputs, and what the graphs in its attributes take from around them.
std::vector<std::string> names_read(const OnnxNode& node);

// A node in messages: "node 'conv1' (Conv)".
std::string label_of(const OnnxNode& node);

}  // namespace alexnet
