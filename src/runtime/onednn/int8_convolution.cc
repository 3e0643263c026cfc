#include <algorithm>

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

std::optional<Choice> onednn_int8_convolution(const Convolution& layer, const Shape& input, const Int8Convolution& wanted,
                                              const std::shared_ptr<WeightStore>& store) {
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
    const Fingerprint key = onednn::weights_key(layer, input, choice, description.weights_desc());
    choice.prepare = [=, constants_of = wanted.constants, add_to_key = wanted.add_to_key] {
      return onednn::guarded([&] {
        const auto weights_desc = description.weights_desc();
        Fingerprint whole = key;
        add_to_key(whole);
        const auto list_bytes = static_cast<std::int64_t>(numbers.get_size());
        const auto begin = (static_cast<std::int64_t>(weights_desc.get_size()) + 63) / 64 * 64;
        // Weights, offsets and scales, one behind the other.
        const Tensor all = prepared(store.get(), whole, ElementType::i8, {begin + 2 * list_bytes}, [&] {
          const Int8Constants made = constants_of();
          const memory::desc plain({taps.extents().begin(), taps.extents().end()}, memory::data_type::s8,
                                   layer.groups == 1 ? memory::format_tag::abcd : memory::format_tag::abcde);
          Tensor result = Tensor::allocate(ElementType::i8, {begin + 2 * list_bytes});
          std::ranges::copy(onednn::reordered(made.weight, plain, weights_desc).bytes(), result.mutable_bytes().begin());
          std::ranges::copy(std::as_bytes(std::span(made.offset)), result.mutable_bytes().begin() + begin);
          std::ranges::copy(std::as_bytes(std::span(made.scale)), result.mutable_bytes().begin() + begin + list_bytes);
          return result;
        });
        const auto part = [&](std::int64_t from, std::int64_t bytes) {
          const auto span = all.bytes().subspan(static_cast<std::size_t>(from), static_cast<std::size_t>(bytes));
          return Tensor::view(ElementType::i8, {bytes}, span, std::make_shared<const Tensor>(all));
        };
        return onednn::kernel<dnnl::convolution_forward>(
            description,
            {onednn::constant(DNNL_ARG_WEIGHTS, all, weights_desc),
             onednn::constant(DNNL_ARG_BIAS, part(begin, list_bytes), numbers),
             onednn::constant(DNNL_ARG_ATTR_SCALES | DNNL_ARG_WEIGHTS, part(begin + list_bytes, list_bytes), numbers)});
      });
    };
    return choice;
  });
}

}  // namespace alexnet
