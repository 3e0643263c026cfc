#include "runtime/onednn/primitive.h"
#include "runtime/onednn/primitives.h"

namespace alexnet {

using dnnl::memory;

namespace {

// Sums times `scale`, plus bias; then, from 0 on, cut off at `most` if that is given.
dnnl::primitive_attr attributes_of(const Int8Convolution& wanted, bool groups) {
  dnnl::primitive_attr result = onednn::attributes();
  result.set_scales_mask(DNNL_ARG_WEIGHTS, groups ? 3 : 1);
  dnnl::post_ops operations;
  if (wanted.destination.type == ElementType::u8) {
    operations.append_eltwise(dnnl::algorithm::eltwise_clip, 0, static_cast<float>(wanted.most));
  } else if (wanted.relu) {
    operations.append_eltwise(dnnl::algorithm::eltwise_relu, 0, 0);
  }
  result.set_post_ops(operations);
  return result;
}

}  // namespace

std::optional<Choice> onednn_int8_convolution(const Convolution& layer, const Shape& input, const Int8Convolution& wanted) {
  return onednn::guarded([&]() -> std::optional<Choice> {
    const Shape output = output_shape(layer, std::span(&input, 1));
    const auto out = layer.out_channels;
    const Shape full{out, input[1] / layer.groups, layer.kernel[0], layer.kernel[1]};
    const Shape taps = layer.groups == 1 ? full : Shape{layer.groups, out / layer.groups, full[1], full[2], full[3]};
    const memory::desc weights({taps.extents().begin(), taps.extents().end()}, memory::data_type::s8, memory::format_tag::any);
    const memory::desc numbers({out}, memory::data_type::f32, memory::format_tag::a);
    const dnnl::convolution_forward::primitive_desc description(
        onednn::engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct,
        onednn::descriptor(input, wanted.source), weights, numbers, onednn::descriptor(output, wanted.destination),
        {layer.stride[0], layer.stride[1]}, {layer.dilation[0] - 1, layer.dilation[1] - 1}, {layer.padding[0], layer.padding[1]},
        {layer.padding[2], layer.padding[3]}, attributes_of(wanted, layer.groups > 1), /*allow_empty=*/true);
    if (!description) return std::nullopt;
    Choice choice = onednn::described(description, wanted.source, wanted.destination);
    choice.precision = "int8";
    choice.weight_bytes = description.weights_desc().get_size() + 2 * numbers.get_size();
    choice.created_bytes = choice.weight_bytes;
    choice.prepare = [=, constants_of = wanted.constants] {
      return onednn::guarded([&] {
        const Int8Constants made = constants_of();
        memory::desc plain({taps.extents().begin(), taps.extents().end()}, memory::data_type::s8,
                           layer.groups == 1 ? memory::format_tag::abcd : memory::format_tag::abcde);
        const auto list = [&](const std::vector<float>& values) { return Tensor::of<float>({out}, values); };
        return onednn::kernel<dnnl::convolution_forward>(
            description, {onednn::constant(DNNL_ARG_WEIGHTS, made.weight, plain, description.weights_desc()),
                          onednn::constant(DNNL_ARG_BIAS, list(made.offset), numbers, numbers),
                          onednn::constant(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, list(made.scale), numbers, numbers)});
      });
    };
    return choice;
  });
}

}  // namespace alexnet
