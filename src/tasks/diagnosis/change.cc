#include "tasks/diagnosis/change.h"

#include <array>

namespace alexnet {
namespace {

constexpr std::array kSuspects{
    Suspect{"preprocessing", "another framework's preprocessing", suspect::whole_preprocessing},
    Suspect{"channels", "RGB or BGR", suspect::channels},
    Suspect{"range", "0 to 1 or 0 to 255", suspect::range},
    Suspect{"mean", "mean pixel or mean image, and which", suspect::mean},
    Suspect{"std", "standard deviation", suspect::deviation},
    Suspect{"resize_filter", "Pillow's or OpenCV's resizing, antialiased or not", suspect::resize_filter},
    Suspect{"resize_size", "shorter side, squashed or not resized", suspect::resize_size},
    Suspect{"crop", "where half a pixel of the crop's margin goes", suspect::crop},
    Suspect{"orientation", "EXIF orientation", suspect::orientation},
    Suspect{"first_channels", "RGB or BGR in the first layer's weights", suspect::first_channels},
    Suspect{"folded_preprocessing", "mean and scale in the preprocessing or in the first layer", suspect::folded_preprocessing},
    Suspect{"lrn_alpha", "LRN alpha of the sum or of the mean", suspect::lrn_alpha},
    Suspect{"lrn_k", "LRN k 1 or 2", suspect::lrn_k},
    Suspect{"pool_and_norm", "pooling before or after normalisation", suspect::pool_and_norm},
    Suspect{"flatten_order", "flattened in CHW or in HWC order", suspect::flatten_order},
    Suspect{"pool_rounding", "pooling rounded up or down", suspect::pool_rounding},
    Suspect{"group_halves", "the halves of a grouped convolution", suspect::group_halves},
    Suspect{"flipped_kernels", "convolution or cross-correlation", suspect::flipped_kernels},
    Suspect{"relu", "a ReLU missing", suspect::missing_relu},
    Suspect{"dropout_scaling", "dropout that scales at inference", suspect::dropout_scaling},
    Suspect{"batch_norm_epsilon", "epsilon of batch normalisation", suspect::batch_norm_epsilon},
    Suspect{"softmax", "softmax missing or doubled", suspect::softmax},
    Suspect{"shifted_labels", "classes shifted by one", suspect::shifted_labels},
};

}  // namespace

std::span<const Suspect> suspects() { return kSuspects; }

Weight EditedWeights::edited(const Weight& weight, const std::string& name, const std::function<Tensor(const Tensor&)>& edit) {
  auto& [original, result] = made_[{weight.data.bytes().data(), name}];
  if (result.shape.rank() == 0) {
    original = weight;
    result = Weight::of(edit(widened(weight)));
  }
  return result;
}

}  // namespace alexnet
