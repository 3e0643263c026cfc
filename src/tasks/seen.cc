#include "tasks/seen.h"

#include <variant>

namespace alexnet {

Image seen(const Preprocessing& preprocessing, const Image& image) {
  Preprocessing bytes_alone;
  for (const Step& step : preprocessing.steps) {
    if (std::holds_alternative<Resize>(step) || std::holds_alternative<CenterCrop>(step)) bytes_alone.steps.push_back(step);
  }
  const Tensor tensor = preprocess(bytes_alone, image);
  const auto height = static_cast<int>(tensor.shape()[1]);
  const auto width = static_cast<int>(tensor.shape()[2]);
  const auto values = tensor.values<float>();
  const auto plane = static_cast<std::size_t>(width) * static_cast<std::size_t>(height);
  Image result{.width = width, .height = height, .pixels = std::vector<std::uint8_t>(3 * plane)};
  for (std::size_t channel = 0; channel < 3; ++channel) {
    for (std::size_t i = 0; i < plane; ++i) result.pixels[3 * i + channel] = static_cast<std::uint8_t>(values[channel * plane + i]);
  }
  return result;
}

}  // namespace alexnet
