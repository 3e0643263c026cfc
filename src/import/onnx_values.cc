#include "import/onnx_values.h"

#include <fmt/format.h>

#include "base/text.h"

namespace alexnet {
namespace {

template <typename T>
std::vector<std::int64_t> widened_integers(const Tensor& tensor) {
  const auto values = tensor.values<T>();
  return {values.begin(), values.end()};
}

}  // namespace

std::string to_string(std::span<const std::int64_t> extents) {
  if (extents.empty()) return "scalar";
  std::vector<std::string> parts;
  for (const auto extent : extents) parts.push_back(extent == kBatch ? "batch" : std::to_string(extent));
  return join(parts, "x");
}

std::vector<std::int64_t> integers(const Tensor& tensor, std::string_view what) {
  switch (tensor.type()) {
    case ElementType::i64: return widened_integers<std::int64_t>(tensor);
    case ElementType::i32: return widened_integers<std::int32_t>(tensor);
    default: break;
  }
  throw Error(ErrorKind::model, "", fmt::format("{} has elements of type {}, not whole numbers", what, name(tensor.type())));
}

double as_written(float value) { return parse_number(shortest(value)).value_or(static_cast<double>(value)); }

double scalar(const Tensor& tensor, std::string_view what) {
  if (tensor.shape().elements() != 1) {
    throw Error(ErrorKind::model, "", fmt::format("{} has the shape {}, one number is wanted", what, to_string(tensor.shape())));
  }
  if (tensor.type() == ElementType::f64) return tensor.values<double>()[0];
  return as_written(widened(tensor).values<float>()[0]);
}

}  // namespace alexnet
