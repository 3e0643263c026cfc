#include "import/onnx_lower.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>

#include "base/text.h"
#include "import/onnx_attributes.h"
#include "import/onnx_window.h"

namespace alexnet {
namespace {

// Our windows slide over two axes. With one spatial axis, the other is of extent 1.
class Plane {
 public:
  Plane(const OnnxLowering& at, std::string_view what) : at_(at), input_(at.builder.samples(at.input(0))) {
    const auto& x = at.call.extents(0);
    spatial_.assign(x.begin() + 2, x.end());
    if (spatial_.size() > 2) at.call.fail(fmt::format("has {} spatial axes, {} with 1 or 2 are supported", spatial_.size(), what));
    if (spatial_.size() == 1) input_ = at.builder.step(at.op, "plane", Reshape{.shape = {x[1], 1, x[2]}}, {input_});
  }

  const Extents& spatial() const { return spatial_; }

  // One value for each of our two axes.
  Extent2 two(const std::vector<std::int64_t>& values, std::int64_t otherwise) const {
    return values.size() == 2 ? Extent2{values[0], values[1]} : Extent2{otherwise, values[0]};
  }
  Padding4 padding(const OnnxWindow& window) const {
    const auto before = two(window.before, 0);
    const auto after = two(window.after, 0);
    return {before[0], before[1], after[0], after[1]};
  }

  // Makes the op's output of a layer on two axes; the name of the layer is returned.
  std::string make(Layer layer) const {
    if (spatial_.size() == 2) return at_.builder.make(at_.op, std::move(layer), {input_});
    const auto name = at_.builder.step(at_.op, "rows", std::move(layer), {input_});
    const auto& y = at_.builder.extents(at_.op.node.outputs[0]);
    at_.builder.make(at_.op, Reshape{.shape = {y.begin() + 1, y.end()}}, {name});
    return name;
  }

 private:
  const OnnxLowering& at_;
  std::string input_;
  Extents spatial_;
};

}  // namespace

void require_one_a_channel(const OnnxLowering& at, const OnnxConstant& constant, std::string_view what, std::int64_t channels) {
  if (constant.tensor.shape() == Shape{channels}) return;
  at.call.fail(fmt::format("its {} is {}, {} channels want {}", what, to_string(constant.tensor.shape()), channels, channels));
}

void lower_conv(const OnnxLowering& at) {
  const auto& weight = at.required_parameter(1, "weight");
  const auto* bias = at.parameter(2, "bias");
  const Plane plane(at, "convolutions");
  const auto shape = extents_of(weight.tensor);
  const auto window = window_of(at.op.node, plane.spatial(), {shape.begin() + 2, shape.end()});
  if (!std::equal(window.kernel.begin(), window.kernel.end(), shape.begin() + 2, shape.end())) {
    at.call.fail(fmt::format("its kernel_shape is not that of its weight, {}", to_string(shape)));
  }
  const Convolution layer{.out_channels = shape[0],
                          .kernel = plane.two(window.kernel, 1),
                          .stride = plane.two(window.stride, 1),
                          .padding = plane.padding(window),
                          .dilation = plane.two(window.dilation, 1),
                          .groups = int_attribute(at.op.node, "group", 1),
                          .bias = bias != nullptr};
  if (layer.groups < 1 || at.call.extents(0)[1] != shape[1] * layer.groups) {
    at.call.fail(
        fmt::format("its weight {} does not fit {} channels in {} groups", to_string(shape), at.call.extents(0)[1], layer.groups));
  }
  if (bias != nullptr) require_one_a_channel(at, *bias, "bias", shape[0]);
  const auto name = plane.make(layer);
  at.builder.parameter(name, "weight", weight.tensor.reshaped({shape[0], shape[1], layer.kernel[0], layer.kernel[1]}), weight);
  if (bias != nullptr) at.builder.parameter(name, "bias", bias->tensor, *bias);
}

void lower_max_pool(const OnnxLowering& at) {
  const Plane plane(at, "pools");
  const auto window = window_of(at.op.node, plane.spatial(), {});
  plane.make(MaxPool{.kernel = plane.two(window.kernel, 1),
                     .stride = plane.two(window.stride, 1),
                     .padding = plane.padding(window),
                     .dilation = plane.two(window.dilation, 1),
                     .rounding = window.ceil ? Rounding::ceil : Rounding::floor});
}

void lower_average_pool(const OnnxLowering& at) {
  const Plane plane(at, "pools");
  const auto window = window_of(at.op.node, plane.spatial(), {});
  plane.make(AveragePool{.kernel = plane.two(window.kernel, 1),
                         .stride = plane.two(window.stride, 1),
                         .padding = plane.padding(window),
                         .dilation = plane.two(window.dilation, 1),
                         .rounding = window.ceil ? Rounding::ceil : Rounding::floor,
                         .count_padding = int_attribute(at.op.node, "count_include_pad", 0) != 0});
}

void lower_global_average_pool(const OnnxLowering& at) { Plane(at, "pools").make(AdaptiveAveragePool{.output = {1, 1}}); }

void lower_global_max_pool(const OnnxLowering& at) {
  const Plane plane(at, "pools");
  plane.make(MaxPool{.kernel = plane.two(plane.spatial(), 1)});
}

void lower_reduce_mean(const OnnxLowering& at) {
  const auto& x = at.call.extents(0);
  auto axes = reduced_axes(at.call);
  std::ranges::sort(axes);
  if (x.size() != 4 || axes != std::vector<std::size_t>{2, 3})
    at.call.fail("is supported over both spatial axes of a picture only");
  const AdaptiveAveragePool layer{.output = {1, 1}};
  const auto input = at.builder.samples(at.input(0));
  if (int_attribute(at.op.node, "keepdims", 1) != 0) {
    at.builder.make(at.op, layer, {input});
  } else {
    at.builder.make(at.op, Flatten{}, {at.builder.step(at.op, "pool", layer, {input})});
  }
}

}  // namespace alexnet
