#include "import/state_dict.h"

#include <algorithm>
#include <array>
#include <optional>
#include <tuple>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/text.h"
#include "import/assemble.h"
#include "import/fit.h"
#include "import/module_graph.h"
#include "import/source_layers.h"
#include "model/lrn_source.h"

namespace alexnet {
namespace {

struct Reading {
  Fit fit;
  Architecture architecture;
  LrnSources lrn;  // in the source's words, as far as it says them itself
  std::string by;  // what the choice rests on
  std::vector<std::string> notes;
  std::vector<std::string> warnings;
};

bool has_lrn(const Graph& graph) {
  return std::ranges::any_of(graph.nodes, [](const auto& node) { return std::holds_alternative<Lrn>(node.layer); });
}

std::string_view words(Placement::By by) {
  switch (by) {
    case Placement::By::names: return "by the names of its layers";
    case Placement::By::numbers: return "by the numbers of its layers";
    case Placement::By::order: return "by the order and shapes of its layers";
  }
  return {};
}

Reading as_given(const Architecture& architecture, const SourceLayers& source, const std::string& where) {
  Reading reading{
      .fit = best_fit(architecture, source), .architecture = architecture, .lrn = {}, .by = "as told", .notes = {}, .warnings = {}};
  auto problems = reading.fit.problems;
  if (!problems.empty()) problems.front() = fmt::format("does not fit {}: {}", architecture.name, problems.front());
  refuse_if_any(problems, where);
  return reading;
}

// The better of two fits that both have no problems: surer names first, then the architecture's own numbers.
bool is_better(const Fit& a, const Fit& b) {
  const auto rank = [](const Fit& fit) {
    return std::tuple(fit.placement.by == Placement::By::order, !fit.own_widths, fit.input.has_value());
  };
  return rank(a) < rank(b);
}

// The one known architecture that fits.
Reading found_by_fit(const SourceLayers& source, const std::string& where) {
  constexpr const char* kHint = "--arch NAME or --arch FILE.json says what it is";
  std::vector<Fit> fits;
  for (const auto& name : architecture_names()) fits.push_back(best_fit(architecture(name), source));
  const auto nearest = std::ranges::min_element(fits, [](const Fit& a, const Fit& b) { return is_worse(b, a); });
  if (!nearest->problems.empty()) {
    auto problems = nearest->problems;
    problems.front() =
        fmt::format("fits no known architecture; the nearest is {}, but {}", nearest->architecture, problems.front());
    refuse_if_any(problems, where, kHint);
  }
  std::erase_if(fits, [](const Fit& fit) { return !fit.problems.empty(); });
  const Fit best = *std::ranges::min_element(fits, is_better);
  std::erase_if(fits, [&](const Fit& fit) { return is_better(best, fit); });
  if (fits.size() > 1) {
    std::vector<std::string> names;
    for (const auto& fit : fits) names.push_back(fit.architecture);
    throw Error(ErrorKind::model, where, fmt::format("fits several architectures alike: {}", join(names, ", ")),
                "--arch NAME says which one it is, --arch FILE.json that it is another one");
  }
  const auto by = best.placement.by;
  if (by != Placement::By::numbers && !best.placement.batch_norms.empty() && has_lrn(best.placement.graph)) {
    throw Error(ErrorKind::model, where,
                fmt::format("has the layers of {} and batch normalisation, and nothing says whether its response normalisation is "
                            "there too",
                            best.architecture),
                fmt::format("--arch {} if it is, else --arch FILE.json", best.architecture));
  }
  return {.fit = best,
          .architecture = architecture(best.architecture),
          .lrn = {},
          .by = std::string(words(by)),
          .notes = {},
          .warnings = {}};
}

// Sides of pictures in the order in which to try them: without padding AlexNet's first convolution wants 227.
std::array<std::int64_t, 2> likely_sides(const Graph& graph) {
  const auto* first = graph.nodes.empty() ? nullptr : std::get_if<Convolution>(&graph.nodes.front().layer);
  if (first != nullptr && first->padding == Padding4{}) return {227, 224};
  return {224, 227};
}

Reading as_its_modules_say(const StateDict& source, const SourceLayers& layers, const std::string& where) {
  auto read = module_graph(source.modules, layers, where);
  auto& input = read.placement.graph.inputs.front().shape;
  std::optional<Fit> best;
  for (const auto side : likely_sides(read.placement.graph)) {
    input = {input[0], side, side};
    Fit found = fit(read.placement, layers);
    if (best && !is_worse(*best, found)) continue;
    best = std::move(found);
    if (best->problems.empty()) break;
  }
  refuse_if_any(best->problems, where, "--arch FILE.json says for pictures of another size what it computes");
  Reading reading{
      .fit = *best, .architecture = {}, .lrn = std::move(read.lrn), .by = "as its modules say", .notes = {}, .warnings = {}};
  reading.fit.architecture = "its own";
  for (const auto& name : architecture_names()) {
    auto known = architecture(name);
    if (!same_structure(reading.fit.placement.graph, known.graph)) continue;
    reading.fit.architecture = name;
    reading.architecture = std::move(known);
    break;
  }
  if (!read.all_known)
    reading.notes.emplace_back("forward() is not in the file: its modules are taken to run in the order in which they were made");
  return reading;
}

// The numbers of `layer` as this convention means them.
lrn::Source restated(const lrn::Source& convention, const Lrn& layer) {
  struct Restate {
    const Lrn& l;
    lrn::Source operator()(const lrn::PyTorch&) const { return lrn::PyTorch{l.local_size, l.alpha, l.beta, l.k}; }
    lrn::Source operator()(const lrn::Onnx&) const { return lrn::Onnx{l.local_size, l.alpha, l.beta, l.k}; }
    lrn::Source operator()(const lrn::TensorFlow&) const { return lrn::TensorFlow{l.local_size / 2, l.k, l.alpha, l.beta}; }
    lrn::Source operator()(const lrn::Caffe&) const { return lrn::Caffe{l.local_size, l.alpha, l.beta, l.region, l.k}; }
    lrn::Source operator()(const lrn::OneDnn&) const { return lrn::OneDnn{l.region, l.local_size, l.alpha, l.beta, l.k}; }
    lrn::Source operator()(const lrn::Paper&) const { return lrn::Paper{l.k, l.local_size, l.alpha, l.beta}; }
    lrn::Source operator()(const lrn::CudaConvnet&) const {
      return lrn::CudaConvnet{l.region, l.local_size, l.alpha, l.beta, l.k, l.groups};
    }
  };
  return std::visit(Restate{layer}, convention);
}

// Gives the numbers of response normalisation the meaning that the option says.
void apply_lrn(const std::optional<lrn::Source>& convention, Reading& reading, Imported& imported) {
  if (!convention || !has_lrn(reading.fit.placement.graph)) return;
  if (!reading.lrn.empty()) {
    imported.warnings.emplace_back("the convention of response normalisation is not the option's: the source says it itself");
    return;
  }
  for (auto& node : reading.fit.placement.graph.nodes) {
    auto* layer = std::get_if<Lrn>(&node.layer);
    if (layer == nullptr) continue;
    const auto groups = layer->groups;
    const auto source = restated(*convention, *layer);
    *layer = lrn::layer(source);
    layer->groups = groups;
    reading.lrn.emplace(node.name, source);
    imported.choices.emplace_back("lrn", fmt::format("{}: {}", node.name, lrn::to_string(source)));
  }
}

// Crops as large as the input, where that is not the architecture's own.
void apply_input(const Reading& reading, Imported& imported) {
  if (!reading.fit.input) return;
  const auto side = *reading.fit.input;
  for (auto& step : imported.model.preprocessing.steps) {
    if (auto* crop = std::get_if<CenterCrop>(&step)) crop->size = {side, side};
  }
  imported.notes.push_back(
      fmt::format("pictures are {}x{}: the width of the first linear layer fits no other usual size", side, side));
}

}  // namespace

Imported import_state_dict(const StateDict& source, const StateDictOptions& options, const std::string& where) {
  const auto layers = source_layers(source.tensors, source.in_order, where);
  if (layers.layers.empty()) throw Error(ErrorKind::model, where, "holds no weights");
  Reading reading = options.architecture      ? as_given(*options.architecture, layers, where)
                    : !source.modules.empty() ? as_its_modules_say(source, layers, where)
                                              : found_by_fit(layers, where);
  Imported imported;
  imported.format = source.format;
  const auto& fit = reading.fit;
  imported.choices.emplace_back("architecture", fmt::format("{}, {}", fit.architecture, reading.by));
  imported.notes = reading.notes;
  imported.warnings = reading.warnings;
  for (const auto& name : fit.placement.batch_norms) {
    imported.notes.push_back(fmt::format(
        "{} is batch normalisation, which {} does not have: put behind {} and folded when it is run",
        shown(fit.placement.sources.at(name).front()), fit.architecture, shown(find(fit.placement.graph, name)->inputs.front())));
  }
  if (!fit.own_widths) imported.notes.push_back(fmt::format("layers are not as wide as those of {}", fit.architecture));
  if (fit.placement.by == Placement::By::order) {
    imported.warnings.push_back(
        fmt::format("the names of its layers are not known: taken as {} by their order and shapes alone", fit.architecture));
  }
  apply_lrn(options.lrn, reading, imported);
  assemble(reading.fit, layers, options, imported);
  imported.model.preprocessing = reading.architecture.preprocessing;
  apply_input(reading, imported);
  if (options.flatten == FlattenOrder::hwc) imported.choices.emplace_back("flatten", "hwc");
  if (!reading.lrn.empty()) imported.model.lrn_source = to_json(reading.lrn).dump();
  check(imported.model, where);
  if (!options.allow_nonfinite) check_finite(imported.model.weights, where);
  warn_of_odd_weights(imported);
  return imported;
}

}  // namespace alexnet
