#include "tasks/golden.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "image/preprocess.h"
#include "tasks/named_network.h"
#include "tasks/picture_network.h"

namespace alexnet {
namespace {

Image picture_of(const Tensor& hwc) {
  Image image{.width = static_cast<int>(hwc.shape()[1]), .height = static_cast<int>(hwc.shape()[0]), .pixels = {}};
  const auto values = hwc.values<std::uint8_t>();
  image.pixels.assign(values.begin(), values.end());
  return image;
}

// f32: the bound that networks are held to against the reference. bf16 keeps 8 bits of a number and int8 7, and errors add up
// over eight layers about as the square root of their count.
double tolerance_of(Precision precision) {
  switch (precision) {
    case Precision::bf16: return 2e-2;
    case Precision::int8: return 5e-2;
    case Precision::automatic:
    case Precision::f32: return 1e-5;
  }
  return 1e-5;
}

}  // namespace

Tensor golden_picture() {
  constexpr std::int64_t kHeight = 96;
  constexpr std::int64_t kWidth = 128;
  Tensor picture = Tensor::allocate(ElementType::u8, {kHeight, kWidth, 3});
  auto pixel = picture.mutable_values<std::uint8_t>().begin();
  for (std::int64_t y = 0; y < kHeight; ++y) {
    for (std::int64_t x = 0; x < kWidth; ++x) {
      for (std::int64_t c = 0; c < 3; ++c) {
        // A wave whose length falls with the distance, as a triangle of whole numbers.
        const auto phase = (x * x + (c + 1) * y * y) / 16 % 512;
        *pixel++ = static_cast<std::uint8_t>(phase < 256 ? phase : 511 - phase);
      }
    }
  }
  return picture;
}

std::optional<Tensor> golden_input(const Model& model) {
  if (!model.golden) return std::nullopt;
  return preprocess(model.preprocessing, picture_of(model.golden->input));
}

std::vector<float> scores_of(const Model& model, const Tensor& picture, const CompileOptions& options) {
  const auto network = compile_for_scores(model, options).network;
  check_takes_pictures(*network, model.preprocessing);
  const Tensor input = preprocess(model.preprocessing, picture_of(picture));
  std::vector<float> scores(static_cast<std::size_t>(network->outputs().front().shape.elements()));
  const std::span<const float> source = input.values<float>();
  const std::span<float> destination = scores;
  Session(network).run(1, {&source, 1}, {&destination, 1});
  return scores;
}

Golden make_golden(const Model& model, const CompileOptions& options) {
  if (!class_count(model.graph)) throw Error(ErrorKind::model, "", "the network gives no row of scores");
  CompileOptions in_f32 = options;
  in_f32.precision = Precision::f32;
  const Tensor picture = golden_picture();
  const auto scores = scores_of(model, picture, in_f32);
  if (!std::ranges::all_of(scores, [](float score) { return std::isfinite(score); })) {
    throw Error(ErrorKind::model, "", "the scores of the golden picture are not finite");
  }
  return {.input = picture, .logits = Tensor::of<float>({static_cast<std::int64_t>(scores.size())}, scores)};
}

GoldenCheck check_golden(const Model& model, const CompileOptions& options) {
  if (!model.golden) throw Error(ErrorKind::model, "", "the model has no golden picture to check against");
  const auto found = scores_of(model, model.golden->input, options);
  const auto wanted = model.golden->logits.values<float>();
  if (found.size() != wanted.size()) {
    throw Error(ErrorKind::model, "", fmt::format("the model has {} golden logits for {} classes", wanted.size(), found.size()));
  }
  GoldenCheck check{.tolerance = tolerance_of(options.precision)};
  bool finite = true;
  for (std::size_t i = 0; i < wanted.size(); ++i) {
    check.largest_difference = std::max(check.largest_difference, std::abs(static_cast<double>(found[i]) - wanted[i]));
    check.largest_logit = std::max(check.largest_logit, std::abs(static_cast<double>(wanted[i])));
    finite = finite && std::isfinite(found[i]);
  }
  check.agrees = finite && check.largest_difference <= check.tolerance * check.largest_logit;
  return check;
}

}  // namespace alexnet
