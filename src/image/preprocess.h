// What is done to a picture before the network sees it: a list of steps, as plain data.
//
// A new kind of step is a struct here, one line in `Step`, an apply() in preprocess.cc and an after() in
// preprocess_check.cc, which the compiler asks for.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/json.h"
#include "image/image.h"
#include "image/resample.h"
#include "tensor/tensor.h"
#include "tensor/whitening.h"

namespace alexnet {

using HeightWidth = std::array<std::int64_t, 2>;

// Resamples the picture's bytes (resample.h); exactly one of `shorter` and `size` is given.
struct Resize {
  static constexpr std::string_view kKind = "resize";

  std::optional<std::int64_t> shorter;  // the shorter side gets this length, the other one shorter * long / short, rounded down
  std::optional<HeightWidth> size;      // both sides, whatever that does to the proportions
  ResampleFilterKind filter = ResampleFilterKind::bilinear;
  bool antialias = true;
  PassOrder pass_order = PassOrder::pillow13;

  static void fields(auto& self, auto&& visit) {
    visit("shorter", self.shorter);
    visit("size", self.size);
    visit("filter", self.filter);
    visit("antialias", self.antialias);
    visit("pass_order", self.pass_order);
  }
  friend bool operator==(const Resize&, const Resize&) = default;
};

// How half a pixel is rounded when the margins of a crop differ by one.
enum class CropRounding {
  half_even,  // torchvision
  down,       // Caffe, TensorFlow
};

// The middle of the picture. A side shorter than the crop is first padded with zeros, half of them (rounded down) in front.
struct CenterCrop {
  static constexpr std::string_view kKind = "center_crop";

  HeightWidth size{};
  CropRounding rounding = CropRounding::half_even;

  static void fields(auto& self, auto&& visit) {
    visit("size", self.size);
    visit("rounding", self.rounding);
  }
  friend bool operator==(const CenterCrop&, const CenterCrop&) = default;
};

enum class ChannelOrder { rgb, bgr };

// Pictures come as RGB; from here on the channels stand in this order.
struct Channels {
  static constexpr std::string_view kKind = "channels";

  ChannelOrder order = ChannelOrder::rgb;

  static void fields(auto& self, auto&& visit) { visit("order", self.order); }
  friend bool operator==(const Channels&, const Channels&) = default;
};

// x / by, in f32.
struct Divide {
  static constexpr std::string_view kKind = "divide";

  double by = 1;

  static void fields(auto& self, auto&& visit) { visit("by", self.by); }
  friend bool operator==(const Divide&, const Divide&) = default;
};

// (x - mean) / std per channel, in the channels' present order; a subtraction, then a division, each rounded to f32.
struct Normalize {
  static constexpr std::string_view kKind = "normalize";

  std::array<double, 3> mean{0, 0, 0};
  std::array<double, 3> std{1, 1, 1};

  static void fields(auto& self, auto&& visit) {
    visit("mean", self.mean);
    visit("std", self.std);
  }
  friend bool operator==(const Normalize&, const Normalize&) = default;
};

// x - mean, pixel by pixel. The mean is an f32 tensor (3, height, width) of the picture's size at this step, its channels in
// their present order (Caffe's mean.binaryproto); it is stored beside the model under the name `tensor`.
struct MeanImage {
  static constexpr std::string_view kKind = "mean_image";

  std::string tensor;
  Tensor mean;

  static void fields(auto& self, auto&& visit) { visit("tensor", self.tensor); }
  friend bool operator==(const MeanImage& a, const MeanImage& b) { return a.tensor == b.tensor; }
};

// Global contrast normalisation of the whole picture (tensor/contrast.h): x = scale * (x - mean) / max(epsilon,
// sqrt(lambda + mean of (x - mean)^2)).
struct GlobalContrastStep {
  static constexpr std::string_view kKind = "gcn";

  double scale = 1;
  double lambda = 0;
  double epsilon = 1e-8;

  static void fields(auto& self, auto&& visit) {
    visit("scale", self.scale);
    visit("lambda", self.lambda);
    visit("epsilon", self.epsilon);
  }
  friend bool operator==(const GlobalContrastStep&, const GlobalContrastStep&) = default;
};

// Local contrast normalisation, as the layer local_contrast_norm (tensor/contrast.h).
struct LocalContrastStep {
  static constexpr std::string_view kKind = "lcn";

  std::int64_t local_size = 9;
  double sigma = 2;
  bool across_channels = false;
  double epsilon = 1e-4;

  static void fields(auto& self, auto&& visit) {
    visit("local_size", self.local_size);
    visit("sigma", self.sigma);
    visit("across_channels", self.across_channels);
    visit("epsilon", self.epsilon);
  }
  friend bool operator==(const LocalContrastStep&, const LocalContrastStep&) = default;
};

// x - weighted mean of its neighbourhood, as the layer local_mean_subtraction.
struct LocalMeanStep {
  static constexpr std::string_view kKind = "local_mean_subtraction";

  std::int64_t local_size = 9;
  double sigma = 2;
  bool across_channels = false;

  static void fields(auto& self, auto&& visit) {
    visit("local_size", self.local_size);
    visit("sigma", self.sigma);
    visit("across_channels", self.across_channels);
  }
  friend bool operator==(const LocalMeanStep&, const LocalMeanStep&) = default;
};

// ZCA whitening (tensor/whitening.h): W (x - mean), of the three channels of each pixel or of the whole picture. Both tensors
// are stored beside the model under these names: `matrix` (n, n), `mean` (n).
struct ZcaStep {
  static constexpr std::string_view kKind = "zca";

  std::string matrix;
  std::string mean;
  Whitening whitening;

  static void fields(auto& self, auto&& visit) {
    visit("matrix", self.matrix);
    visit("mean", self.mean);
  }
  friend bool operator==(const ZcaStep& a, const ZcaStep& b) { return a.matrix == b.matrix && a.mean == b.mean; }
};

using Step = std::variant<Resize, CenterCrop, Channels, Divide, Normalize, MeanImage, GlobalContrastStep, LocalContrastStep,
                          LocalMeanStep, ZcaStep>;

struct Preprocessing {
  std::vector<Step> steps;

  friend bool operator==(const Preprocessing&, const Preprocessing&) = default;
};

// [{"step": "resize", "shorter": 256, ...}, ...]
Json to_json(const Preprocessing& preprocessing);
// Reads such a list, strictly, and checks it. Tensors are left empty; see tensors(). Throws Error of kind model, which names
// `where` and the step.
Preprocessing preprocessing_from_json(const Json& json, const std::string& where);
// Throws Error of kind model for sizes out of range (1 to 16384), a division by zero, numbers that are not finite, a crop
// larger than what the steps before it leave, and a resize after arithmetic.
void check(const Preprocessing& preprocessing, const std::string& where);

// The tensors that the steps need, by name, to be stored and filled in by whoever reads and writes models.
struct StepTensor {
  std::string name;
  Tensor* tensor;
};
std::vector<StepTensor> tensors(Preprocessing& preprocessing);

// (3, height, width) of the result, unless it depends on the picture. Throws as check() does.
std::optional<Shape> output_shape(const Preprocessing& preprocessing);

// The length that the first step gives the shorter side, at most: pictures may be shrunk to that before (DecodeOptions). 0 if the
// first step does not resample.
std::int64_t resized_to(const Preprocessing& preprocessing);

enum class Crops {
  one,
  ten,  // in place of the last center_crop: the corners (top left, top right, bottom left, bottom right), the centre, and
        // the same five of the mirrored picture, as torchvision's TenCrop
};
std::int64_t crop_count(Crops crops);

// Runs the steps: f32 (3, height, width), or (10, 3, height, width) for ten crops. Throws Error of kind model for a mean image
// of another size, usage for ten crops without a center_crop, and too_large for a picture so long that resizing it would
// exceed kMaxResampledPixels (a crop right behind the resize is made without the rest, and has no such limit).
Tensor preprocess(const Preprocessing& preprocessing, const Image& image, Crops crops = Crops::one);

// The same into `dst`, which has as many elements as the result; throws Error of kind usage if not.
void preprocess_into(const Preprocessing& preprocessing, const Image& image, std::span<float> dst, Crops crops = Crops::one);

}  // namespace alexnet
