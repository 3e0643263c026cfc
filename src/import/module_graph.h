// The structure of a pickled torch.nn.Module, as the attributes of its modules tell it.
#pragma once

#include <string>
#include <vector>

#include "formats/pytorch.h"
#include "import/placement.h"
#include "model/lrn_source.h"

namespace alexnet {

struct ModuleGraph {
  Placement placement;  // for pictures of 3x224x224 or so; softmax makes its output
  LrnSources lrn;
  // Only containers of PyTorch's own, which run their modules in order. The forward() of other classes is code, and not in the
  // file: then the modules are taken in the order in which they were made.
  bool all_known = true;
};

// A chain of the modules. Flatten is put in front of the first linear layer if no module does it. Throws Error of kind model
// listing all modules that are not supported, and layers without an activation between them, which says that forward()
// calls functions.
ModuleGraph module_graph(const std::vector<PytorchModule>& modules, const SourceLayers& source, const std::string& where);

// Whether two chains are the same but for names, widths, dropout, and batch normalisation in the first, which is taken not to
// matter.
bool same_structure(const Graph& a, const Graph& b);

}  // namespace alexnet
