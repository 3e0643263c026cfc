// Known networks without their weights: structure and preprocessing, as models/*.json describe them.
#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "graph/graph.h"
#include "image/preprocess.h"

namespace alexnet {

struct Architecture {
  std::string name;
  std::string origin;  // where structure and numbers come from, as sentences
  Graph graph;
  Preprocessing preprocessing;
};

// paper, bvlc, caffenet, torchvision, krizhevsky2012: carried inside the library.
std::vector<std::string> architecture_names();

// Throws Error of kind usage for a name that is not in the list.
Architecture architecture(std::string_view name);
// Reads {"name", "origin": [SENTENCE...], "preprocess": [...], "graph": {...}}. Throws Error of kind model.
Architecture read_architecture(const std::filesystem::path& path);

// The graph with this many scores. Throws Error of kind model if they come from no linear or convolutional layer, of kind usage
// for less than one.
Graph with_classes(Graph graph, std::int64_t classes);

}  // namespace alexnet
