#include "runtime/onednn/primitive.h"
#include "runtime/onednn/primitives.h"

namespace alexnet {

using dnnl::memory;

std::optional<ConvolutionChoice> onednn_convolution(const Convolution& layer, const Shape& input, const Weight& weight,
                                                    const Weight* bias, bool relu, ElementType type,
                                                    const std::optional<Layout>& layout,
                                                    const std::shared_ptr<WeightStore>& store) {
  return onednn::guarded([&]() -> std::optional<ConvolutionChoice> {
    const Shape output = output_shape(layer, std::span(&input, 1));
    const auto f32 = memory::data_type::f32;
    const auto numbers = onednn::data_type(type);
    const auto any = memory::format_tag::any;
    const auto tensor = [&](const Shape& shape) {
      return layout ? onednn::descriptor(shape, *layout)
                    : memory::desc({shape.extents().begin(), shape.extents().end()}, numbers, any);
    };
    const auto dims = [](const Shape& shape) { return memory::dims(shape.extents().begin(), shape.extents().end()); };
    const Shape& full = weight.shape;
    const Shape taps = layer.groups == 1 ? full : Shape{layer.groups, full[0] / layer.groups, full[1], full[2], full[3]};
    const memory::desc bias_desc = bias == nullptr ? memory::desc() : memory::desc({full[0]}, f32, memory::format_tag::a);
    const dnnl::convolution_forward::primitive_desc description(
        onednn::engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::convolution_direct, tensor(input),
        memory::desc(dims(taps), numbers, any), bias_desc, tensor(output), {layer.stride[0], layer.stride[1]},
        {layer.dilation[0] - 1, layer.dilation[1] - 1}, {layer.padding[0], layer.padding[1]}, {layer.padding[2], layer.padding[3]},
        onednn::attributes(relu), /*allow_empty=*/true);
    if (!description) return std::nullopt;
    const auto source = onednn::layout_of(description.src_desc(), input);
    const auto destination = onednn::layout_of(description.dst_desc(), output);
    if (!source || !destination) return std::nullopt;
    ConvolutionChoice result{.choice = onednn::described(description, *source, *destination), .stable = false};
    if (type == ElementType::bf16) result.choice.precision = "bf16";
    // Generated kernels sum each output in one fixed order; those on top of a matrix product split sums among threads.
    result.stable = result.choice.implementation.find("gemm") == std::string::npos;
    result.choice.weight_bytes = description.weights_desc().get_size() + (bias == nullptr ? 0 : description.bias_desc().get_size());
    result.choice.created_bytes = result.choice.weight_bytes;
    const Fingerprint key = onednn::weights_key(layer, input, result.choice, description.weights_desc());
    result.choice.prepare = [=, weight = weight, bias = bias == nullptr ? Weight{} : *bias] {
      return onednn::guarded([&] {
        const auto wanted = description.weights_desc();
        Fingerprint whole = key;
        const Tensor bytes = prepared(store.get(), add(whole, weight), ElementType::i8, onednn::bytes_of(wanted),
                                      [&] { return onednn::reordered(widened(weight), onednn::descriptor(taps, {}), wanted); });
        std::vector<onednn::Constant> constants{onednn::constant(DNNL_ARG_WEIGHTS, bytes, wanted)};
        if (!bias_desc.is_zero()) constants.push_back(onednn::constant(DNNL_ARG_BIAS, widened(bias), bias_desc));
        return onednn::kernel<dnnl::convolution_forward>(description, std::move(constants));
      });
    };
    return result;
  });
}

}  // namespace alexnet
