#include "tasks/stats.h"

#include <algorithm>
#include <cmath>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "base/text.h"
#include "runtime/parallel.h"

namespace alexnet {
namespace {

std::int64_t channels_of(const Shape& sample) { return sample.rank() == 0 ? 1 : sample[0]; }

Tensor narrowed(const std::vector<Moments>& channels, const std::string& layer, double (*number)(const Moments&)) {
  Tensor result = Tensor::zeros({static_cast<std::int64_t>(channels.size())});
  for (std::size_t c = 0; c < channels.size(); ++c) {
    const auto value = static_cast<float>(number(channels[c]));
    if (!std::isfinite(value)) {
      throw Error(ErrorKind::model, fmt::format("layer {}", shown(layer)),
                  fmt::format("what channel {} of it reads has no finite statistics", c));
    }
    result.mutable_values<float>()[c] = value;
  }
  return result;
}

double mean(const Moments& m) { return m.mean; }
double variance(const Moments& m) { return m.variance(); }
double second_moment(const Moments& m) { return m.mean * m.mean + m.variance(); }

// Gives the node statistics, if it is a batch normalisation.
bool give(Model& model, Node& node, const Measure& measure) {
  const auto set = [&](const char* name, const Tensor& tensor) { model.weights[node.name + "." + name] = Weight::of(tensor); };
  const bool stored = std::holds_alternative<BatchNorm>(node.layer);
  const auto* of_batch = std::get_if<BatchStatisticsNorm>(&node.layer);
  const bool moving = std::holds_alternative<MovingAverageBatchNorm>(node.layer);
  if (!stored && of_batch == nullptr && !moving) return false;
  const auto channels = measure(model, node.inputs.front());
  if (moving) {
    set("moment", narrowed(channels, node.name, second_moment));
    return true;
  }
  set("mean", narrowed(channels, node.name, mean));
  set("variance", narrowed(channels, node.name, variance));
  if (of_batch != nullptr)
    node.layer = BatchNorm{.epsilon = of_batch->epsilon, .scale = of_batch->scale, .offset = of_batch->offset};
  return true;
}

}  // namespace

std::vector<LayerStatistics> statistics(const NamedNetwork& network, const Preprocessing& preprocessing, const NextPicture& source,
                                        const PictureBatchOptions& options, const ReceivePicture& receive) {
  std::vector<LayerStatistics> result;
  for (const auto& output : network.outputs)
    result.push_back({output.name, output.shape, std::vector<Moments>(static_cast<std::size_t>(channels_of(output.shape)))});
  PictureBatches batches(network.network, preprocessing, options);
  std::vector<std::vector<Moments>> of_pictures;
  while (batches.next(source)) {
    const auto pictures = batches.pictures();
    for (std::size_t layer = 0; layer < result.size(); ++layer) {
      auto& channels = result[layer].channels;
      of_pictures.assign(pictures.size(), std::vector<Moments>(channels.size()));
      parallel_for(static_cast<std::int64_t>(pictures.size()), network.network->threads(), [&](std::int64_t i) {
        const auto picture = static_cast<std::size_t>(i);
        if (pictures[picture].error) return;
        const auto values = batches.values(network.positions[layer], picture);
        const auto size = values.size() / channels.size();
        for (std::size_t c = 0; c < channels.size(); ++c) of_pictures[picture][c] = moments(values.subspan(c * size, size));
      });
      for (const auto& picture : of_pictures) {
        for (std::size_t c = 0; c < channels.size(); ++c) channels[c] = merged(channels[c], picture[c]);
      }
    }
    for (std::size_t i = 0; i < pictures.size(); ++i) receive(batches.inputs()[i], pictures[i]);
  }
  return result;
}

Recalibrated recalibrated(const Model& model, const Measure& measure) {
  Recalibrated result{model, {}};
  for (Node& node : result.model.graph.nodes) {
    if (give(result.model, node, measure)) result.layers.push_back(node.name);
  }
  if (result.layers.empty()) throw Error(ErrorKind::model, "", "the network has no batch normalisation to give statistics to");
  result.model.golden.reset();
  result.model.accuracy.clear();
  result.model.ranges.clear();
  return result;
}

Covariance input_covariance(const Preprocessing& preprocessing, const Shape& input, WhitenedSamples samples, int threads,
                            const NextPicture& source, const PictureBatchOptions& options, const ReceivePicture& receive) {
  const bool pixels = samples == WhitenedSamples::pixels;
  const auto elements = static_cast<std::size_t>(input.elements());
  const auto channels = static_cast<std::size_t>(input[0]);
  const std::int64_t size = pixels ? input[0] : input.elements();
  Covariance all(size);
  while (options.stop == nullptr || *options.stop == 0) {
    std::vector<PictureInput> inputs;
    PictureInput next;
    while (std::ssize(inputs) < options.batch && source(next, /*wait=*/inputs.empty()) == PictureSource::Next::picture)
      inputs.push_back(std::move(next));
    if (inputs.empty()) break;
    std::vector<Prepared> pictures(inputs.size());
    std::vector<std::vector<float>> values(inputs.size(), std::vector<float>(elements));
    std::vector<std::optional<Covariance>> of_pictures(inputs.size());
    parallel_for(std::ssize(inputs), threads, [&](std::int64_t i) {
      const auto at = static_cast<std::size_t>(i);
      pictures[at] = prepare(inputs[at], preprocessing, Crops::one, options.decode, options.stop, values[at]);
      if (pictures[at].error || !pixels) return;
      auto& own = of_pictures[at].emplace(size);
      std::vector<float> sample(channels);
      for (std::size_t pixel = 0; pixel < elements / channels; ++pixel) {
        for (std::size_t c = 0; c < channels; ++c) sample[c] = values[at][c * (elements / channels) + pixel];
        own.add(sample);
      }
    });
    for (std::size_t i = 0; i < inputs.size(); ++i) {
      if (of_pictures[i]) all.merge(*of_pictures[i]);
      if (!pixels && !pictures[i].error) all.add(values[i]);
      receive(inputs[i], pictures[i]);
    }
  }
  return all;
}

}  // namespace alexnet
