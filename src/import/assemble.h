// The last step of an import from named tensors: tensors become the weights of layers.
#pragma once

#include "import/fit.h"
#include "import/report.h"
#include "import/state_dict.h"

namespace alexnet {

// Fills in graph, weights and the rows of the report. The fit must have no problems. Tensors of f32, f16 and bf16 stay as they are
// unless an option or a layer wants them otherwise.
void assemble(const Fit& fit, const SourceLayers& source, const StateDictOptions& options, Imported& into);

}  // namespace alexnet
