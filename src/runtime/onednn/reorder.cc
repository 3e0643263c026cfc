#include <array>
#include <utility>
#include <vector>

#include "runtime/onednn/primitive.h"
#include "runtime/onednn/primitives.h"

namespace alexnet {

std::optional<Choice> onednn_reorder(const Shape& shape, const Layout& source, const Layout& destination) {
  return onednn::guarded([&]() -> std::optional<Choice> {
    const bool scaled = source.scale != destination.scale;
    dnnl::primitive_attr attributes = onednn::attributes();
    if (scaled) attributes.set_scales_mask(DNNL_ARG_SRC, 0);
    const dnnl::reorder::primitive_desc description(onednn::engine(), onednn::descriptor(shape, source), onednn::engine(),
                                                    onednn::descriptor(shape, destination), attributes, /*allow_empty=*/true);
    if (!description) return std::nullopt;
    Choice choice = onednn::described(description, source, destination);
    choice.prepare = [=, scale = source.scale / destination.scale] {
      return onednn::guarded([&] {
        std::vector<onednn::Constant> constants;
        if (scaled) {
          const dnnl::memory::desc one({1}, dnnl::memory::data_type::f32, dnnl::memory::format_tag::a);
          constants.push_back(
              onednn::constant(DNNL_ARG_ATTR_SCALES | DNNL_ARG_SRC, Tensor::of<float>({1}, std::array{scale}), one));
        }
        return onednn::kernel<dnnl::reorder>(description, std::move(constants));
      });
    };
    return choice;
  });
}

}  // namespace alexnet
