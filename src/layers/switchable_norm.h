#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// Where a switchable normalisation takes a channel's mean and variance over the batch from.
enum class BatchPart {
  stored,    // averages from training
  of_batch,  // the batch itself: what a sample gets depends on the others
  none,      // nowhere: the mixtures have two parts
};

// y = scale * (x - mean) / sqrt(variance + epsilon) + offset per element of (N, C, ...) with 3 axes or more, where mean and
// variance are mixtures, weighted by softmax(mean_weight) and softmax(variance_weight), of three: of the map (n, c), of the
// sample n, and of the channel c (Luo et al. 2019). The parameters are mean_weight and variance_weight (3, or 2 with
// BatchPart::none); mean and variance (C) for BatchPart::stored; scale and offset (C), which may be absent.
// As in the authors' code, a map's variance is divided by its number of pixels less one, and a sample's variance is the mean of
// its maps' variances and the variance of its maps' means. (With a single pixel theirs is 0 / 0, ours is 0.)
struct SwitchableNorm {
  static constexpr std::string_view kKind = "switchable_norm";

  double epsilon = 1e-5;
  BatchPart batch_part = BatchPart::stored;
  bool scale = true;
  bool offset = true;

  bool couples_batch() const { return batch_part == BatchPart::of_batch; }

  static void fields(auto& self, auto&& visit) {
    visit("epsilon", self.epsilon);
    visit("batch_part", self.batch_part);
    visit("scale", self.scale);
    visit("offset", self.offset);
  }
  friend bool operator==(const SwitchableNorm&, const SwitchableNorm&) = default;
};

Shape output_shape(const SwitchableNorm& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const SwitchableNorm& layer, std::span<const Shape> inputs);
Tensor reference(const SwitchableNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
