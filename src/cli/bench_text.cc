#include "cli/bench_text.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/table.h"
#include "runtime/instruction_set.h"

namespace alexnet::cli {
namespace {

std::string number(double value, int digits = 2) { return fmt::format("{:.{}f}", value, digits); }
// Empty where there is nothing to compare with.
std::string number_or_none(double value, int digits = 2) { return value > 0 ? number(value, digits) : ""; }

std::string cases_text(const BenchParts& parts, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& found : parts.cases) {
    const auto& timing = found.timing;
    rows.push_back({found.network->plan().precision, fmt::format("{}", found.batch), number(timing.median), number(timing.p90),
                    number(timing.p99), fmt::format("{:.1f} %", 100 * timing.spread), number(found.images_per_second, 1),
                    number(found.operations_per_second / 1e9, 0), number(found.weight_bytes_per_second / 1e9, 1),
                    fmt::format("{}", timing.rounds)});
  }
  return table({{"type"},
                {"batch", true},
                {"ms", true},
                {"p90", true},
                {"p99", true},
                {"spread", true},
                {"images/s", true},
                {"GFLOP/s", true},
                {"GB/s", true},
                {"rounds", true}},
               rows, terminal);
}

std::string layers_text(const LayerBench& found, const Terminal& terminal) {
  std::string text = fmt::format("\n{}\n", styled(fmt::format("layers, batch {}, {}", found.batch, found.network->plan().precision),
                                                  Style::bold, terminal.color));
  std::vector<std::vector<std::string>> rows;
  double sum = 0;
  for (const auto& step : found.steps) {
    sum += step.milliseconds;
    const double bound = std::max(step.arithmetic_milliseconds, step.memory_milliseconds);
    rows.push_back({join(step.plan.layers, "+"), number(step.milliseconds, 3), number_or_none(step.bare_milliseconds, 3),
                    number_or_none(bound, 3),
                    bound <= 0                                                ? ""
                    : step.arithmetic_milliseconds > step.memory_milliseconds ? "arithmetic"
                                                                              : "memory",
                    step.plan.implementation, step.bare_implementation});
  }
  text += table({{"layers"},
                 {"ms", true},
                 {"bare", true},
                 {"limit", true},
                 {"by"},
                 {.head = "implementation", .shrinkable = true},
                 {.head = "bare implementation", .shrinkable = true}},
                rows, terminal);
  text += fmt::format("network {} ms (steps {} ms), bare primitives {} ms, ratio {}; {} rounds\n", number(found.milliseconds),
                      number(sum), number(found.bare_milliseconds), number(found.milliseconds / found.bare_milliseconds, 3),
                      found.rounds);
  text += fmt::format("peak {} G operations/s in a matrix product, memory {} GB/s\n",
                      number(found.peak_operations_per_second / 1e9, 0), number(found.memory_bytes_per_second / 1e9, 1));
  return text;
}

std::string pipeline_text(const BenchParts& parts, const Terminal& terminal) {
  const PipelineBench& found = *parts.pipeline;
  std::string text = fmt::format("\n{}\n", styled("files to labels", Style::bold, terminal.color));
  if (found.failed > 0) text += fmt::format("{} of {} pictures could not be used\n", found.failed, found.pictures);
  const auto milliseconds = [&](double seconds) { return number(1e3 * seconds / static_cast<double>(found.pictures)); };
  text += fmt::format("{} pictures in {} ms (median of {} passes): {} pictures/s\n", found.pictures, number(found.timing.median, 1),
                      found.timing.rounds, number(found.pictures_per_second, 1));
  text += fmt::format("a picture: decode {} ms, resize {} ms, network {} ms on all threads; {:.0f} % of all threads' time\n",
                      milliseconds(found.totals.decode_seconds), milliseconds(found.totals.resize_seconds),
                      milliseconds(found.totals.network_seconds), 100 * found.busy);
  return text;
}

Json timing_json(const Timing& timing) {
  return {{"median_ms", timing.median},
          {"p90_ms", timing.p90},
          {"p99_ms", timing.p99},
          {"spread", timing.spread},
          {"rounds", timing.rounds}};
}

Json layers_json(const LayerBench& found) {
  Json steps = Json::array();
  for (const auto& step : found.steps) {
    steps.push_back({{"layers", step.plan.layers},
                     {"implementation", step.plan.implementation},
                     {"ms", step.milliseconds},
                     {"bare_ms", step.bare_milliseconds},
                     {"bare_implementation", step.bare_implementation},
                     {"arithmetic_ms", step.arithmetic_milliseconds},
                     {"memory_ms", step.memory_milliseconds}});
  }
  return {{"batch", found.batch},
          {"precision", found.network->plan().precision},
          {"rounds", found.rounds},
          {"ms", found.milliseconds},
          {"bare_ms", found.bare_milliseconds},
          {"peak_operations_per_second", found.peak_operations_per_second},
          {"memory_bytes_per_second", found.memory_bytes_per_second},
          {"steps", steps}};
}

}  // namespace

std::string bench_text(const BenchParts& parts, const Terminal& terminal) {
  std::string text = fmt::format("{}\n", styled(printable(parts.model), Style::bold, terminal.color));
  text += wrapped(fmt::format("  {}, oneDNN {}; {} threads ({}); load {} before", instruction_set().name, onednn_version(),
                              parts.threads.threads, parts.threads.reason, parts.load),
                  terminal.columns, 2);
  text += '\n';
  std::vector<std::string> notes;
  for (const auto& found : parts.cases) {
    const auto& note = found.network->plan().note;
    if (!note.empty() && std::ranges::count(notes, note) == 0) notes.push_back(note);
  }
  for (const auto& note : notes) text += wrapped("  " + note, terminal.columns, 2) + '\n';
  if (!parts.cases.empty()) text += "\n" + cases_text(parts, terminal);
  for (const auto& layers : parts.layers) text += layers_text(layers, terminal);
  if (parts.pipeline) text += pipeline_text(parts, terminal);
  return text;
}

std::string bench_json(const BenchParts& parts) {
  Json json = {{"model", to_utf8_lossy(parts.model)}, {"instruction_set", instruction_set().name}, {"onednn", onednn_version()},
               {"threads", parts.threads.threads},    {"threads_reason", parts.threads.reason},    {"load", parts.load}};
  json["cases"] = Json::array();
  for (const auto& found : parts.cases) {
    Json row = timing_json(found.timing);
    const Plan& plan = found.network->plan();
    row.update({{"precision", plan.precision},
                {"note", plan.note},
                {"batch", found.batch},
                {"images_per_second", found.images_per_second},
                {"operations_per_second", found.operations_per_second},
                {"weight_bytes_per_second", found.weight_bytes_per_second}});
    json["cases"].push_back(row);
  }
  if (!parts.layers.empty()) json["layers"] = Json::array();
  for (const auto& layers : parts.layers) json["layers"].push_back(layers_json(layers));
  if (parts.pipeline) {
    const PipelineBench& found = *parts.pipeline;
    Json row = timing_json(found.timing);
    row.update({{"folder", to_utf8_lossy(parts.pictures)},
                {"pictures", found.pictures},
                {"failed", found.failed},
                {"pictures_per_second", found.pictures_per_second},
                {"decode_seconds", found.totals.decode_seconds},
                {"resize_seconds", found.totals.resize_seconds},
                {"network_seconds", found.totals.network_seconds},
                {"busy", found.busy}});
    json["pipeline"] = row;
  }
  return json.dump(2) + "\n";
}

}  // namespace alexnet::cli
