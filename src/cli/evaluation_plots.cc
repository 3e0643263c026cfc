#include "cli/evaluation_report.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>

#include "cli/html.h"
#include "cli/svg.h"

namespace alexnet::cli {
namespace {

constexpr int kPlotHeight = 260;
constexpr int kCountsHeight = 56;

// From 0 to 1, shown in per cent.
Axis percent_axis(std::string title) {
  Axis axis{.title = std::move(title), .low = 0, .high = 1};
  for (const int value : {0, 20, 40, 60, 80, 100}) axis.ticks.push_back({value / 100.0, fmt::format("{}", value)});
  return axis;
}

std::string legend(const std::vector<std::pair<std::string, std::string>>& entries) {
  std::string text = "<ul class=\"legend\">";
  for (const auto& [kind, name] : entries) text += fmt::format("<li class=\"{}\"><i></i>{}</li>", kind, escaped(name));
  return text + "</ul>\n";
}

}  // namespace

std::string reliability_html(const Evaluation& evaluation) {
  const auto bins = static_cast<double>(kCalibrationBins);
  Plot plot(percent_axis("probability of the first answer, %"), percent_axis("right, %"), kPlotHeight, "Reliability diagram",
            "For each range of probability of the first answer, the share of pictures on which it was right.");
  std::uint64_t most = 1;
  for (const auto& bin : evaluation.calibration) most = std::max(most, bin.pictures);
  Axis counts_across = percent_axis("");
  counts_across.ticks.clear();
  Plot counts(counts_across, {.title = fmt::format("pictures, up to {}", most), .low = 0, .high = static_cast<double>(most)},
              kCountsHeight, "Pictures for each range of probability",
              "How many pictures each bar of the reliability diagram stands for.");
  for (std::size_t i = 0; i < kCalibrationBins; ++i) {
    const CalibrationBin& bin = evaluation.calibration[i];
    if (bin.pictures == 0) continue;
    const double left = (static_cast<double>(i) + 0.06) / bins;
    const double right = (static_cast<double>(i) + 0.94) / bins;
    const auto pictures = static_cast<double>(bin.pictures);
    const double share = static_cast<double>(bin.right) / pictures;
    const double sure = bin.mean_probability();
    const Interval interval = wilson_interval(bin.right, bin.pictures);
    const std::string tip =
        fmt::format("{} pictures: {:.1f} % sure on average, right in {:.1f} % (95 % interval {:.1f} to {:.1f} %)", bin.pictures,
                    100 * sure, 100 * share, 100 * interval.low, 100 * interval.high);
    plot.bar(left, 0, right, share, "right", tip);
    plot.line(left, sure, right, sure, "aim");
    plot.line((left + right) / 2, interval.low, (left + right) / 2, interval.high, "whisker");
    counts.bar(left, 0, right, pictures, "count", fmt::format("{} pictures", bin.pictures));
  }
  plot.line(0, 0, 1, 1, "ideal");
  return figure("Does it know how sure to be?",
                legend({{"is-right", "share right"}, {"is-aim", "probability it gave"}, {"is-mark", "95 % interval"}}) +
                    plot.html() + counts.html());
}

std::string class_accuracy_html(const EvaluationParts& parts) {
  const Evaluation& found = parts.evaluation;
  auto order = by_accuracy(found);
  std::ranges::reverse(order);
  const auto classes = static_cast<double>(order.size());
  Axis across{.title = fmt::format("{} classes, most often right first", order.size()), .low = 0, .high = classes};
  Plot plot(across, percent_axis("right, %"), kPlotHeight + kCountsHeight + 76, "Accuracy of each class",
            "Top-1 and top-5 of each class, from the class most often right to the one least often right.");
  for (std::size_t i = 0; i < order.size(); ++i) {
    const Tally& tally = found.of_class[static_cast<std::size_t>(order[i])];
    const auto pictures = static_cast<double>(tally.pictures);
    const double top1 = static_cast<double>(tally.top1) / pictures;
    const double top5 = static_cast<double>(tally.top5) / pictures;
    const auto left = static_cast<double>(i) + (classes > 40 ? 0 : 0.08);
    const auto right = static_cast<double>(i + 1) - (classes > 40 ? 0 : 0.08);
    const std::string tip = fmt::format("{}: top-1 {:.0f} %, top-5 {:.0f} % of {} pictures",
                                        short_class_text(parts.labels, order[i]), 100 * top1, 100 * top5, tally.pictures);
    plot.bar(left, top1, right, top5, "count crisp", tip);
    plot.bar(left, 0, right, top1, "right crisp", tip);
  }
  return figure("Some classes are harder than others",
                legend({{"is-right", "first answer right"}, {"is-count", "among the first five"}}) + plot.html());
}

}  // namespace alexnet::cli
