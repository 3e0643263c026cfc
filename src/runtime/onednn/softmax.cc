#include "runtime/onednn/primitive.h"
#include "runtime/onednn/primitives.h"

namespace alexnet {

std::optional<Choice> onednn_softmax(const Softmax& layer, const Shape& input, const Layout& layout) {
  return onednn::guarded([&]() -> std::optional<Choice> {
    const auto tensor = onednn::descriptor(input, layout);
    const dnnl::softmax_forward::primitive_desc description(
        onednn::engine(), dnnl::prop_kind::forward_inference, dnnl::algorithm::softmax_accurate, tensor, tensor,
        static_cast<int>(layer.axis), onednn::attributes(), /*allow_empty=*/true);
    if (!description) return std::nullopt;
    Choice choice = onednn::described(description, layout, layout);
    choice.prepare = [=] { return onednn::guarded([&] { return onednn::kernel<dnnl::softmax_forward>(description, {}); }); };
    return choice;
  });
}

}  // namespace alexnet
