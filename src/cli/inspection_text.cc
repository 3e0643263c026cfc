#include "cli/inspection_text.h"

#include <algorithm>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/model_text.h"
#include "cli/table.h"
#include "image/preprocess.h"
#include "model/lrn_source.h"

namespace alexnet::cli {
namespace {

Json json_or_null(const std::string& text) { return text.empty() ? Json() : parse_json(text, "model"); }

std::string value_text(const Json& value) { return value.is_string() ? value.get<std::string>() : value.dump(); }

// A line for each value, each element of a list, or each object that holds nothing but plain values.
void append_lines(const Json& json, const std::string& key, std::vector<std::string>& lines) {
  const std::string prefix = key.empty() ? "" : key + ": ";
  const bool plain = std::none_of(json.begin(), json.end(), [](const Json& value) { return value.is_object(); });
  if (json.is_array() && plain) {
    for (const auto& value : json) lines.push_back(prefix + value_text(value));
  } else if (!json.is_object()) {
    lines.push_back(prefix + value_text(json));
  } else if (plain && !key.empty()) {
    std::vector<std::string> parts;
    for (const auto& [inner, value] : json.items()) parts.push_back(fmt::format("{} {}", inner, value_text(value)));
    lines.push_back(prefix + join(parts, "; "));
  } else {
    for (const auto& [inner, value] : json.items()) append_lines(value, key.empty() ? inner : key + " " + inner, lines);
  }
}

// A JSON text of the model file.
std::string section(const std::string& title, const std::string& text, const Terminal& terminal) {
  if (text.empty()) return "";
  std::vector<std::string> lines;
  append_lines(parse_json(text, title), "", lines);
  std::string result = fmt::format("\n{}\n", styled(title, Style::bold, terminal.color));
  for (const auto& line : lines) result += fmt::format("  {}\n", wrapped(printable(line), terminal.columns, 4));
  return result;
}

// Each response normalisation in the words of the model's source and in ours.
std::string response_normalisations(const Model& model, const Terminal& terminal) {
  if (model.lrn_source.empty()) return "";
  std::string text =
      fmt::format("\n{}\n", styled("response normalisation, in the source's notation and ours", Style::bold, terminal.color));
  for (const auto& [name, source] : lrn_sources_from_json(parse_json(model.lrn_source, "model"), model.graph)) {
    const auto& layer = std::get<Lrn>(find(model.graph, name)->layer);
    text += fmt::format(
        "  {}\n",
        wrapped(fmt::format("{}: {} is {}", printable(name), lrn::to_string(source), lrn::to_string(layer)), terminal.columns, 4));
  }
  return text;
}

std::string layers(const InspectionParts& parts, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : parts.inspection.layers) {
    rows.push_back({row.name, row.kind, to_string(row.output), row.parameter_count > 0 ? grouped(row.parameter_count) : "",
                    row.multiply_adds > 0 ? grouped(row.multiply_adds) : "", row.storage, row.parameters});
  }
  return table(
      {{"layer"}, {"kind"}, {"output"}, {"parameters", true}, {"MACs", true}, {"stored"}, {.head = "settings", .shrinkable = true}},
      rows, terminal);
}

std::string tensors(const InspectionParts& parts, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : parts.inspection.tensors)
    rows.push_back({row.name, to_string(row.shape), row.storage, grouped(row.bytes)});
  return "\n" + table({{"tensor"}, {"shape"}, {"stored"}, {"bytes", true}}, rows, terminal);
}

std::string plan(const Plan& plan, const std::vector<std::string>& passes, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& step : plan.steps) {
    rows.push_back({join(step.layers, "+"), step.kind, step.precision,
                    fmt::format("{} > {}", step.source_layout, step.destination_layout), grouped(step.arena_offset),
                    grouped(step.arena_bytes), step.implementation, step.note});
  }
  std::string text = fmt::format("\n{}\n", styled("plan", Style::bold, terminal.color));
  text += table({{"layers"},
                 {"step"},
                 {"type"},
                 {"layout"},
                 {"at", true},
                 {"bytes", true},
                 {.head = "implementation", .shrinkable = true},
                 {.head = "remark", .shrinkable = true}},
                rows, terminal);
  for (const auto& note : passes) text += note + "\n";
  for (const auto& absence : plan.absent) text += fmt::format("{}: {}\n", absence.layer, absence.reason);
  const auto at_once = plan.slices_at_once > 1 ? fmt::format(", {} at once", plan.slices_at_once) : "";
  text += fmt::format("{} threads, {}, {}; slices of {}{}, linear layers of {} rows\n", plan.threads, plan.instruction_set,
                      plan.precision, plan.slice, at_once, plan.rows);
  text += fmt::format("arena {} bytes for each session, weights {} bytes, of which {} were made here\n", grouped(plan.arena_bytes),
                      grouped(plan.weight_bytes), grouped(plan.created_bytes));
  if (!plan.note.empty()) text += plan.note + "\n";
  if (!plan.whole_batch.empty())
    text += fmt::format("a batch runs as a whole, since statistics are taken from it by {}\n", join(plan.whole_batch, ", "));
  return text;
}

Json extents(const Shape& shape) {
  Json json = Json::array();
  for (const auto extent : shape.extents()) json.push_back(extent);
  return json;
}

Json plan_json(const Plan& plan, const std::vector<std::string>& passes) {
  Json steps = Json::array();
  for (const auto& step : plan.steps) {
    steps.push_back({{"kind", step.kind},
                     {"layers", step.layers},
                     {"implementation", step.implementation},
                     {"precision", step.precision},
                     {"source_layout", step.source_layout},
                     {"destination_layout", step.destination_layout},
                     {"arena_offset", step.arena_offset},
                     {"arena_bytes", step.arena_bytes},
                     {"scratch_bytes", step.scratch_bytes},
                     {"weight_bytes", step.weight_bytes},
                     {"multiply_adds", step.macs},
                     {"note", step.note}});
  }
  Json absent = Json::array();
  for (const auto& absence : plan.absent) absent.push_back({{"layer", absence.layer}, {"reason", absence.reason}});
  return {{"passes", passes},
          {"steps", steps},
          {"absent", absent},
          {"precision", plan.precision},
          {"note", plan.note},
          {"whole_batch", plan.whole_batch},
          {"instruction_set", plan.instruction_set},
          {"threads", plan.threads},
          {"slice", plan.slice},
          {"slices_at_once", plan.slices_at_once},
          {"rows", plan.rows},
          {"arena_bytes", plan.arena_bytes},
          {"weight_bytes", plan.weight_bytes},
          {"created_bytes", plan.created_bytes},
          {"multiply_adds", plan.macs}};
}

}  // namespace

std::string check_text(const GoldenCheck& check) {
  return fmt::format("its logits for the golden picture {} by up to {:.2g} where the largest is {:.4g}; {:.2g} is allowed",
                     check.agrees ? "agree: they differ" : "disagree: they differ", check.largest_difference, check.largest_logit,
                     check.tolerance * check.largest_logit);
}

std::string inspection_text(const InspectionParts& parts, const Terminal& terminal) {
  const Inspection& found = parts.inspection;
  std::string text = styled(printable(parts.name), Style::bold, terminal.color) + "\n";
  for (const auto& input : found.inputs) text += fmt::format("  input {}: {}\n", input.name, to_string(input.shape));
  text += fmt::format("  output: {}\n", join(found.outputs, ", "));
  text += fmt::format("  {} parameters in {} bytes, {} multiply-adds a picture\n", grouped(found.parameter_count),
                      grouped(found.weight_bytes), grouped(found.multiply_adds));
  text += fmt::format("  {}\n\n", wrapped(labels_line(parts.model.labels), terminal.columns, 4));
  text += layers(parts, terminal);
  text += fmt::format("\n{}\n", styled("preprocessing", Style::bold, terminal.color));
  for (const auto& step : preprocessing_lines(parts.model.preprocessing)) text += fmt::format("  {}\n", step);
  if (parts.model.preprocessing.steps.empty()) text += "  not known: the network takes tensors only\n";
  text += section("provenance", parts.model.provenance, terminal);
  text += section("accuracy", parts.model.accuracy, terminal);
  text += response_normalisations(parts.model, terminal);
  if (parts.tensors) text += tensors(parts, terminal);
  if (parts.network) text += plan(parts.network->network->plan(), parts.network->pass_notes, terminal);
  if (parts.check) text += fmt::format("\ncheck: {}\n", check_text(*parts.check));
  return text;
}

std::string inspection_json(const InspectionParts& parts) {
  const Inspection& found = parts.inspection;
  Json json;
  json["model"] = to_utf8_lossy(parts.name);
  json["inputs"] = Json::array();
  for (const auto& input : found.inputs) json["inputs"].push_back({{"name", input.name}, {"shape", extents(input.shape)}});
  json["outputs"] = found.outputs;
  json["parameters"] = found.parameter_count;
  json["weight_bytes"] = found.weight_bytes;
  json["multiply_adds"] = found.multiply_adds;
  json["layers"] = Json::array();
  const Json graph = to_json(parts.model.graph);
  for (std::size_t i = 0; i < found.layers.size(); ++i) {
    const LayerRow& row = found.layers[i];
    Json layer = graph["layers"][i];
    layer["output_shape"] = extents(row.output);
    layer["parameters"] = row.parameter_count;
    layer["multiply_adds"] = row.multiply_adds;
    if (!row.storage.empty()) layer["storage"] = row.storage;
    json["layers"].push_back(layer);
  }
  json["preprocessing"] = to_json(parts.model.preprocessing);
  json["labels"] = Json::array();
  for (const auto& label : parts.model.labels) json["labels"].push_back({{"id", label.id}, {"label", label.label}});
  json["provenance"] = json_or_null(parts.model.provenance);
  json["accuracy"] = json_or_null(parts.model.accuracy);
  json["ranges"] = json_or_null(parts.model.ranges);
  json["lrn_source"] = json_or_null(parts.model.lrn_source);
  if (parts.tensors) {
    json["tensors"] = Json::array();
    for (const auto& row : found.tensors) {
      json["tensors"].push_back(
          {{"name", row.name}, {"shape", extents(row.shape)}, {"storage", row.storage}, {"bytes", row.bytes}});
    }
  }
  if (parts.network) json["plan"] = plan_json(parts.network->network->plan(), parts.network->pass_notes);
  if (parts.check) {
    json["check"] = {{"agrees", parts.check->agrees},
                     {"largest_difference", parts.check->largest_difference},
                     {"largest_logit", parts.check->largest_logit},
                     {"tolerance", parts.check->tolerance}};
  }
  return json.dump(2) + "\n";
}

}  // namespace alexnet::cli
