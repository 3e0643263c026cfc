#pragma once

#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// y = max(scale * x / sqrt(nu2 + |epsilon|) + offset, threshold), nu2 the mean of x * x over each map (n, c) of (N, C, ...)
// (Singh and Krishnan 2020: FRN and its thresholded linear unit). The parameters are (C) each and may be absent; with
// `learned_epsilon` there is one more, `epsilon`, and the number here is not used.
struct FilterResponseNorm {
  static constexpr std::string_view kKind = "filter_response_norm";

  double epsilon = 1e-6;
  bool learned_epsilon = false;
  bool threshold = true;
  bool scale = true;
  bool offset = true;

  static void fields(auto& self, auto&& visit) {
    visit("epsilon", self.epsilon);
    visit("learned_epsilon", self.learned_epsilon);
    visit("threshold", self.threshold);
    visit("scale", self.scale);
    visit("offset", self.offset);
  }
  friend bool operator==(const FilterResponseNorm&, const FilterResponseNorm&) = default;
};

Shape output_shape(const FilterResponseNorm& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const FilterResponseNorm& layer, std::span<const Shape> inputs);
Tensor reference(const FilterResponseNorm& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
