#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// The input with `value` around it: before[i] elements in front of and after[i] behind axis i + 1, counted with the batch axis as
// 0.
struct Pad {
  static constexpr std::string_view kKind = "pad";

  std::vector<std::int64_t> before;
  std::vector<std::int64_t> after;
  double value = 0;

  static void fields(auto& self, auto&& visit) {
    visit("before", self.before);
    visit("after", self.after);
    visit("value", self.value);
  }
  friend bool operator==(const Pad&, const Pad&) = default;
};

Shape output_shape(const Pad& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Pad& layer, std::span<const Shape> inputs);
Tensor reference(const Pad& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
