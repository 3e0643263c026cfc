#include <algorithm>

#include "runtime/onednn/primitive.h"
#include "runtime/onednn/primitives.h"

namespace alexnet {
namespace {

dnnl::algorithm algorithm_of(Pooling::Kind kind) {
  switch (kind) {
    case Pooling::Kind::max: return dnnl::algorithm::pooling_max;
    case Pooling::Kind::average_of_present: return dnnl::algorithm::pooling_avg_exclude_padding;
    case Pooling::Kind::average_with_padding: break;
  }
  return dnnl::algorithm::pooling_avg_include_padding;
}

// The padding behind the input with which oneDNN, which only knows whole windows, makes `outputs` of them.
std::int64_t padding_behind(const Window& window, std::int64_t input, std::int64_t outputs, std::size_t axis) {
  const auto kernel = (window.kernel[axis] - 1) * window.dilation[axis] + 1;
  return std::max<std::int64_t>(0, (outputs - 1) * window.stride[axis] + kernel - input - window.padding[axis]);
}

}  // namespace

std::optional<Choice> onednn_pooling(const Pooling& pooling, const Shape& input, const Layout& layout) {
  return onednn::guarded([&]() -> std::optional<Choice> {
    const Window& window = pooling.window;
    const Shape output{input[0], input[1], pooling.output[0], pooling.output[1]};
    const dnnl::pooling_forward::primitive_desc description(
        onednn::engine(), dnnl::prop_kind::forward_inference, algorithm_of(pooling.kind), onednn::descriptor(input, layout),
        onednn::descriptor(output, layout), {window.stride[0], window.stride[1]}, {window.kernel[0], window.kernel[1]},
        {window.dilation[0] - 1, window.dilation[1] - 1}, {window.padding[0], window.padding[1]},
        {padding_behind(window, input[2], output[2], 0), padding_behind(window, input[3], output[3], 1)}, onednn::attributes(),
        /*allow_empty=*/true);
    if (!description) return std::nullopt;
    Choice choice = onednn::described(description, layout, layout);
    if (layout.type == ElementType::u8) choice.precision = "int8";
    choice.prepare = [=] { return onednn::guarded([&] { return onednn::kernel<dnnl::pooling_forward>(description, {}); }); };
    return choice;
  });
}

}  // namespace alexnet
