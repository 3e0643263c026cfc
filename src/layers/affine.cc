#include "layers/affine.h"

#include <fmt/format.h>

#include "alexnet/error.h"

namespace alexnet {

std::vector<Parameter> affine_parameters(bool scale, bool offset, const Shape& shape) {
  std::vector<Parameter> result;
  if (scale) result.push_back({"scale", shape});
  if (offset) result.push_back({"offset", shape});
  return result;
}

Affine::Affine(bool scale, bool offset, std::span<const Tensor> parameters) {
  if (offset) {
    offset_ = parameters.back().values<float>();
    parameters = parameters.first(parameters.size() - 1);
  }
  if (scale) scale_ = parameters.back().values<float>();
}

double Affine::operator()(double normalised, std::size_t index) const {
  const double scaled = scale_.empty() ? normalised : static_cast<double>(scale_[index]) * normalised;
  return offset_.empty() ? scaled : scaled + static_cast<double>(offset_[index]);
}

void require_epsilon(double epsilon) {
  if (epsilon < 0) throw Error(ErrorKind::model, "", fmt::format("epsilon is {}, must not be negative", epsilon));
}

}  // namespace alexnet
