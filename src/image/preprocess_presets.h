// What usual training recipes do to pictures, for networks whose files do not say it.
#pragma once

#include <array>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "image/preprocess.h"

namespace alexnet {

// What is subtracted from pictures, in the network's order of channels: a mean picture F32 (3, height, width), or one number a
// channel.
struct PictureMean {
  std::optional<Tensor> image;
  std::optional<std::array<double, 3>> values;
};

// torchvision, caffe, tensorflow.
std::vector<std::string> preprocess_preset_names();

// The recipe for a network whose input is (3, height, width) of this size:
//   torchvision  shorter side to 256, centre, / 255, normalised (the transform of torchvision's ImageNet weights)
//   caffe        squashed to 256 x 256, centre, BGR, mean 104, 117, 123 (Caffe's ImageNet recipe); a mean picture is subtracted
//                before the crop, at its place
//   tensorflow   shorter side to 256 without antialiasing, centre, mean 123.68, 116.78, 103.94 (vgg_preprocessing.py of TF-slim,
//   whose
//                alexnet_v2 uses it; the sampling grid is Pillow's, not that of TensorFlow 1)
// 256 grows with networks whose input is larger. `mean` replaces the mean of caffe and tensorflow. Throws Error of kind usage for
// another name, and for a mean that does not fit the recipe.
Preprocessing preprocess_preset(std::string_view name, HeightWidth input, const PictureMean& mean = {});

// The same with the channels coming out in this order; colours keep their means and deviations. No steps stay none.
Preprocessing with_channels(Preprocessing preprocessing, ChannelOrder order);

}  // namespace alexnet
