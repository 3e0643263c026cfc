#pragma once

#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "layers/parameter.h"
#include "tensor/tensor.h"

namespace alexnet {

// The elements begin, begin + step, ... (`count` of them) along `axis`, counted with the batch axis as 0.
struct Slice {
  static constexpr std::string_view kKind = "slice";

  std::int64_t axis = 1;
  std::int64_t begin = 0;
  std::int64_t count = 0;
  std::int64_t step = 1;  // below 0: backwards

  static void fields(auto& self, auto&& visit) {
    visit("axis", self.axis);
    visit("begin", self.begin);
    visit("count", self.count);
    visit("step", self.step);
  }
  friend bool operator==(const Slice&, const Slice&) = default;
};

Shape output_shape(const Slice& layer, std::span<const Shape> inputs);
std::vector<Parameter> parameters(const Slice& layer, std::span<const Shape> inputs);
Tensor reference(const Slice& layer, std::span<const Tensor> inputs, std::span<const Tensor> parameters);

}  // namespace alexnet
