#include "tasks/show.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>
#include <span>
#include <utility>
#include <variant>
#include <vector>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "base/text.h"
#include "image/draw.h"
#include "tasks/picture_network.h"

namespace alexnet {
namespace {

constexpr Colour kBackground{255, 255, 255};
constexpr Colour kInk{0, 0, 0};
constexpr Colour kNoNumber{255, 0, 0};
constexpr int kGap = 4;
constexpr int kLine = kTextHeight + kGap;
constexpr int kWidest = 1000;     // of a grid, unless two tiles need more
constexpr int kLargeEnough = 48;  // for a tile; smaller ones are magnified
constexpr std::int64_t kMostPixels = 100'000'000;

// Values on their way to brightness.
struct Brightness {
  float least = 0;
  float most = 0;

  std::uint8_t operator()(float value) const {
    if (!(most > least)) return 128;
    const float part = (value - least) / (most - least);
    return static_cast<std::uint8_t>(std::lround(std::clamp(part, 0.0f, 1.0f) * 255));
  }
};

Brightness scale_of(std::span<const float> values) {
  Brightness scale{.least = INFINITY, .most = -INFINITY};
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    scale.least = std::min(scale.least, value);
    scale.most = std::max(scale.most, value);
  }
  return scale;
}

// A tile of one plane, or of three that are red, green and blue. `planes` are pointers to their first values.
Image tile_of(const std::array<const float*, 3>& planes, std::int64_t height, std::int64_t width, const Brightness& scale) {
  Image tile{.width = static_cast<int>(width), .height = static_cast<int>(height), .pixels = {}};
  for (std::int64_t i = 0; i < height * width; ++i) {
    const std::array values{planes[0][i], planes[1][i], planes[2][i]};
    const bool number = std::ranges::none_of(values, [](float value) { return std::isnan(value); });
    for (std::size_t c = 0; c < 3; ++c) tile.pixels.push_back(number ? scale(values[c]) : kNoNumber[c]);
  }
  return tile;
}

struct Tile {
  std::string label;
  Image image;
};

// Which of our channels are red, green and blue.
std::array<std::size_t, 3> colours(const Preprocessing& preprocessing) {
  bool bgr = false;
  for (const Step& step : preprocessing.steps) {
    if (const auto* channels = std::get_if<Channels>(&step)) bgr = channels->order == ChannelOrder::bgr;
  }
  return bgr ? std::array<std::size_t, 3>{2, 1, 0} : std::array<std::size_t, 3>{0, 1, 2};
}

// Tiles of one size, in rows of `columns` (0: as many as look well), with a title above.
Image grid(const std::string& title, const std::vector<Tile>& tiles, int columns = 0) {
  const int side = std::max(tiles[0].image.width, tiles[0].image.height);
  const int times = std::max(1, kLargeEnough / side);
  std::size_t longest = 0;
  for (const auto& tile : tiles) longest = std::max(longest, tile.label.size());
  const int width = std::max(tiles[0].image.width * times, text_width(std::string(longest, ' '))) + kGap;
  const int height = tiles[0].image.height * times + kLine + kGap;
  if (columns == 0)
    columns = std::clamp(kWidest / width, 2,
                         std::max(2, static_cast<int>(std::ceil(std::sqrt(1.5 * static_cast<double>(tiles.size()))))));
  columns = std::min(columns, static_cast<int>(tiles.size()));
  const int rows = (static_cast<int>(tiles.size()) + columns - 1) / columns;
  if (static_cast<std::int64_t>(columns) * width * rows * height > kMostPixels) {
    throw Error(ErrorKind::usage, "show",
                fmt::format("{} maps of {}x{} are too large a picture", tiles.size(), tiles[0].image.height, tiles[0].image.width));
  }
  Image result = filled(std::max(columns * width, text_width(title)) + kGap, rows * height + kLine + kGap, kBackground);
  draw_text(result, kGap, kGap, title, kInk);
  for (std::size_t i = 0; i < tiles.size(); ++i) {
    const int x = kGap + static_cast<int>(i) % columns * width;
    const int y = kGap + kLine + static_cast<int>(i) / columns * height;
    draw_text(result, x, y, tiles[i].label, kInk);
    paste(result, magnified(tiles[i].image, times), x, y + kLine - kGap / 2);
  }
  return result;
}

Image one_above_the_other(const Image& top, const Image& bottom) {
  Image result = filled(std::max(top.width, bottom.width), top.height + bottom.height, kBackground);
  paste(result, top, 0, 0);
  paste(result, bottom, 0, top.height);
  return result;
}

// A value of the network as a grid.
Image panel(const std::string& what, const TensorInfo& info, std::span<const float> values, const Preprocessing& preprocessing) {
  const auto extents = info.shape.extents();
  std::int64_t maps = 1, height = 1, width = info.shape.elements();
  std::vector<float> padded;
  if (extents.size() == 3) {
    maps = extents[0], height = extents[1], width = extents[2];
  } else {
    const auto count = width;
    width = static_cast<std::int64_t>(std::ceil(std::sqrt(static_cast<double>(count))));
    height = (count + width - 1) / width;
    padded.assign(values.begin(), values.end());
    padded.resize(static_cast<std::size_t>(width * height), scale_of(values).least);
  }
  const Brightness scale = scale_of(values);
  const float* first = padded.empty() ? values.data() : padded.data();
  std::vector<Tile> tiles;
  if (maps == 3) {
    const auto [red, green, blue] = colours(preprocessing);
    const auto plane = [&](std::size_t c) { return first + static_cast<std::int64_t>(c) * height * width; };
    tiles.push_back({"", tile_of({plane(red), plane(green), plane(blue)}, height, width, scale)});
  } else {
    for (std::int64_t map = 0; map < maps; ++map) {
      const float* plane = first + map * height * width;
      tiles.push_back({maps == 1 ? "" : fmt::format("{}", map), tile_of({plane, plane, plane}, height, width, scale)});
    }
  }
  return grid(fmt::format("{}: {}, {}, from {:.4g} to {:.4g}", what, info.name, to_string(info.shape), scale.least, scale.most),
              tiles);
}

}  // namespace

Image seen(const Preprocessing& preprocessing, const Image& image) {
  Preprocessing bytes_alone;
  for (const Step& step : preprocessing.steps) {
    if (std::holds_alternative<Resize>(step) || std::holds_alternative<CenterCrop>(step)) bytes_alone.steps.push_back(step);
  }
  const Tensor tensor = preprocess(bytes_alone, image);
  const auto plane = tensor.shape()[1] * tensor.shape()[2];
  const float* values = tensor.values<float>().data();
  return tile_of({values, values + plane, values + 2 * plane}, tensor.shape()[1], tensor.shape()[2], {.least = 0, .most = 255});
}

Image picture_of_filters(const Model& model, const std::string& name) {
  const auto found = model.weights.find(name);
  if (found == model.weights.end() || found->second.shape.rank() != 4) {
    std::vector<std::string> known;
    for (const auto& [other, weight] : model.weights) {
      if (weight.shape.rank() == 4) known.push_back(other);
    }
    throw Error(ErrorKind::usage, "show", fmt::format("{} is no weight of a convolution", shown(name)),
                known.empty() ? "the model has none" : "it has " + join(known, ", "));
  }
  const Shape& shape = found->second.shape;
  const Tensor filters = widened(found->second);
  const auto values = filters.values<float>();
  const Brightness range = scale_of(values);
  const float furthest = std::max(std::fabs(range.least), std::fabs(range.most));
  const Brightness scale{.least = -furthest, .most = furthest};
  const auto plane = shape[2] * shape[3];
  const auto title = fmt::format("{}: {}, from {:.4g} to {:.4g}", name, to_string(shape), range.least, range.most);
  std::vector<Tile> tiles;
  if (shape[1] == 3) {
    const auto [red, green, blue] = colours(model.preprocessing);
    for (std::int64_t f = 0; f < shape[0]; ++f) {
      const auto at = [&](std::size_t c) { return values.data() + (f * 3 + static_cast<std::int64_t>(c)) * plane; };
      tiles.push_back({fmt::format("{}", f), tile_of({at(red), at(green), at(blue)}, shape[2], shape[3], scale)});
    }
    return grid(title, tiles);
  }
  constexpr std::int64_t kMost = 16;
  const auto count = std::min(shape[0], kMost);
  const auto channels = std::min(shape[1], kMost);
  for (std::int64_t f = 0; f < count; ++f) {
    for (std::int64_t c = 0; c < channels; ++c) {
      const float* at = values.data() + (f * shape[1] + c) * plane;
      tiles.push_back({fmt::format("{},{}", f, c), tile_of({at, at, at}, shape[2], shape[3], scale)});
    }
  }
  const bool part = count < shape[0] || channels < shape[1];
  return grid(part ? fmt::format("{}; the first {} channels of the first {} filters", title, channels, count) : title, tiles,
              static_cast<int>(channels));
}

NamedNetwork compile_for_maps(const Model& model, const std::string& layer, const CompileOptions& options) {
  if (const Node* node = find(model.graph, layer); node != nullptr)
    return compile_named(model, {node->inputs.front(), layer}, options);
  std::vector<std::string> known;
  for (const auto& input : model.graph.inputs) known.push_back(input.name);
  for (const auto& node : model.graph.nodes) known.push_back(node.name);
  if (std::ranges::find(known, layer) != known.end()) return compile_named(model, {layer}, options);
  const auto near = nearest(layer, known);
  throw Error(ErrorKind::usage, "show", fmt::format("the network has no layer {}", shown(layer)),
              near ? fmt::format("did you mean {}?", *near) : "allowed: data, a layer, or a weight; alexnet inspect lists them");
}

Image picture_of_maps(const NamedNetwork& network, const Preprocessing& preprocessing, const Image& image) {
  check_takes_pictures(*network.network, preprocessing);
  const Tensor input = preprocess(preprocessing, image);
  std::vector<std::vector<float>> results;
  for (const auto& output : network.network->outputs()) results.emplace_back(static_cast<std::size_t>(output.shape.elements()));
  std::vector<std::span<float>> destinations(results.begin(), results.end());
  const std::span<const float> source = input.values<float>();
  Session(network.network).run(1, {&source, 1}, destinations);
  const auto side = [&](const std::string& what, std::size_t i) {
    return panel(what, network.outputs[i], results[network.positions[i]], preprocessing);
  };
  if (network.outputs.size() == 1) return side("values", 0);
  return one_above_the_other(side("before", 0), side("after", 1));
}

}  // namespace alexnet
