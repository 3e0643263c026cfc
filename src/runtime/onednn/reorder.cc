#include "runtime/onednn/primitive.h"
#include "runtime/onednn/primitives.h"

namespace alexnet {

std::optional<Choice> onednn_reorder(const Shape& shape, const Layout& source, const Layout& destination) {
  return onednn::guarded([&]() -> std::optional<Choice> {
    const dnnl::reorder::primitive_desc description(onednn::engine(), onednn::descriptor(shape, source), onednn::engine(),
                                                    onednn::descriptor(shape, destination), onednn::attributes(),
                                                    /*allow_empty=*/true);
    if (!description) return std::nullopt;
    Choice choice = onednn::described(description, source, destination);
    choice.prepare = [=] { return onednn::guarded([&] { return onednn::kernel<dnnl::reorder>(description, {}); }); };
    return choice;
  });
}

}  // namespace alexnet
