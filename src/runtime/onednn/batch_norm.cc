#include "runtime/onednn/primitive.h"
#include "runtime/onednn/primitives.h"

namespace alexnet {

using dnnl::memory;
using dnnl::normalization_flags;

std::optional<Choice> onednn_batch_norm(const BatchNorm& layer, const Shape& input, const Layout& layout,
                                        const BatchNormWeights& weights, bool relu) {
  return onednn::guarded([&]() -> std::optional<Choice> {
    auto flags = normalization_flags::use_global_stats;
    if (weights.scale != nullptr) flags = flags | normalization_flags::use_scale;
    if (weights.offset != nullptr) flags = flags | normalization_flags::use_shift;
    const auto tensor = onednn::descriptor(input, layout);
    const dnnl::batch_normalization_forward::primitive_desc description(onednn::engine(), dnnl::prop_kind::forward_inference,
                                                                        tensor, tensor, static_cast<float>(layer.epsilon), flags,
                                                                        onednn::attributes(relu), /*allow_empty=*/true);
    if (!description) return std::nullopt;
    std::vector<std::pair<int, Weight>> parameters;
    const auto add = [&](int argument, const Weight* weight) {
      if (weight != nullptr) parameters.emplace_back(argument, *weight);
    };
    add(DNNL_ARG_MEAN, weights.mean);
    add(DNNL_ARG_VARIANCE, weights.variance);
    add(DNNL_ARG_SCALE, weights.scale);
    add(DNNL_ARG_SHIFT, weights.offset);
    Choice choice = onednn::described(description, layout, layout);
    choice.weight_bytes = parameters.size() * static_cast<std::uint64_t>(input[1]) * sizeof(float);
    choice.created_bytes = choice.weight_bytes;
    choice.all_threads = true;  // oneDNN 3.2 divides the channels when it makes the primitive
    choice.prepare = [=] {
      return onednn::guarded([&] {
        std::vector<onednn::Constant> constants;
        for (const auto& [argument, weight] : parameters) {
          const memory::desc desc({input[1]}, memory::data_type::f32, memory::format_tag::a);
          constants.push_back(onednn::constant(argument, widened(weight), desc));
        }
        return onednn::kernel<dnnl::batch_normalization_forward>(description, std::move(constants));
      });
    };
    return choice;
  });
}

}  // namespace alexnet
