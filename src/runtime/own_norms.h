// Normalisations of our own as choices, on row-major f32. Each takes the layer's parameters in the order in which reference()
// does, and opens parallel regions of what ThreadScope says.
#pragma once

#include <vector>

#include "layers/layer.h"
#include "model/weight.h"
#include "runtime/instruction_set.h"
#include "runtime/kernel.h"

namespace alexnet {

// What every one of them is given: the shape with its batch, the learned tensors, and the threads that the plan was made for.
struct NormContext {
  Shape input;
  std::vector<Weight> parameters;
  int threads = 1;
  SimdLevel level = SimdLevel::baseline;
};

// By statistics of maps. Those that couple the batch take any number of rows, all of the batch at once.
Choice own_norm(const BatchStatisticsNorm& layer, const NormContext& context);
Choice own_norm(const FilterResponseNorm& layer, const NormContext& context);
Choice own_norm(const GroupNorm& layer, const NormContext& context);
Choice own_norm(const InstanceNorm& layer, const NormContext& context);
Choice own_norm(const SwitchableNorm& layer, const NormContext& context);
// By statistics of rows.
Choice own_norm(const LayerNorm& layer, const NormContext& context);
// By stored numbers alone.
Choice own_norm(const MovingAverageBatchNorm& layer, const NormContext& context);
Choice own_norm(const Scale& layer, const NormContext& context);
Choice own_norm(const ScaleShift& layer, const NormContext& context);
// By neighbourhoods.
Choice own_norm(const LocalContrastNorm& layer, const NormContext& context);
Choice own_norm(const LocalMeanSubtraction& layer, const NormContext& context);

}  // namespace alexnet
