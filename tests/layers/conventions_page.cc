#include "tests/layers/conventions_page.h"

#include <algorithm>
#include <cmath>
#include <functional>
#include <map>
#include <stdexcept>
#include <vector>

#include <fmt/format.h>

#include "alexnet/error.h"
#include "layers/layer.h"
#include "layers/lrn_conventions.h"
#include "model/architecture.h"

namespace alexnet::test {
namespace {

using namespace lrn;

constexpr auto kWithin = LrnRegion::within_channel;

std::string_view name(const Source& source) {
  return std::visit([](const auto& one) { return one.kKind; }, source);
}

std::string row(const std::vector<std::string>& cells) { return fmt::format("| {} |\n", fmt::join(cells, " | ")); }

std::string table(const std::vector<std::string>& head) { return row(head) + row(std::vector<std::string>(head.size(), "---")); }

std::string code(const std::string& text) { return "`" + text + "`"; }

// The window of a layer around channel c: "c-2 ... c+1".
std::string window(const Lrn& layer) {
  const auto [before, after] = reach(layer);
  const auto side = [](std::int64_t distance, char sign) { return distance == 0 ? "c" : fmt::format("c{}{}", sign, distance); };
  return before + after == 0 ? "c" : fmt::format("{} ... {}", side(before, '-'), side(after, '+'));
}

const std::vector<float>& example() {
  static const std::vector<float> x{1, -2, 3, 0.5, -1.5, 4, 2.5};
  return x;
}

std::vector<float> normalised(const Lrn& layer) {
  const Tensor x = Tensor::of<float>({1, 7, 1, 1}, example());
  const auto y = reference(Layer(layer), std::span(&x, 1), {});
  return {y.values<float>().begin(), y.values<float>().end()};
}

// Size, alpha, beta and k written into each convention's own parameters, as people copy them from one to another.
std::vector<Source> same_numbers(std::int64_t size, double alpha, double beta, double k) {
  return {PyTorch{size, alpha, beta, k},
          Onnx{size, alpha, beta, k},
          Caffe{size, alpha, beta, LrnRegion::across_channels, k},
          OneDnn{LrnRegion::across_channels, size, alpha, beta, k},
          CudaConvnet{LrnRegion::across_channels, size, alpha, beta, k, 1},
          Paper{k, size, alpha, beta},
          TensorFlow{size, k, alpha, beta}};
}

std::string words() {
  std::string text = table({"convention", "in its own words, with its defaults", "the same layer in ours"});
  for (const Source& source : {Source(PyTorch{}), Source(Onnx{}), Source(TensorFlow{}), Source(Caffe{}),
                               Source(Caffe{.norm_region = kWithin}), Source(OneDnn{}), Source(OneDnn{.algorithm = kWithin}),
                               Source(Paper{}), Source(CudaConvnet{}), Source(CudaConvnet{.type = kWithin})}) {
    text += row({std::string(name(source)), code(to_string(source)), code(to_string(layer(source)))});
  }
  return text;
}

std::string windows() {
  std::string text = table({"size", "pytorch", "onnx", "caffe", "onednn", "cuda_convnet", "paper", "tensorflow"});
  for (const std::int64_t size : {1, 2, 3, 4, 5, 6}) {
    std::vector<std::string> cells{std::to_string(size)};
    for (const auto& source : same_numbers(size, 1, 0.75, 1)) {
      try {
        cells.push_back(window(layer(source)));
      } catch (const Error&) {
        cells.emplace_back("refused");
      }
    }
    text += row(cells);
  }
  return text;
}

std::string results(std::int64_t size) {
  std::vector<std::string> head{"convention", "window"};
  for (const float x : example()) head.push_back(fmt::format("x = {}", x));
  std::string text = table(head);
  for (const auto& source : same_numbers(size, 1, 0.75, 1)) {
    std::vector<std::string> cells{std::string(name(source))};
    try {
      const Lrn ours = layer(source);
      cells.push_back(window(ours));
      for (const float y : normalised(ours)) cells.push_back(fmt::format("{:.4f}", y));
    } catch (const Error& error) {
      cells.push_back(error.message());
      cells.resize(head.size());
    }
    text += row(cells);
  }
  return text;
}

std::string translations(const Lrn& ours) {
  std::string text = fmt::format("In ours: {}\n\n", code(to_string(ours))) + table({"convention", "its words for this layer"});
  for (const auto& source : same_numbers(5, 1, 1, 1)) {
    const auto said = in_words_of(source, ours);
    text += row({std::string(name(source)), said ? code(to_string(*said)) : "has none"});
  }
  return text;
}

std::string networks() {
  std::string text = table({"architecture", "layer", "in ours"});
  for (const auto& architecture_name : architecture_names()) {
    const auto network = architecture(architecture_name);
    bool any = false;
    for (const auto& node : network.graph.nodes) {
      const auto* layer = std::get_if<Lrn>(&node.layer);
      if (layer == nullptr) continue;
      text += row({any ? "" : network.name, node.name, code(to_string(*layer))});
      any = true;
    }
    if (!any) text += row({network.name, "none", ""});
  }
  return text;
}

// Two samples of two channels of three pixels, through each kind without learned parameters.
std::string family() {
  const std::vector<float> x{1, 2, 3, 10, 20, 30, -1, -2, 6, 0, 0, 12};
  const Tensor input = Tensor::of<float>({2, 2, 1, 3}, x);
  std::vector<std::string> head{"kind"};
  for (std::size_t i = 0; i < x.size(); ++i) head.push_back(fmt::format("n{} c{}: {}", i / 6, i / 3 % 2, x[i]));
  std::string text = table(head);
  for (const Layer& layer :
       {Layer(BatchStatisticsNorm{.scale = false, .offset = false}), Layer(InstanceNorm{.scale = false, .offset = false}),
        Layer(GroupNorm{.groups = 1, .scale = false, .offset = false}),
        Layer(LayerNorm{.axis = 1, .scale = false, .offset = false}), Layer(LayerNorm{.axis = 3, .scale = false, .offset = false}),
        Layer(FilterResponseNorm{.threshold = false, .scale = false, .offset = false}),
        Layer(LocalMeanSubtraction{.local_size = 3, .sigma = 1}), Layer(LocalContrastNorm{.local_size = 3, .sigma = 1})}) {
    std::vector<std::string> cells{std::string(kind(layer))};
    if (const auto* norm = std::get_if<LayerNorm>(&layer)) cells[0] += fmt::format(", axis {}", norm->axis);
    if (const auto* norm = std::get_if<GroupNorm>(&layer)) cells[0] += fmt::format(", {} group", norm->groups);
    const auto y = reference(layer, std::span(&input, 1), {});
    for (const float value : y.values<float>()) cells.push_back(fmt::format("{:.3f}", value));
    text += row(cells);
  }
  return text;
}

}  // namespace

std::string with_generated_parts(const std::string& page) {
  static const std::map<std::string, std::function<std::string()>> parts{
      {"words", words},
      {"windows", windows},
      {"results 5", [] { return results(5); }},
      {"results 4", [] { return results(4); }},
      {"paper in all words", [] { return translations(layer(Paper{})); }},
      {"even in all words", [] { return translations(layer(PyTorch{.size = 4})); }},
      {"networks", networks},
      {"family", family},
  };
  const std::string begin = "<!-- generated: ";
  const std::string end = "<!-- end -->";
  std::string result;
  std::size_t at = 0;
  for (;;) {
    const auto start = page.find(begin, at);
    if (start == std::string::npos) return result + page.substr(at);
    const auto close = page.find(" -->\n", start);
    const auto stop = page.find(end, start);
    if (close == std::string::npos || stop == std::string::npos) throw std::runtime_error("a generated part does not end");
    const auto part = page.substr(start + begin.size(), close - start - begin.size());
    result += page.substr(at, close + 5 - at) + parts.at(part)();
    at = stop;
  }
}

// One panel for an odd and one for an even window: the seven channels from left to right, a line for each convention.
std::string conventions_plot() {
  struct Line {
    std::string label;
    std::string colour;  // Okabe and Ito's, which colour-blind readers tell apart
    std::vector<float> y;
  };
  const std::vector<std::string> colours{"#0072b2", "#e69f00", "#009e73", "#cc79a7", "#56b4e9", "#d55e00", "#000000"};
  constexpr double kLeft = 60, kWidth = 330, kTop = 50, kHeight = 260, kLowest = -1, kHighest = 1.4;
  const auto height_of = [](double y) { return kTop + (kHighest - y) / (kHighest - kLowest) * kHeight; };
  std::string svg =
      "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 860 450\" font-family=\"sans-serif\" font-size=\"12\">\n"
      "<rect width=\"860\" height=\"450\" fill=\"#ffffff\"/>\n";
  const auto panel = [&](double left, std::int64_t size) {
    svg += fmt::format("<text x=\"{}\" y=\"30\" font-size=\"14\">size = {}, alpha = 1, beta = 0.75, k = 1</text>\n", left, size);
    const auto across = [&](std::size_t c) { return left + (static_cast<double>(c) + 0.5) * kWidth / 7; };
    for (const double y : {-1.0, -0.5, 0.0, 0.5, 1.0}) {
      svg += fmt::format("<line x1=\"{0}\" x2=\"{1}\" y1=\"{2:.1f}\" y2=\"{2:.1f}\" stroke=\"#dddddd\"/>\n", left, left + kWidth,
                         height_of(y));
      svg += fmt::format("<text x=\"{}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n", left - 6, height_of(y) + 4, y);
    }
    for (std::size_t c = 0; c < example().size(); ++c) {
      svg += fmt::format("<text x=\"{:.1f}\" y=\"{}\" text-anchor=\"middle\">{}</text>\n", across(c), kTop + kHeight + 18,
                         example()[c]);
    }
    std::vector<Line> lines;
    for (const auto& source : same_numbers(size, 1, 0.75, 1)) {
      const auto& colour = colours[source.index() % colours.size()];
      try {
        const auto y = normalised(layer(source));
        const auto same = std::ranges::find(lines, y, &Line::y);
        if (same == lines.end()) {
          lines.push_back({std::string(name(source)), colour, y});
        } else {
          same->label += fmt::format(", {}", name(source));
        }
      } catch (const Error&) {
        lines.push_back({fmt::format("{}: refused", name(source)), "#bbbbbb", {}});
      }
    }
    double legend = kTop + kHeight + 40;
    for (const auto& line : lines) {
      std::string points;
      for (std::size_t c = 0; c < line.y.size(); ++c) {
        points += fmt::format("{:.1f},{:.1f} ", across(c), height_of(static_cast<double>(line.y[c])));
      }
      if (!points.empty()) {
        svg += fmt::format("<polyline points=\"{}\" fill=\"none\" stroke=\"{}\" stroke-width=\"2\"/>\n",
                           points.substr(0, points.size() - 1), line.colour);
      }
      svg += fmt::format("<rect x=\"{}\" y=\"{}\" width=\"14\" height=\"4\" fill=\"{}\"/>", left, legend - 6, line.colour);
      svg += fmt::format("<text x=\"{}\" y=\"{}\">{}</text>\n", left + 20, legend, line.label);
      legend += 16;
    }
  };
  panel(kLeft, 5);
  panel(kLeft + kWidth + 90, 4);
  return svg + "</svg>\n";
}

}  // namespace alexnet::test
