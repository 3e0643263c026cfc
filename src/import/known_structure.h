// Networks whose structure is one of ours, whatever their layers are called.
#pragma once

#include <map>
#include <optional>
#include <string>

#include "graph/graph.h"
#include "import/report.h"

namespace alexnet {

struct KnownStructure {
  std::string architecture;
  std::map<std::string, std::string> names;  // of the graph's input and layers, each with its name in the architecture
};

// The architecture that computes the same from the same input: dropouts, a softmax at the end and pools that change nothing count
// in neither, nor does the number of classes. Nothing if there is none.
std::optional<KnownStructure> known_structure(const Graph& graph);

// Gives layers, weights and whatever speaks of them these names. A layer without a new name keeps its own, unless another one
// takes it.
void rename(Imported& imported, const std::map<std::string, std::string>& names);

}  // namespace alexnet
