#include "image/preprocess_presets.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"

namespace alexnet {
namespace {

constexpr std::int64_t kShorter = 256;

[[noreturn]] void refuse(const std::string& message, const std::string& hint = {}) {
  throw Error(ErrorKind::usage, "", message, hint);
}

std::int64_t shorter_side(HeightWidth input) { return std::max(kShorter, std::max(input[0], input[1])); }

Preprocessing torchvision(HeightWidth input, const PictureMean& mean) {
  if (mean.image || mean.values) refuse("a mean does not fit torchvision's recipe", "a JSON file of steps states any other");
  Preprocessing result;
  result.steps.push_back(Resize{.shorter = shorter_side(input), .size = std::nullopt});
  result.steps.push_back(CenterCrop{.size = input});
  result.steps.push_back(Divide{.by = 255});
  result.steps.push_back(Normalize{.mean = {0.485, 0.456, 0.406}, .std = {0.229, 0.224, 0.225}});
  return result;
}

Preprocessing caffe(HeightWidth input, const PictureMean& mean) {
  HeightWidth squashed{std::max(kShorter, input[0]), std::max(kShorter, input[1])};
  if (mean.image) {
    const Shape& shape = mean.image->shape();
    if (shape.rank() != 3 || shape[0] != 3 || shape[1] < input[0] || shape[2] < input[1]) {
      throw Error(ErrorKind::model, "",
                  fmt::format("the mean picture is {}, must be 3x{}x{} or larger", to_string(shape), input[0], input[1]));
    }
    squashed = {shape[1], shape[2]};
  }
  Preprocessing result;
  result.steps.push_back(Resize{.shorter = std::nullopt, .size = squashed});
  if (!mean.image) result.steps.push_back(CenterCrop{.size = input, .rounding = CropRounding::down});
  result.steps.push_back(Channels{.order = ChannelOrder::bgr});
  if (mean.image) {
    result.steps.push_back(MeanImage{.tensor = "preprocess.mean", .mean = widened(*mean.image)});
    result.steps.push_back(CenterCrop{.size = input, .rounding = CropRounding::down});
  } else {
    result.steps.push_back(Normalize{.mean = mean.values.value_or(std::array<double, 3>{104, 117, 123})});
  }
  return result;
}

Preprocessing tensorflow(HeightWidth input, const PictureMean& mean) {
  if (mean.image) refuse("a mean picture does not fit TensorFlow's recipe", "three numbers do");
  Preprocessing result;
  result.steps.push_back(Resize{.shorter = shorter_side(input), .size = std::nullopt, .antialias = false});
  result.steps.push_back(CenterCrop{.size = input, .rounding = CropRounding::down});
  result.steps.push_back(Normalize{.mean = mean.values.value_or(std::array<double, 3>{123.68, 116.78, 103.94})});
  return result;
}

struct Preset {
  std::string_view name;
  Preprocessing (*make)(HeightWidth input, const PictureMean& mean);
};
constexpr std::array<Preset, 3> kPresets{{{"torchvision", torchvision}, {"caffe", caffe}, {"tensorflow", tensorflow}}};

}  // namespace

std::vector<std::string> preprocess_preset_names() {
  std::vector<std::string> names;
  for (const auto& preset : kPresets) names.emplace_back(preset.name);
  return names;
}

Preprocessing preprocess_preset(std::string_view name, HeightWidth input, const PictureMean& mean) {
  for (const auto& preset : kPresets) {
    if (preset.name == name) return preset.make(input, mean);
  }
  refuse(fmt::format("there is no preprocessing {}", shown(name)), fmt::format("known: {}", join(preprocess_preset_names(), ", ")));
}

Preprocessing with_channels(Preprocessing preprocessing, ChannelOrder order) {
  ChannelOrder present = ChannelOrder::rgb;
  for (const auto& step : preprocessing.steps) {
    if (const auto* channels = std::get_if<Channels>(&step)) present = channels->order;
  }
  if (!preprocessing.steps.empty() && present != order) preprocessing.steps.push_back(Channels{.order = order});
  return preprocessing;
}

}  // namespace alexnet
