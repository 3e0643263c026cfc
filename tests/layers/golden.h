// What tools/make_layer_golden.py wrote: cases of one layer kind with the outputs that PyTorch, onnxruntime or NumPy compute in
// float64.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "layers/layer.h"

namespace alexnet::test {

struct GoldenCase {
  std::string name;
  Layer layer;
  std::vector<Tensor> inputs;
  std::vector<Tensor> parameters;  // in the order of parameters(layer, ...)
  Shape output;
  std::int64_t step;  // `values` are the output's elements 0, step, 2 * step, ...
  std::vector<double> values;
  double sum;  // of all elements; NaN where it means nothing
};

// The cases of tests/golden/layers/KIND.safetensors; throws when the file does not hold what the layers want.
std::vector<GoldenCase> golden_cases(std::string_view kind);

// The shapes of a case's inputs.
std::vector<Shape> shapes_of(const std::vector<Tensor>& tensors);

// Expects `found` to be the case's output. An element may differ by `relative` of itself plus `absolute` of the largest
// element; NaN and infinities must be the same.
void expect_golden(const GoldenCase& golden, const Tensor& found, double relative, double absolute);

// Runs every case of the kind through output_shape() and reference(). The references sum in double and round once, so an
// element is off by at most half a unit in the last place of float32, 2^-24, and what the double sums lose: less than 1e-12
// of the largest element, since no sum here has more than 10^4 terms and none cancels more than its terms' size.
void expect_reference_is_golden(std::string_view kind);

// The message with which output_shape() refuses the layer for these inputs, followed by " (HINT)" if there is one; empty if it
// accepts them.
std::string refusal(const Layer& layer, const std::vector<Shape>& inputs);

// Uniform values in [low, high), rounded to float32; the same as tools/layer_cases.py makes from this seed.
Tensor generated(const Shape& shape, std::uint64_t seed, double low, double high);

}  // namespace alexnet::test
