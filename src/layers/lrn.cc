#include "layers/lrn.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "layers/window.h"

namespace alexnet {
namespace {

double square(float x) { return static_cast<double>(x) * static_cast<double>(x); }

struct Range {
  std::int64_t begin;
  std::int64_t end;
};

Range clipped(std::int64_t centre, LrnReach reach, Range allowed) {
  return {std::max(centre - reach.before, allowed.begin), std::min(centre + reach.after + 1, allowed.end)};
}

// Calls visit(element, sum of squares over the element's window) for each element of x.
void across_channels(const Lrn& layer, const Shape& shape, std::span<const float> x, auto&& visit) {
  const auto per_tower = shape[1] / layer.groups;
  const auto pixels = shape[0] * shape[1] == 0 ? 0 : shape.elements() / (shape[0] * shape[1]);
  for (std::int64_t n = 0; n < shape[0]; ++n) {
    for (std::int64_t c = 0; c < shape[1]; ++c) {
      const auto tower = c / per_tower;
      const auto window = clipped(c, reach(layer), {tower * per_tower, (tower + 1) * per_tower});
      for (std::int64_t p = 0; p < pixels; ++p) {
        double sum = 0;
        for (auto i = window.begin; i < window.end; ++i)
          sum += square(x[static_cast<std::size_t>((n * shape[1] + i) * pixels + p)]);
        visit(static_cast<std::size_t>((n * shape[1] + c) * pixels + p), sum);
      }
    }
  }
}

void within_channel(const Lrn& layer, const Shape& shape, std::span<const float> x, auto&& visit) {
  for (std::int64_t map = 0; map < shape[0] * shape[1]; ++map) {
    const auto plane = x.subspan(static_cast<std::size_t>(map * shape[2] * shape[3]));
    for (std::int64_t row = 0; row < shape[2]; ++row) {
      const auto rows = clipped(row, reach(layer), {0, shape[2]});
      for (std::int64_t column = 0; column < shape[3]; ++column) {
        const auto columns = clipped(column, reach(layer), {0, shape[3]});
        double sum = 0;
        for (auto i = rows.begin; i < rows.end; ++i) {
          for (auto j = columns.begin; j < columns.end; ++j) sum += square(plane[static_cast<std::size_t>(i * shape[3] + j)]);
        }
        visit(static_cast<std::size_t>((map * shape[2] + row) * shape[3] + column), sum);
      }
    }
  }
}

}  // namespace

LrnReach reach(const Lrn& layer) {
  const auto n = layer.local_size;
  const auto shorter = (n - 1) / 2;
  return {layer.even_window == EvenWindow::before ? n / 2 : shorter, layer.even_window == EvenWindow::after ? n / 2 : shorter};
}

Shape output_shape(const Lrn& layer, std::span<const Shape> inputs) {
  const Shape& input = inputs[0];
  require_at_least("local_size", layer.local_size, 1);
  require_at_least("groups", layer.groups, 1);
  if (layer.region == LrnRegion::within_channel) {
    require_axes(input, "NCHW");
    return input;
  }
  require_channels(input);
  if (input[1] % layer.groups != 0) {
    throw Error(ErrorKind::model, "", fmt::format("{} groups do not divide {} channels", layer.groups, input[1]));
  }
  return input;
}

std::vector<Parameter> parameters(const Lrn&, std::span<const Shape>) { return {}; }

Tensor reference(const Lrn& layer, std::span<const Tensor> inputs, std::span<const Tensor>) {
  const auto x = inputs[0].values<float>();
  Tensor result = Tensor::zeros(inputs[0].shape());
  const auto y = result.mutable_values<float>();
  const bool across = layer.region == LrnRegion::across_channels;
  const auto size = static_cast<double>(layer.local_size);
  const double factor = layer.alpha / (across ? size : size * size);
  const auto normalise = [&](std::size_t at, double sum) {
    y[at] = static_cast<float>(static_cast<double>(x[at]) / std::pow(layer.k + factor * sum, layer.beta));
  };
  if (across) {
    across_channels(layer, inputs[0].shape(), x, normalise);
  } else {
    within_channel(layer, inputs[0].shape(), x, normalise);
  }
  return result;
}

}  // namespace alexnet
