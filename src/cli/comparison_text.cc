#include "cli/comparison_text.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/diagnosis_text.h"
#include "cli/table.h"

namespace alexnet::cli {
namespace {

constexpr std::size_t kShownNames = 8;
constexpr std::size_t kShownPictures = 5;

std::string number(double value) { return value == 0 ? "0" : fmt::format("{:.1e}", value); }

// Leading ones of a cosine say nothing: 1 - 2e-9.
std::string cosine(double value) {
  return 1 - value < 1e-3 ? fmt::format("1 - {:.0e}", std::max(1 - value, 0.0)) : fmt::format("{:.4f}", value);
}

// The first few, and how many more there are.
std::string some(const std::vector<std::string>& names) {
  std::vector<std::string> shown_names(names.begin(),
                                       names.begin() + static_cast<std::ptrdiff_t>(std::min(names.size(), kShownNames)));
  std::string text = printable(join(shown_names, ", "));
  if (names.size() > kShownNames) text += fmt::format(" and {} more", names.size() - kShownNames);
  return text;
}

std::string layers(const Comparison& comparison, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& row : comparison.layers) {
    std::vector<std::string> cells{row.cumulative_agrees() && row.isolated_agrees() ? "" : "!", printable(row.layer),
                                   to_string(row.shape)};
    if (row.cumulative) {
      const auto& [difference, allowed] = *row.cumulative;
      for (const double value : {difference.largest, difference.mean, difference.relative, allowed}) cells.push_back(number(value));
    } else {
      cells.insert(cells.end(), 4, "-");
    }
    cells.push_back(row.isolated ? number(row.isolated->difference.relative) : "-");
    cells.push_back(row.isolated ? number(row.isolated->allowed) : "-");
    rows.push_back(std::move(cells));
  }
  return table({{""},
                {.head = "layer", .shrinkable = true},
                {.head = "shape", .shrinkable = true},
                {"largest", true},
                {"mean", true},
                {"relative", true},
                {"allowed", true},
                {"isolated", true},
                {"allowed", true}},
               rows, terminal);
}

std::string place(const Difference& difference) {
  std::vector<std::string> axes;
  for (const auto index : difference.position) axes.push_back(fmt::format("{}", index));
  return fmt::format("[{}]", join(axes, ", "));
}

std::string detail(const LayerComparison& row) {
  if (!row.problem.empty()) return row.problem;
  const auto judged = !row.isolated_agrees() && row.isolated ? row.isolated : row.cumulative;
  if (!judged) return "";
  const Difference& difference = judged->difference;
  return fmt::format("{} instead of {} at {}, cosine {}", shortest(static_cast<float>(difference.found)),
                     shortest(static_cast<float>(difference.wanted)), place(difference), cosine(difference.cosine));
}

std::vector<std::string> names_of(const Comparison& comparison, bool (LayerComparison::*agrees)() const) {
  std::vector<std::string> names;
  for (const auto& row : comparison.layers) {
    if (!(row.*agrees)()) names.push_back(row.layer);
  }
  return names;
}

std::string verdict(const Comparison& comparison, const Terminal& terminal) {
  if (comparison.agrees()) return styled("All layers are within their tolerance.", Style::green, terminal.color) + "\n";
  std::string text = styled(wrapped(disagreement_text(comparison), terminal.columns, 2), Style::red, terminal.color) + "\n";
  for (const auto& row : comparison.layers) {
    if (row.isolated_agrees() && &row != comparison.first_cumulative()) continue;
    text += "  " + wrapped(fmt::format("{}: {}", printable(row.layer), detail(row)), terminal.columns, 4) + "\n";
  }
  return text;
}

std::string classes(const std::vector<ScoredClass>& top) {
  std::vector<std::string> parts;
  for (const auto& scored : top) parts.push_back(fmt::format("{}", scored.index));
  return join(parts, " ");
}

std::string tops(const Comparison& comparison) {
  if (comparison.scores.empty()) return "The reference has no scores, so that answers can't be compared.\n";
  const std::size_t k = comparison.tops.empty() ? 0 : comparison.tops[0].top.size();
  std::string text =
      fmt::format("Scores ({}): of {} pictures, {} have the same first class, {} the same first {}.\n",
                  printable(comparison.scores), comparison.tops.size(), comparison.same_first(), comparison.same_set(), k);
  std::size_t shown_pictures = 0;
  for (const auto& picture : comparison.tops) {
    if (picture.same_first() || shown_pictures++ >= kShownPictures) continue;
    text += fmt::format("  {}: classes {}, the reference {}\n", printable(picture.name), classes(picture.top),
                        classes(picture.reference_top));
  }
  if (shown_pictures > kShownPictures) text += fmt::format("  and {} more\n", shown_pictures - kShownPictures);
  return text;
}

std::string left_out(const Comparison& comparison, const Terminal& terminal) {
  std::string text;
  if (!comparison.missing.empty())
    text += wrapped(fmt::format("Not in the reference: {}.", some(comparison.missing)), terminal.columns, 2) + "\n";
  if (!comparison.unknown.empty()) {
    std::vector<std::string> parts;
    for (const auto& array : comparison.unknown)
      parts.push_back(array.nearest ? fmt::format("{} (is {} meant?)", shown(array.name), *array.nearest) : shown(array.name));
    text += wrapped(fmt::format("Not in the model: {}.", some(parts)), terminal.columns, 2) + "\n";
  }
  return text;
}

Json extents(std::span<const std::int64_t> values) {
  Json json = Json::array();
  for (const auto value : values) json.push_back(value);
  return json;
}

Json finite(double value) { return std::isfinite(value) ? Json(value) : Json(); }

Json judged_json(const std::optional<Judged>& judged) {
  if (!judged) return {};
  const Difference& difference = judged->difference;
  return {{"agrees", judged->agrees()},
          {"largest", finite(difference.largest)},
          {"mean", finite(difference.mean)},
          {"relative", finite(difference.relative)},
          {"allowed", judged->allowed},
          {"cosine", finite(difference.cosine)},
          {"position", extents(difference.position)},
          {"found", finite(difference.found)},
          {"wanted", finite(difference.wanted)}};
}

Json top_json(const std::vector<ScoredClass>& top) {
  Json json = Json::array();
  for (const auto& scored : top) json.push_back({{"index", scored.index}, {"probability", finite(scored.probability)}});
  return json;
}

}  // namespace

std::string disagreement_text(const Comparison& comparison) {
  const auto isolated = names_of(comparison, &LayerComparison::isolated_agrees);
  std::string text;
  if (const auto* first = comparison.first_cumulative())
    text = fmt::format("{} is the first layer past its tolerance", printable(first->layer));
  if (!isolated.empty()) {
    text += fmt::format("{}fed the reference's values, {} {}", text.empty() ? "" : "; ", some(isolated),
                        isolated.size() == 1 ? "differs" : "differ");
  }
  return text;
}

std::string comparison_text(const ComparisonParts& parts, const Terminal& terminal) {
  const Comparison& comparison = parts.comparison;
  std::string text =
      fmt::format("{} against {}: {} picture{}, {} against {}\n\n", printable(parts.model), printable(parts.reference),
                  comparison.pictures, comparison.pictures == 1 ? "" : "s", comparison.precision, comparison.reference_type);
  text += layers(comparison, terminal) + "\n";
  text += verdict(comparison, terminal);
  text += tops(comparison);
  text += left_out(comparison, terminal);
  if (parts.diagnosis) text += diagnosis_text(*parts.diagnosis, terminal);
  return text;
}

std::string comparison_json(const ComparisonParts& parts) {
  const Comparison& comparison = parts.comparison;
  Json json;
  json["model"] = to_utf8_lossy(parts.model);
  json["reference"] = to_utf8_lossy(parts.reference);
  json["pictures"] = comparison.pictures;
  json["precision"] = comparison.precision;
  json["reference_type"] = comparison.reference_type;
  json["agrees"] = comparison.agrees();
  const auto* first = comparison.first_cumulative();
  json["first_past_tolerance"] = first == nullptr ? Json() : Json(first->layer);
  json["layers"] = Json::array();
  for (const auto& row : comparison.layers) {
    Json layer{{"name", row.layer},
               {"kind", row.kind},
               {"shape", extents(row.shape.extents())},
               {"reference_shape", extents(row.reference_shape.extents())},
               {"cumulative", judged_json(row.cumulative)},
               {"isolated", judged_json(row.isolated)}};
    if (!row.problem.empty()) layer["problem"] = to_utf8_lossy(row.problem);
    json["layers"].push_back(std::move(layer));
  }
  json["not_in_reference"] = comparison.missing;
  json["not_in_model"] = Json::array();
  for (const auto& array : comparison.unknown) {
    json["not_in_model"].push_back(
        {{"name", to_utf8_lossy(array.name)}, {"nearest", array.nearest ? Json(*array.nearest) : Json()}});
  }
  if (parts.diagnosis) json["diagnosis"] = diagnosis_json(*parts.diagnosis);
  if (comparison.scores.empty()) return json.dump(2) + "\n";
  Json pictures = Json::array();
  for (const auto& picture : comparison.tops) {
    pictures.push_back({{"name", to_utf8_lossy(picture.name)},
                        {"same_first", picture.same_first()},
                        {"same_set", picture.same_set()},
                        {"top", top_json(picture.top)},
                        {"reference_top", top_json(picture.reference_top)}});
  }
  json["scores"] = {{"layer", comparison.scores},
                    {"same_first", comparison.same_first()},
                    {"same_set", comparison.same_set()},
                    {"pictures", std::move(pictures)}};
  return json.dump(2) + "\n";
}

}  // namespace alexnet::cli
