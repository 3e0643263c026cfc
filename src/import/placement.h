// Which layer of a checkpoint belongs to which layer of an architecture, as far as names can say.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "graph/graph.h"
#include "import/source_layers.h"

namespace alexnet {

struct Placement {
  enum class By {
    names,    // the source's layers have the names of the architecture's, or names below them: conv1, conv1.0
    numbers,  // they stand where their numbers in an nn.Sequential say
    order,    // nothing but their order
  };
  By by = By::order;
  Graph graph;                                              // the architecture's, with the batch normalisations that it lacks
  std::map<std::string, std::vector<std::string>> sources;  // by layer, the source's layers, there or not
  std::vector<std::string> batch_norms;                     // those put in
};

// All ways in which it may be read, the surer ones first.
std::vector<Placement> placements(const Graph& graph, const SourceLayers& source);

}  // namespace alexnet
