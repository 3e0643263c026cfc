// The closed list of layer kinds, and what can be done with any of them. A new kind is one pair of files beside this one
// and one line of the variant; the compiler then names every place that must handle it.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "layers/adaptive_average_pool.h"
#include "layers/add.h"
#include "layers/average_pool.h"
#include "layers/batch_norm.h"
#include "layers/batch_statistics_norm.h"
#include "layers/clip.h"
#include "layers/concat.h"
#include "layers/convolution.h"
#include "layers/dropout.h"
#include "layers/filter_response_norm.h"
#include "layers/flatten.h"
#include "layers/group_norm.h"
#include "layers/instance_norm.h"
#include "layers/layer_norm.h"
#include "layers/linear.h"
#include "layers/local_contrast_norm.h"
#include "layers/local_mean_subtraction.h"
#include "layers/lrn.h"
#include "layers/matmul.h"
#include "layers/max_pool.h"
#include "layers/moving_average_batch_norm.h"
#include "layers/multiply.h"
#include "layers/pad.h"
#include "layers/relu.h"
#include "layers/reshape.h"
#include "layers/scale.h"
#include "layers/scale_shift.h"
#include "layers/slice.h"
#include "layers/softmax.h"
#include "layers/switchable_norm.h"
#include "layers/transpose.h"

namespace alexnet {

using Layer = std::variant<AdaptiveAveragePool, Add, AveragePool, BatchNorm, BatchStatisticsNorm, Clip, Concat, Convolution,
                           Dropout, FilterResponseNorm, Flatten, GroupNorm, InstanceNorm, LayerNorm, Linear, LocalContrastNorm,
                           LocalMeanSubtraction, Lrn, MatMul, MaxPool, MovingAverageBatchNorm, Multiply, Pad, Relu, Reshape, Scale,
                           ScaleShift, Slice, Softmax, SwitchableNorm, Transpose>;

// The kind's name in model files: "convolution".
std::string_view kind(const Layer& layer);

// How many inputs the kind takes: one, unless it says otherwise by a member kInputs.
InputCount input_count(const Layer& layer);

// Whether what the layer makes of a sample depends on the other samples of its batch, so that a batch must run as a whole.
bool batch_coupled(const Layer& layer);

// All shapes include the batch as their first extent. Errors are of kind model and do not know the layer's name; whoever
// knows it adds it.
Shape output_shape(const Layer& layer, std::span<const Shape> inputs);

// The learned tensors, in the order in which reference() takes them.
std::vector<Parameter> parameters(const Layer& layer, std::span<const Shape> inputs);

// The plain, obviously right computation: f32 in and out, sums in double. Every fast path is checked against it.
Tensor reference(const Layer& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

// The parameters as {"kind": ..., parameter: value, ...}, leaving out those at their default.
Json to_json(const Layer& layer);
// Reads such an object. Throws Error of kind model for an unknown kind, an unknown key (naming the likely one) and a value of the
// wrong type. Keys listed in `ignored` belong to the caller.
Layer layer_from_json(const Json& json, std::span<const std::string_view> ignored);

}  // namespace alexnet
