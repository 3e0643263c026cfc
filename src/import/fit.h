// How well a checkpoint's tensors fit an architecture.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "import/placement.h"
#include "import/source_layers.h"
#include "model/architecture.h"

namespace alexnet {

struct Fit {
  std::string architecture;
  Placement placement;                // its graph as the tensors want it
  bool own_widths = true;             // all layers but the last are as wide as the architecture says
  std::optional<std::int64_t> input;  // the side of its pictures, if not the architecture's
  bool broken = false;                // with the tensors' widths the graph contradicts itself
  std::vector<std::string> problems;  // missing, not expected and wrongly shaped tensors, in words
};

// The layers of the source that a layer of the placement is made of, those that are there.
std::vector<const SourceLayer*> sources_of(const Placement& placement, const std::string& layer, const SourceLayers& source);

// Whether `a` fits worse than `b`.
bool is_worse(const Fit& a, const Fit& b);

// The placement with all its layers as the tensors want them, and what does not fit.
Fit fit(const Placement& placement, const SourceLayers& source);

// The best way to read the source as this architecture: without problems if there is one, else with the fewest.
Fit best_fit(const Architecture& architecture, const SourceLayers& source);

// Whether a tensor can be this parameter, perhaps after a change of shape: extents of 1 do not count, and one number may stand
// for an epsilon of all channels.
bool can_be(const Shape& tensor, const NamedParameter& parameter);

}  // namespace alexnet
