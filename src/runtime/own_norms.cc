#include "runtime/own_norms.h"

#include <algorithm>
#include <cmath>
#include <iterator>
#include <limits>
#include <memory>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "runtime/map_norm.h"
#include "runtime/own_kernels.h"
#include "runtime/simd/contrast.h"
#include "runtime/simd/filter_response.h"
#include "runtime/simd/maps.h"
#include "tensor/contrast.h"

namespace alexnet {
namespace {

// The learned tensors, taken one after the other.
class Parameters {
 public:
  explicit Parameters(const std::vector<Weight>& weights) : weights_(weights) {}

  std::vector<float> next() {
    const Tensor wide = widened(weights_[next_++]);
    const auto values = wide.values<float>();
    return {values.begin(), values.end()};
  }
  std::vector<float> next_or(bool present, std::int64_t count, float value) {
    return present ? next() : std::vector<float>(static_cast<std::size_t>(count), value);
  }

 private:
  const std::vector<Weight>& weights_;
  std::size_t next_ = 0;
};

Choice described(std::string_view what, const NormContext& context) {
  Choice choice;
  choice.implementation = own_name(what, context.level);
  for (const auto& parameter : context.parameters)
    choice.created_bytes += static_cast<std::uint64_t>(parameter.shape.elements()) * sizeof(float);
  choice.weight_bytes = choice.created_bytes;
  return choice;
}

// The maps of (N, C, ...).
MapNorm maps_of(const Shape& input) { return {.channels = input[1], .pixels = Shape(input.extents().subspan(2)).elements()}; }

// `complete` fills in what is learned, from Parameters.
template <typename Complete>
Choice map_norm(std::string_view what, const NormContext& context, MapNorm norm, const Complete& complete) {
  Choice choice = described(what, context);
  choice.scratch_bytes = map_norm_scratch_bytes(norm) * static_cast<std::uint64_t>(context.input[0]);
  choice.prepare = [=, norm = std::move(norm)]() mutable {
    Parameters parameters(context.parameters);
    complete(parameters, norm);
    return stateless([norm = std::make_shared<const MapNorm>(std::move(norm)), kernels = map_kernels(context.level),
                      samples = context.input[0]](const StepMemory& at) { run(*norm, kernels, samples, at); });
  };
  return choice;
}

template <typename Kind>
void affine(const Kind& layer, Parameters& parameters, MapNorm& norm) {
  norm.scale = parameters.next_or(layer.scale, norm.channels, 1);
  norm.offset = parameters.next_or(layer.offset, norm.channels, 0);
}

// Every `step`-th map from `first` on, taken together.
Moments merged_maps(std::span<const Moments> maps, std::size_t first, std::size_t step) {
  Moments all;
  for (auto i = first; i < maps.size(); i += step) all = merged(all, maps[i]);
  return all;
}

// Of `count` maps `step` apart: the mean of their sample variances and the variance of their means.
MeanVariance pooled(std::span<const Moments> maps, std::size_t first, std::size_t step, std::size_t count) {
  MeanVariance result;
  const auto n = static_cast<double>(count);
  for (std::size_t i = 0; i < count; ++i) result.mean += maps[first + i * step].mean / n;
  for (std::size_t i = 0; i < count; ++i) {
    const Moments& map = maps[first + i * step];
    result.variance += (map.sample_variance() + (map.mean - result.mean) * (map.mean - result.mean)) / n;
  }
  return result;
}

std::vector<double> softmax(const std::vector<float>& weights) {
  std::vector<double> result(weights.begin(), weights.end());
  const double largest = *std::ranges::max_element(result);
  for (double& value : result) value = std::exp(value - largest);
  const double sum = std::accumulate(result.begin(), result.end(), 0.0);
  for (double& value : result) value /= sum;
  return result;
}

// The parts of a switchable normalisation and their weights.
struct Mixture {
  std::size_t channels;
  BatchPart part;
  std::vector<double> means;  // weights of map, sample and channel
  std::vector<double> variances;
  std::vector<float> mean;  // stored
  std::vector<float> variance;

  void operator()(std::span<const Moments> maps, std::span<MeanVariance> result) const {
    for (std::size_t c = 0; c < channels && part != BatchPart::none; ++c) {
      const MeanVariance channel = part == BatchPart::of_batch
                                       ? pooled(maps, c, channels, maps.size() / channels)
                                       : MeanVariance{static_cast<double>(mean[c]), static_cast<double>(variance[c])};
      for (std::size_t map = c; map < maps.size(); map += channels) result[map] = channel;
    }
    for (std::size_t first = 0; first < maps.size(); first += channels) {
      const MeanVariance sample = pooled(maps, first, 1, channels);
      for (std::size_t map = first; map < first + channels; ++map) {
        MeanVariance mixed{means[0] * maps[map].mean + means[1] * sample.mean,
                           variances[0] * maps[map].sample_variance() + variances[1] * sample.variance};
        if (part != BatchPart::none) {
          mixed.mean += means[2] * result[map].mean;
          mixed.variance += variances[2] * result[map].variance;
        }
        result[map] = mixed;
      }
    }
  }
};

// y = x * scale + offset per channel.
template <typename Complete>
Choice channel_affine(std::string_view what, const NormContext& context, const Complete& complete) {
  Choice choice = described(what, context);
  const MapNorm maps = maps_of(context.input);
  choice.prepare = [=]() {
    Parameters parameters(context.parameters);
    const auto [scale, offset] = complete(parameters, maps.channels);
    return stateless([=, kernels = map_kernels(context.level), samples = context.input[0]](const StepMemory& at) {
      const auto* source = reinterpret_cast<const float*>(at.sources[0]);
      auto* destination = reinterpret_cast<float*>(at.destination);
      if (maps.pixels == 1) {
        for (auto row = samples; row-- > 0;)
          kernels.elementwise(source + row * maps.channels, destination + row * maps.channels, maps.channels, {}, scale.data(),
                              offset.data());
        return;
      }
#pragma omp parallel for schedule(static)
      for (std::int64_t map = 0; map < samples * maps.channels; ++map) {
        const auto c = static_cast<std::size_t>(map % maps.channels);
        const MapAffine affine{.scale = scale[c], .offset = offset[c]};
        kernels.affine(source + map * maps.pixels, destination + map * maps.pixels, maps.pixels, std::span(&affine, 1));
      }
    });
  };
  return choice;
}

using ScaleOffset = std::pair<std::vector<float>, std::vector<float>>;

Choice contrast(std::string_view what, const NormContext& context, const Neighbourhood& neighbourhood,
                const std::optional<double>& epsilon) {
  Choice choice = described(what, context);
  const Shape& in = context.input;
  ContrastArguments fixed{.groups = neighbourhood.across_channels ? in[0] : in[0] * in[1],
                          .planes = neighbourhood.across_channels ? in[1] : 1,
                          .height = in[2],
                          .width = in[3],
                          .reach = std::min(neighbourhood.size / 2, std::max(in[2], in[3]) - 1),
                          .divide = epsilon.has_value(),
                          .epsilon = static_cast<float>(epsilon.value_or(0))};
  choice.scratch_bytes = contrast_scratch_bytes(fixed, context.threads);
  choice.prepare = [=] {
    std::vector<float> gaussian;
    for (std::int64_t distance = 0; distance <= fixed.reach; ++distance) {
      const double steps = static_cast<double>(distance) / neighbourhood.sigma;
      gaussian.push_back(static_cast<float>(std::exp(-0.5 * steps * steps)));
    }
    const auto present = [&](std::int64_t size) {
      std::vector<float> result;
      for (std::int64_t at = 0; at < size; ++at) {
        double total = 0;
        for (auto from = std::max<std::int64_t>(at - fixed.reach, 0); from < std::min(at + fixed.reach + 1, size); ++from)
          total += static_cast<double>(gaussian[static_cast<std::size_t>(std::abs(from - at))]);
        result.push_back(static_cast<float>(1 / total));
      }
      return result;
    };
    return stateless([=, of_rows = present(fixed.height), of_columns = present(fixed.width),
                      kernel = contrast_kernel(context.level), kernels = map_kernels(context.level)](const StepMemory& at) {
      ContrastArguments arguments = fixed;
      arguments.source = reinterpret_cast<const float*>(at.sources[0]);
      arguments.destination = reinterpret_cast<float*>(at.destination);
      arguments.scratch = reinterpret_cast<float*>(at.scratch);
      arguments.gaussian = gaussian.data();
      arguments.of_rows = of_rows.data();
      arguments.of_columns = of_columns.data();
      kernel(arguments, kernels);
    });
  };
  return choice;
}

}  // namespace

Choice own_norm(const InstanceNorm& layer, const NormContext& context) {
  return map_norm("instance_norm", context, maps_of(context.input), [=](Parameters& parameters, MapNorm& norm) {
    affine(layer, parameters, norm);
    norm.epsilon = layer.epsilon;
  });
}

Choice own_norm(const FilterResponseNorm& layer, const NormContext& context) {
  Choice choice = described("filter_response_norm", context);
  const MapNorm maps = maps_of(context.input);
  choice.prepare = [=] {
    Parameters parameters(context.parameters);
    const auto channels = static_cast<std::size_t>(maps.channels);
    FilterResponse of;
    of.epsilon.assign(channels, std::fabs(layer.epsilon));
    if (layer.learned_epsilon) std::ranges::transform(parameters.next(), of.epsilon.begin(), [](float e) { return std::fabs(e); });
    of.least = layer.threshold ? parameters.next() : std::vector<float>(channels, -std::numeric_limits<float>::infinity());
    std::ranges::copy(parameters.next_or(layer.scale, maps.channels, 1), std::back_inserter(of.scale));
    of.offset = parameters.next_or(layer.offset, maps.channels, 0);
    of.epsilon.resize(channels + FilterResponse::kRoom);
    of.scale.resize(channels + FilterResponse::kRoom);
    return stateless([of = std::make_shared<const FilterResponse>(std::move(of)), kernel = filter_response_kernel(context.level),
                      samples = context.input[0], maps](const StepMemory& at) {
      if (maps.pixels == 0) return;
      kernel(*of, reinterpret_cast<const float*>(at.sources[0]), reinterpret_cast<float*>(at.destination), samples * at.rows,
             maps.channels, maps.pixels);
    });
  };
  return choice;
}

Choice own_norm(const GroupNorm& layer, const NormContext& context) {
  MapNorm maps = maps_of(context.input);
  maps.together = maps.channels / layer.groups;
  maps.mix = [](std::span<const Moments> of_maps, std::span<MeanVariance> result) {
    const Moments group = merged_maps(of_maps, 0, 1);
    std::ranges::fill(result, MeanVariance{group.mean, group.variance()});
  };
  return map_norm("group_norm", context, maps, [=](Parameters& parameters, MapNorm& norm) {
    affine(layer, parameters, norm);
    norm.epsilon = layer.epsilon;
  });
}

Choice own_norm(const BatchStatisticsNorm& layer, const NormContext& context) {
  MapNorm maps = maps_of(context.input);
  maps.together = 0;
  maps.mix = [channels = static_cast<std::size_t>(maps.channels)](std::span<const Moments> of_maps,
                                                                  std::span<MeanVariance> result) {
    for (std::size_t c = 0; c < channels; ++c) {
      const Moments channel = merged_maps(of_maps, c, channels);
      for (auto map = c; map < result.size(); map += channels) result[map] = {channel.mean, channel.variance()};
    }
  };
  return map_norm("batch_statistics_norm", context, maps, [=](Parameters& parameters, MapNorm& norm) {
    affine(layer, parameters, norm);
    norm.epsilon = layer.epsilon;
  });
}

Choice own_norm(const SwitchableNorm& layer, const NormContext& context) {
  MapNorm maps = maps_of(context.input);
  maps.together = layer.couples_batch() ? 0 : maps.channels;
  maps.mix = Mixture{static_cast<std::size_t>(maps.channels), layer.batch_part, {}, {}, {}, {}};
  return map_norm("switchable_norm", context, maps, [=](Parameters& parameters, MapNorm& norm) {
    Mixture mixture{
        static_cast<std::size_t>(norm.channels), layer.batch_part, softmax(parameters.next()), softmax(parameters.next()), {}, {}};
    if (layer.batch_part == BatchPart::stored) {
      mixture.mean = parameters.next();
      mixture.variance = parameters.next();
    }
    norm.mix = std::move(mixture);
    affine(layer, parameters, norm);
    norm.epsilon = layer.epsilon;
  });
}

// bench_normalisation: of the time of oneDNN's, with AVX-512 and two threads, 0.6 to 0.9 for the samples and rows of AlexNet, 1.1
// to 1.4 for rows below a thousand values.
Choice own_norm(const LayerNorm& layer, const NormContext& context) {
  Choice choice = described("layer_norm", context);
  const auto count = Shape(context.input.extents().subspan(static_cast<std::size_t>(layer.axis))).elements();
  const auto rows = count == 0 ? 0 : context.input.elements() / count;
  choice.prepare = [=] {
    Parameters parameters(context.parameters);
    const auto scale = layer.scale ? parameters.next() : std::vector<float>();
    const auto offset = layer.offset ? parameters.next() : std::vector<float>();
    return stateless([=, kernels = map_kernels(context.level)](const StepMemory& at) {
      const auto* source = reinterpret_cast<const float*>(at.sources[0]);
      auto* destination = reinterpret_cast<float*>(at.destination);
      each_by_its_own(
          rows, count, [&](std::int64_t row, std::span<Moments> of) { kernels.moments(source + row * count, count, of); },
          [&](std::int64_t, std::span<const Moments> of, std::span<MapAffine> with) {
            std::ranges::transform(of, with.begin(), [&](const Moments& row) -> MapAffine {
              const auto mean = static_cast<float>(row.mean);
              return {.mean = mean,
                      .mean_rest = static_cast<float>(row.mean - static_cast<double>(mean)),
                      .scale = static_cast<float>(1 / std::sqrt(row.variance() + layer.epsilon))};
            });
          },
          [&](std::int64_t row, std::span<const MapAffine> with) {
            for (const MapAffine& affine : with) {
              kernels.elementwise(source + row * count, destination + row * count, count, affine,
                                  layer.scale ? scale.data() : nullptr, layer.offset ? offset.data() : nullptr);
              ++row;
            }
          });
    });
  };
  return choice;
}

Choice own_norm(const MovingAverageBatchNorm& layer, const NormContext& context) {
  return channel_affine("moving_average_batch_norm", context, [=](Parameters& parameters, std::int64_t channels) {
    const auto moment = parameters.next();
    auto scale = parameters.next_or(layer.scale, channels, 1);
    for (std::size_t c = 0; c < scale.size(); ++c)
      scale[c] = static_cast<float>(static_cast<double>(scale[c]) / std::sqrt(static_cast<double>(moment[c]) + layer.epsilon));
    return ScaleOffset{std::move(scale), parameters.next_or(layer.offset, channels, 0)};
  });
}

Choice own_norm(const ScaleShift& layer, const NormContext& context) {
  return channel_affine("scale_shift", context, [=](Parameters& parameters, std::int64_t channels) {
    auto scale = parameters.next_or(layer.scale, channels, 1);
    return ScaleOffset{std::move(scale), parameters.next_or(layer.offset, channels, 0)};
  });
}

Choice own_norm(const Scale& layer, const NormContext& context) {
  NormContext whole = context;
  whole.input = Shape{1, 1, context.input.elements()};
  return channel_affine("scale", whole, [=](Parameters&, std::int64_t) {
    return ScaleOffset{{static_cast<float>(layer.factor)}, {0.0f}};
  });
}

Choice own_norm(const LocalContrastNorm& layer, const NormContext& context) {
  return contrast("local_contrast_norm", context, {layer.local_size, layer.sigma, layer.across_channels}, layer.epsilon);
}

Choice own_norm(const LocalMeanSubtraction& layer, const NormContext& context) {
  return contrast("local_mean_subtraction", context, {layer.local_size, layer.sigma, layer.across_channels}, std::nullopt);
}

}  // namespace alexnet
