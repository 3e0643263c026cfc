#include "cli/comparison_report.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "cli/diagnosis_report.h"
#include "cli/html.h"
#include "cli/svg.h"

namespace alexnet::cli {
namespace {

constexpr std::size_t kMostDots = 2000;
constexpr int kScatterHeight = 380;

std::string error_text(double error) { return error == 0 ? "0" : fmt::format("{:.1e}", error); }

std::string judged_text(const std::optional<Judged>& judged) { return judged ? error_text(judged->difference.relative) : "\u2013"; }

// Powers of ten around everything there is to show.
Axis error_axis(const Comparison& found) {
  double low = 1;
  double high = 1e-12;
  const auto take = [&](double error) {
    if (!(error > 0) || std::isinf(error)) return;
    low = std::min(low, error);
    high = std::max(high, error);
  };
  for (const auto& layer : found.layers) {
    for (const auto* judged : {&layer.cumulative, &layer.isolated}) {
      if (!*judged) continue;
      take((*judged)->difference.relative);
      take((*judged)->allowed);
    }
  }
  Axis axis{.title = "",
            .low = std::pow(10, std::floor(std::log10(low))),
            .high = std::pow(10, std::ceil(std::log10(high))),
            .logarithmic = true};
  if (axis.high <= axis.low) axis.high = 10 * axis.low;
  axis.ticks = ticks_of(axis, 4);
  return axis;
}

// One layer's errors on the axis, as wide as the column is.
std::string track(const LayerComparison& layer, const Axis& axis) {
  const auto at = [&](double error) { return fmt::format("{:.2f}%", 100 * axis.place(error)); };
  std::string marks;
  for (const auto& tick : axis.ticks)
    marks += fmt::format(R"(<line class="grid" x1="{0}" y1="-9" x2="{0}" y2="23"/>)", at(tick.value));
  if (layer.isolated) {
    marks += fmt::format(R"(<circle class="{}" cx="{}" cy="7" r="6.5"><title>{} alone: {}</title></circle>)",
                         layer.isolated_agrees() ? "open" : "open-wrong", at(layer.isolated->difference.relative),
                         escaped(layer.layer), error_text(layer.isolated->difference.relative));
  }
  if (layer.cumulative) {
    const auto& [difference, allowed] = *layer.cumulative;
    marks += fmt::format(R"(<line class="whisker" x1="{0}" y1="0" x2="{0}" y2="14"><title>tolerance {1}</title></line>)",
                         at(allowed), error_text(allowed));
    marks += fmt::format(R"(<circle class="{}" cx="{}" cy="7" r="4"><title>{} all the way: {}</title></circle>)",
                         layer.cumulative_agrees() ? "right" : "wrong", at(difference.relative), escaped(layer.layer),
                         error_text(difference.relative));
  }
  return fmt::format(R"(<svg class="track" role="img" aria-label="{}: {} of {} allowed">{}</svg>)", escaped(layer.layer),
                     judged_text(layer.cumulative), layer.cumulative ? error_text(layer.cumulative->allowed) : "", marks);
}

std::string scale(const Axis& axis) {
  std::string marks;
  for (const auto& tick : axis.ticks) {
    marks += fmt::format(R"(<text class="tick" x="{:.2f}%" y="12" text-anchor="middle">{}</text>)", 100 * axis.place(tick.value),
                         tick.text);
  }
  return fmt::format(R"(<svg class="track" role="img" aria-label="relative error, logarithmic">{}</svg>)", marks);
}

std::string layers_html(const Comparison& found) {
  const Axis axis = error_axis(found);
  std::string rows;
  for (const auto& layer : found.layers) {
    const bool good = layer.cumulative_agrees() && (!layer.isolated || layer.isolated_agrees());
    rows += fmt::format("<tr{}><th scope=\"row\">{}</th><td>{}</td><td class=\"number\">{}</td></tr>\n",
                        good ? "" : " class=\"bad\"", escaped(layer.layer),
                        layer.problem.empty() ? track(layer, axis) : escaped(layer.problem), judged_text(layer.cumulative));
  }
  return figure(
      "Largest error of each layer, relative to the reference's largest value",
      fmt::format(
          "<ul class=\"legend\"><li class=\"is-right\"><i></i>all the way from the pictures</li><li class=\"is-open\"><i></i>"
          "this layer alone, fed the reference's values</li><li class=\"is-mark\"><i></i>tolerance</li>"
          "<li class=\"is-wrong\"><i></i>past it</li></ul>\n<table class=\"strip\">\n<thead><tr><td></td><td>{}</td>"
          "<td class=\"number\">all the way</td></tr></thead>\n<tbody>\n{}</tbody>\n</table>\n",
          scale(axis), rows));
}

std::string layer_table(const Comparison& found) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& layer : found.layers) {
    const auto cell = [&](const std::optional<Judged>& judged, auto&& text) {
      return judged ? text(*judged) : std::string("\u2013");
    };
    rows.push_back({escaped(layer.layer), to_string(layer.shape), judged_text(layer.cumulative),
                    cell(layer.cumulative, [](const Judged& j) { return error_text(j.allowed); }), judged_text(layer.isolated),
                    cell(layer.isolated, [](const Judged& j) { return error_text(j.allowed); }),
                    cell(layer.cumulative, [](const Judged& j) { return error_text(j.difference.largest); }),
                    cell(layer.cumulative, [](const Judged& j) { return error_text(j.difference.mean); }),
                    cell(layer.cumulative, [](const Judged& j) { return fmt::format("{:.7f}", j.difference.cosine); })});
  }
  return fmt::format("<details><summary>All figures</summary>\n<div class=\"scroll\" tabindex=\"0\">{}</div></details>\n",
                     html_table({{"Layer"},
                                 {"Shape"},
                                 {"All the way", true},
                                 {"Allowed", true},
                                 {"Alone", true},
                                 {"Allowed", true},
                                 {"Largest", true},
                                 {"Mean", true},
                                 {"Cosine", true}},
                                rows));
}

std::string scatter_html(const Comparison& found) {
  if (found.pairs.empty()) return "";
  Axis axis{.title = "reference", .low = INFINITY, .high = -INFINITY};
  for (const auto& [ours, theirs] : found.pairs) {
    for (const double value : {static_cast<double>(ours), static_cast<double>(theirs)}) {
      if (!std::isfinite(value)) continue;
      axis.low = std::min(axis.low, value);
      axis.high = std::max(axis.high, value);
    }
  }
  if (!(axis.high > axis.low)) return "";
  const double margin = 0.04 * (axis.high - axis.low);
  axis.low -= margin;
  axis.high += margin;
  axis.ticks = ticks_of(axis, 5);
  Axis up = axis;
  up.title = "this engine";
  Plot plot(axis, up, kScatterHeight, "Scatter plot of scores",
            "Each dot is one score of one picture; on the dashed line both are equal.");
  plot.line(axis.low, axis.low, axis.high, axis.high, "ideal");
  const std::size_t step = (found.pairs.size() + kMostDots - 1) / kMostDots;
  std::size_t drawn = 0;
  for (std::size_t i = 0; i < found.pairs.size(); i += step, ++drawn) {
    plot.dot(found.pairs[i].wanted, found.pairs[i].found, 2.2, "cloud");
  }
  return figure(fmt::format("{} scores of {}", drawn, found.scores), "<div class=\"narrow\">" + plot.html() + "</div>\n");
}

std::string tops_html(const Comparison& found, const std::vector<Label>& labels, const DecodeOptions& decode) {
  std::vector<Card> cards;
  for (const auto& one : found.tops) {
    if (one.same_first() || cards.size() == kGallery) continue;
    const auto reference = one.reference_top.front().index;
    cards.push_back({one.name, "Reference: " + short_class_text(labels, reference),
                     "<p class=\"answers-head\">this engine</p>" + answers_html(one.top, labels, reference) +
                         "<p class=\"answers-head\">reference</p>" + answers_html(one.reference_top, labels, reference)});
  }
  if (cards.empty()) return "";
  const auto different = static_cast<std::int64_t>(found.tops.size()) - found.same_first();
  return section("Where they differ", fmt::format("{} of {} pictures with another first answer.", cards.size(), different),
                 gallery_html(cards, decode));
}

std::string tiles(const Comparison& found) {
  const auto worst = std::ranges::max_element(found.layers, {}, [](const LayerComparison& layer) {
    return layer.cumulative ? layer.cumulative->difference.relative : 0.0;
  });
  const LayerComparison* first = found.first_cumulative();
  std::string text = tile(
      "Verdict", found.agrees() ? "They agree" : "They differ",
      first == nullptr ? "every layer is within its tolerance" : fmt::format("{} is the first past its tolerance", first->layer));
  if (worst != found.layers.end() && worst->cumulative)
    text += tile("Largest relative error", error_text(worst->cumulative->difference.relative), "in " + worst->layer);
  if (!found.tops.empty()) {
    const auto all = static_cast<double>(found.tops.size());
    text += tile("Same first answer", percent(static_cast<double>(found.same_first()) / all),
                 fmt::format("{} of {} pictures", found.same_first(), found.tops.size()));
    text += tile("Same first five", percent(static_cast<double>(found.same_set()) / all), "whatever their order");
  }
  return "<div class=\"tiles\">\n" + text + "</div>\n";
}

}  // namespace

std::string comparison_page(const ComparisonParts& parts, const std::vector<Label>& labels, const ReportOrigin& origin) {
  const Comparison& found = parts.comparison;
  std::string body = tiles(found);
  body += section("Where errors arise",
                  "Filled, everything is computed by this engine, so that errors add up; open, the layer alone. A layer whose open "
                  "dot is past its "
                  "tolerance is where to look.",
                  layers_html(found) + layer_table(found));
  if (parts.diagnosis) body += diagnosis_html(*parts.diagnosis);
  if (const std::string scatter = scatter_html(found); !scatter.empty())
    body += section("Scores side by side", "Each dot is the score of one class for one picture; on the dashed line both are equal.",
                    scatter);
  body += tops_html(found, labels, origin.decode);
  body += origin_html(origin, {{"reference", parts.reference}, {"reference's type", found.reference_type}}, {origin.command});
  return page("Does it compute the same?",
              fmt::format("{} against {}: {} pictures, {} layers, {}", parts.model, parts.reference, found.pictures,
                          found.layers.size(), found.precision),
              body);
}

}  // namespace alexnet::cli
