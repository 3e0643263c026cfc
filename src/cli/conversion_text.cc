#include "cli/conversion_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/model_text.h"
#include "cli/table.h"
#include "model/accuracy.h"

namespace alexnet::cli {
namespace {

std::string_view stored(const Model& model, const ImportedTensor& tensor) {
  const auto weight = model.weights.find(tensor.ours);
  return weight == model.weights.end() ? std::string_view() : name(weight->second.storage);
}

std::string tensor_table(const Conversion& conversion, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& tensor : conversion.imported.tensors) {
    rows.push_back({printable(tensor.source), printable(tensor.ours), to_string(tensor.shape), std::string(name(tensor.type)),
                    std::string(stored(conversion.imported.model, tensor)), tensor.done});
  }
  return table({{"source"}, {"here"}, {"shape"}, {"type"}, {"stored"}, {.head = "what was done", .shrinkable = true}}, rows,
               terminal);
}

std::string list(const std::string& title, const std::vector<std::string>& lines, const Terminal& terminal) {
  if (lines.empty()) return "";
  std::string text = fmt::format("\n{}\n", styled(title, Style::bold, terminal.color));
  for (const auto& line : lines) text += fmt::format("  {}\n", wrapped(printable(line), terminal.columns, 4));
  return text;
}

std::string verification(const Comparison& comparison, const Terminal& terminal) {
  std::string text = fmt::format("\n{}\n", styled("verification", Style::bold, terminal.color));
  const auto line = [&](const std::string& what) { text += fmt::format("  {}\n", wrapped(printable(what), terminal.columns, 4)); };
  std::size_t agree = 0;
  for (const auto& layer : comparison.layers) {
    if (is_verified(layer)) {
      ++agree;
    } else if (layer.cumulative) {
      line(
          fmt::format("{} disagrees: up to {:.2g} of its largest value apart", layer.layer, layer.cumulative->difference.relative));
    } else {
      line(fmt::format("{} can't be compared: {}", layer.layer, layer.problem));
    }
  }
  line(fmt::format("{} of {} layers agree for {} inputs", agree, comparison.layers.size(), comparison.pictures));
  for (const auto& array : comparison.unknown) line(fmt::format("passed over: {}, which is no layer", array.name));
  return text;
}

Json verification_json(const Comparison& comparison) {
  Json json{{"agrees", is_verified(comparison)}, {"inputs", comparison.pictures}, {"layers", Json::array()}};
  for (const auto& layer : comparison.layers) {
    Json one{{"layer", to_utf8_lossy(layer.layer)}, {"agrees", is_verified(layer)}};
    if (layer.cumulative) {
      one["relative"] = layer.cumulative->difference.relative;
    }
    if (!layer.problem.empty()) one["problem"] = layer.problem;
    json["layers"].push_back(std::move(one));
  }
  return json;
}

// A line for each precision.
std::vector<std::string> accuracy_lines(const Model& model) {
  std::vector<std::string> lines;
  if (model.accuracy.empty()) return lines;
  const Accuracy accuracy = accuracy_from_json(parse_json(model.accuracy, "accuracy"));
  for (const auto& [precision, shares] : accuracy.precisions) {
    std::string line = fmt::format("{}: top-1 {:.2f} %, top-5 {:.2f} %", precision, shares.top1, shares.top5);
    if (shares.better && shares.worse)
      line += fmt::format("; {} right that were not in f32, {} wrong", *shares.better, *shares.worse);
    lines.push_back(std::move(line));
  }
  lines.push_back("of " + accuracy.data);
  return lines;
}

Json shape_json(const Shape& shape) {
  Json json = Json::array();
  for (const auto extent : shape.extents()) json.push_back(extent);
  return json;
}

}  // namespace

std::string conversion_text(const Conversion& conversion, const Terminal& terminal) {
  const Imported& imported = conversion.imported;
  const Model& model = imported.model;
  std::string text;
  for (const auto& file : conversion.files) {
    text += fmt::format("{}  {} bytes\n", styled(printable(file.name), Style::bold, terminal.color), grouped(file.bytes));
    text += fmt::format("  sha256 {}\n", file.sha256);
  }
  text += fmt::format("  {}\n\n", wrapped(printable(imported.format), terminal.columns, 4));
  text += tensor_table(conversion, terminal);
  text += list("not used: no layer has them", imported.unused, terminal);
  text += list("folded, dropped, recognised", imported.notes, terminal);
  std::vector<std::string> choices;
  for (const auto& [what, how] : imported.choices) choices.push_back(fmt::format("{}: {}", what, how));
  text += list("choices", choices, terminal);

  text += fmt::format("\n{}\n", styled("model", Style::bold, terminal.color));
  const auto line = [&](const std::string& what) { text += fmt::format("  {}\n", wrapped(what, terminal.columns, 4)); };
  for (const auto& input : model.graph.inputs) line(fmt::format("input {}: {}", printable(input.name), to_string(input.shape)));
  std::vector<std::string> outputs;
  for (const auto& output : model.graph.outputs) outputs.push_back(printable(output));
  line("output: " + join(outputs, ", "));
  line(model.preprocessing.steps.empty() ? "preprocessing: not known (--preprocess says it)" : "preprocessing:");
  for (const auto& step : preprocessing_lines(model.preprocessing)) text += fmt::format("    {}\n", step);
  line(labels_line(model.labels));
  line(conversion.no_golden.empty() ? "golden picture: kept with its scores; alexnet inspect --check runs it again"
                                    : "golden picture: none: " + conversion.no_golden);
  if (conversion.verified) text += verification(*conversion.verified, terminal);
  text += list("accuracy", accuracy_lines(model), terminal);
  return text + list("warnings", imported.warnings, terminal);
}

std::string conversion_json(const Conversion& conversion) {
  const Imported& imported = conversion.imported;
  Json json;
  json["files"] = Json::array();
  for (const auto& file : conversion.files) {
    json["files"].push_back({{"name", to_utf8_lossy(file.name)}, {"sha256", file.sha256}, {"bytes", file.bytes}});
  }
  json["format"] = to_utf8_lossy(imported.format);
  json["tensors"] = Json::array();
  for (const auto& tensor : imported.tensors) {
    json["tensors"].push_back({{"source", to_utf8_lossy(tensor.source)},
                               {"here", to_utf8_lossy(tensor.ours)},
                               {"shape", shape_json(tensor.shape)},
                               {"type", name(tensor.type)},
                               {"stored", stored(imported.model, tensor)},
                               {"done", tensor.done}});
  }
  const auto texts = [](const std::vector<std::string>& lines) {
    Json list = Json::array();
    for (const auto& line : lines) list.push_back(to_utf8_lossy(line));
    return list;
  };
  json["unused"] = texts(imported.unused);
  json["notes"] = texts(imported.notes);
  json["warnings"] = texts(imported.warnings);
  json["choices"] = Json::object();
  for (const auto& [what, how] : imported.choices) json["choices"][to_utf8_lossy(what)] = to_utf8_lossy(how);
  json["preprocessing"] = to_json(imported.model.preprocessing);
  json["labels"] = imported.model.labels.size();
  json["golden"] = conversion.no_golden.empty();
  if (conversion.verified) json["verified"] = verification_json(*conversion.verified);
  return json.dump(2) + "\n";
}

}  // namespace alexnet::cli
