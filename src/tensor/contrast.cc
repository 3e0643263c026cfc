#include "tensor/contrast.h"

#include <algorithm>
#include <cmath>
#include <vector>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "tensor/moments.h"

namespace alexnet {
namespace {

// A plane of `height` rows, blurred along one axis: `steps` positions that lie `stride` apart, for each of `lines` lines.
struct Axis {
  std::int64_t steps;
  std::int64_t stride;
};

// The Gaussian and the renormalisation at borders are both products over the two axes, so one axis goes after the other.
std::vector<double> blurred_along(const std::vector<double>& gaussian, const std::vector<double>& plane, Axis along, Axis across) {
  std::vector<double> result(plane.size());
  const auto reach = static_cast<std::int64_t>(gaussian.size()) - 1;
  for (std::int64_t at = 0; at < along.steps; ++at) {
    const auto begin = std::max<std::int64_t>(at - reach, 0);
    const auto end = std::min(at + reach + 1, along.steps);
    double total = 0;
    for (auto from = begin; from < end; ++from) total += gaussian[static_cast<std::size_t>(std::abs(from - at))];
    for (std::int64_t line = 0; line < across.steps; ++line) {
      double sum = 0;
      for (auto from = begin; from < end; ++from) {
        sum += gaussian[static_cast<std::size_t>(std::abs(from - at))] *
               plane[static_cast<std::size_t>(from * along.stride + line * across.stride)];
      }
      result[static_cast<std::size_t>(at * along.stride + line * across.stride)] = sum / total;
    }
  }
  return result;
}

// The planes of a tensor that share their neighbours: one channel, or all of them.
class Planes {
 public:
  Planes(const Neighbourhood& neighbourhood, const Shape& maps)
      : height_(maps[1]), width_(maps[2]), shared_(neighbourhood.across_channels ? maps[0] : 1) {
    // Neighbours further away than the map is large are never there.
    const auto reach = std::min(neighbourhood.size / 2, std::max(height_, width_));
    for (std::int64_t distance = 0; distance <= reach; ++distance) {
      const double steps = static_cast<double>(distance) / neighbourhood.sigma;
      gaussian_.push_back(std::exp(-0.5 * steps * steps));
    }
  }

  std::size_t plane_size() const { return static_cast<std::size_t>(height_ * width_); }
  std::size_t group_size() const { return plane_size() * static_cast<std::size_t>(shared_); }

  // The weighted mean of a group's values around each pixel.
  std::vector<double> mean(std::span<const double> group) const {
    std::vector<double> average(plane_size(), 0);
    for (std::size_t i = 0; i < group.size(); ++i) average[i % plane_size()] += group[i] / static_cast<double>(shared_);
    const Axis rows{height_, width_};
    const Axis columns{width_, 1};
    return blurred_along(gaussian_, blurred_along(gaussian_, average, columns, rows), rows, columns);
  }

  std::vector<double> without_mean(std::span<const float> group) const {
    std::vector<double> result(group.begin(), group.end());
    const auto subtracted = mean(result);
    for (std::size_t i = 0; i < result.size(); ++i) result[i] -= subtracted[i % plane_size()];
    return result;
  }

 private:
  std::int64_t height_;
  std::int64_t width_;
  std::int64_t shared_;
  std::vector<double> gaussian_;  // by distance
};

}  // namespace

void check(const Neighbourhood& neighbourhood) {
  constexpr std::int64_t kLargest = std::int64_t{1} << 16;
  const auto size = neighbourhood.size;
  if (size < 1 || size > kLargest || size % 2 == 0) {
    throw Error(ErrorKind::model, "",
                fmt::format("the size of the neighbourhood is {}, must be odd and between 1 and {}", size, kLargest));
  }
  if (!(neighbourhood.sigma > 0)) {
    throw Error(ErrorKind::model, "", fmt::format("sigma is {}, must be positive", neighbourhood.sigma));
  }
}

void subtract_local_mean(const Neighbourhood& neighbourhood, const Shape& maps, std::span<const float> x, std::span<float> y) {
  const Planes planes(neighbourhood, maps);
  for (std::size_t at = 0; at < x.size(); at += planes.group_size()) {
    const auto v = planes.without_mean(x.subspan(at, planes.group_size()));
    for (std::size_t i = 0; i < v.size(); ++i) y[at + i] = static_cast<float>(v[i]);
  }
}

void normalise_local_contrast(const Neighbourhood& neighbourhood, double epsilon, const Shape& maps, std::span<const float> x,
                              std::span<float> y) {
  const Planes planes(neighbourhood, maps);
  for (std::size_t at = 0; at < x.size(); at += planes.group_size()) {
    const auto v = planes.without_mean(x.subspan(at, planes.group_size()));
    std::vector<double> squares(v.size());
    std::ranges::transform(v, squares.begin(), [](double value) { return value * value; });
    auto sigma = planes.mean(squares);
    double mean = 0;
    for (double& value : sigma) {
      value = std::sqrt(value);
      mean += value / static_cast<double>(sigma.size());
    }
    const double least = std::max(mean, epsilon);
    for (std::size_t i = 0; i < v.size(); ++i) {
      y[at + i] = static_cast<float>(v[i] / std::max(sigma[i % planes.plane_size()], least));
    }
  }
}

void normalise_global_contrast(const GlobalContrast& parameters, std::span<const float> x, std::span<float> y) {
  const auto all = moments(x);
  const double divisor = std::max(parameters.epsilon, std::sqrt(parameters.lambda + all.variance()));
  for (std::size_t i = 0; i < x.size(); ++i) {
    y[i] = static_cast<float>(parameters.scale * (static_cast<double>(x[i]) - all.mean) / divisor);
  }
}

}  // namespace alexnet
