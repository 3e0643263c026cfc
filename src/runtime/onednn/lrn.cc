#include "runtime/onednn/primitive.h"
#include "runtime/onednn/primitives.h"

namespace alexnet {

// oneDNN's window reaches (local_size - 1) / 2 to either side whatever the size, and knows no towers.
std::optional<Choice> onednn_lrn(const Lrn& layer, const Shape& input, const Layout& layout) {
  const auto [before, after] = reach(layer);
  if (layer.groups != 1 || before != after) return std::nullopt;
  return onednn::guarded([&]() -> std::optional<Choice> {
    const auto algorithm =
        layer.region == LrnRegion::across_channels ? dnnl::algorithm::lrn_across_channels : dnnl::algorithm::lrn_within_channel;
    const auto tensor = onednn::descriptor(input, layout);
    const dnnl::lrn_forward::primitive_desc description(
        onednn::engine(), dnnl::prop_kind::forward_inference, algorithm, tensor, tensor, layer.local_size,
        static_cast<float>(layer.alpha), static_cast<float>(layer.beta), static_cast<float>(layer.k), onednn::attributes(),
        /*allow_empty=*/true);
    if (!description) return std::nullopt;
    Choice choice = onednn::described(description, layout, layout);
    choice.prepare = [=] { return onednn::guarded([&] { return onednn::kernel<dnnl::lrn_forward>(description, {}); }); };
    return choice;
  });
}

}  // namespace alexnet
