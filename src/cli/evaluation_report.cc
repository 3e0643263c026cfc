#include "cli/evaluation_report.h"

#include <algorithm>
#include <utility>

#include <fmt/format.h>

#include "cli/html.h"
#include "tasks/statistics.h"

namespace alexnet::cli {
namespace {

constexpr std::size_t kConfusedRows = 20;

double share(std::uint64_t part, std::uint64_t all) { return all == 0 ? 0 : static_cast<double>(part) / static_cast<double>(all); }

std::string interval_text(std::uint64_t hits, std::uint64_t trials) {
  const Interval interval = wilson_interval(hits, trials);
  return fmt::format("{:.2f} to {} with 95 % confidence", 100 * interval.low, percent(interval.high));
}

std::string subtitle(const EvaluationParts& parts) {
  const Evaluation& found = parts.evaluation;
  return fmt::format("{} on {}: {} pictures of {} classes, {}{}{}", parts.model, parts.set, found.all.pictures,
                     by_accuracy(found).size(), parts.precision, parts.crops > 1 ? fmt::format(", {} crops", parts.crops) : "",
                     parts.whole ? "" : ", ended early: the results so far");
}

std::string tiles(const EvaluationParts& parts) {
  const Evaluation& found = parts.evaluation;
  const auto n = found.all.pictures;
  std::string text = tile("First answer right (top-1)", percent(share(found.all.top1, n)), interval_text(found.all.top1, n)) +
                     tile("Among the first five (top-5)", percent(share(found.all.top5, n)), interval_text(found.all.top5, n)) +
                     tile("Expected calibration error", percent(expected_calibration_error(found.calibration)),
                          fmt::format("{} sure on average, {} right", percent(mean_probability(found.calibration)),
                                      percent(share(found.all.top1, n))));
  if (found.failed > 0) text += tile("Could not be used", fmt::format("{}", found.failed), "counted apart, listed below");
  if (parts.agreement != nullptr && parts.agreement->compared > 0) {
    text += tile("Same first answer", percent(share(parts.agreement->same, parts.agreement->compared)), "as " + parts.against);
  }
  return "<div class=\"tiles\">\n" + text + "</div>\n";
}

std::string confused_table(const EvaluationParts& parts) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [target, answer, pictures] : most_confused(parts.evaluation, kConfusedRows)) {
    const Tally& tally = parts.evaluation.of_class[static_cast<std::size_t>(target)];
    rows.push_back({escaped(class_text(parts.labels, target)), escaped(class_text(parts.labels, answer)),
                    fmt::format("{} of {}", pictures, tally.pictures)});
  }
  return figure("Most often taken for another", html_table({{"Class"}, {"Taken for"}, {"Pictures", true}}, rows));
}

std::string mistakes(const EvaluationParts& parts, const DecodeOptions& decode) {
  const auto& kept = parts.evaluation.mistakes;
  std::vector<Card> cards;
  for (const auto& record : std::span(kept).first(std::min(kept.size(), kGallery))) {
    cards.push_back(
        {record.path, short_class_text(parts.labels, *record.target), answers_html(record.top, parts.labels, record.target)});
  }
  const auto wrong = parts.evaluation.all.pictures - parts.evaluation.all.top1;
  return section(
      "Its most confident mistakes",
      fmt::format(
          "{} of {} pictures whose first answer was wrong, the surest first. Above the answers stands what the picture shows.",
          cards.size(), wrong),
      gallery_html(cards, decode));
}

std::string against(const EvaluationParts& parts, const DecodeOptions& decode) {
  const Agreement& found = *parts.agreement;
  const McNemar test = mcnemar(found.only_ours, found.only_theirs);
  const auto row = [&](const char* name, std::uint64_t count) {
    return std::vector<std::string>{name, fmt::format("{}", count), percent(share(count, found.compared))};
  };
  std::string body = figure("Who is right", html_table({{""}, {"Pictures", true}, {"Share", true}},
                                                       {row("both", found.both), row("this network alone", found.only_ours),
                                                        row("the other alone", found.only_theirs), row("neither", found.neither)}));
  std::vector<Card> cards;
  for (const auto& [ours, theirs] : std::span(found.differences).first(std::min(found.differences.size(), kGallery))) {
    cards.push_back({ours.path, short_class_text(parts.labels, *ours.target),
                     "<p class=\"answers-head\">this network</p>" + answers_html(ours.top, parts.labels, ours.target) +
                         "<p class=\"answers-head\">the other</p>" + answers_html(theirs, parts.labels, ours.target)});
  }
  const std::string missing = found.missing > 0 ? fmt::format(" It has no prediction for {} more.", found.missing) : "";
  std::string text =
      section("Compared with " + parts.against,
              fmt::format("{} pictures. The first answer is the same for <strong>{}</strong>, McNemar's test gives {}.{}",
                          found.compared, found.same, escaped(p_value_text(test)), missing),
              body);
  if (cards.empty()) return text;
  return text + section("Where they differ",
                        fmt::format("{} of {} pictures with another first answer.", cards.size(), found.compared - found.same),
                        gallery_html(cards, decode));
}

std::string class_table(const EvaluationParts& parts) {
  std::vector<std::vector<std::string>> rows;
  for (const auto index : by_accuracy(parts.evaluation)) {
    const Tally& tally = parts.evaluation.of_class[static_cast<std::size_t>(index)];
    rows.push_back({escaped(class_text(parts.labels, index)), fmt::format("{}", tally.pictures),
                    fmt::format("{:.0f} %", 100 * share(tally.top1, tally.pictures)),
                    fmt::format("{:.0f} %", 100 * share(tally.top5, tally.pictures))});
  }
  return fmt::format("<details><summary>All {} classes, least often right first</summary>\n{}</details>\n", rows.size(),
                     html_table({{"Class"}, {"Pictures", true}, {"Top-1", true}, {"Top-5", true}}, rows));
}

std::string failures_html(const Evaluation& found) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& record : found.failures) rows.push_back({escaped(record.path), escaped(record.error->message())});
  return section("Pictures that could not be used",
                 rows.size() < found.failed ? fmt::format("The first {} of {}.", rows.size(), found.failed) : "",
                 figure("", html_table({{"File"}, {"What is wrong"}}, rows)));
}

}  // namespace

std::string evaluation_page(const EvaluationParts& parts, const ReportOrigin& origin) {
  const Evaluation& found = parts.evaluation;
  std::string body = tiles(parts);
  if (found.all.pictures > 0) {
    body +=
        section("How right, and how sure",
                "Left, pictures by the probability of their first answer: where a bar ends below the dashed line, the network is "
                "surer than it "
                "is right. Right, how accuracy spreads over the classes.",
                "<div class=\"pair\">\n" + reliability_html(found) + class_accuracy_html(parts) + "</div>\n" + class_table(parts));
  }
  if (!found.wrong.empty()) {
    body += section("What it confuses", "", heat_map_html(parts) + "<br>\n" + confused_table(parts));
    body += mistakes(parts, origin.decode);
  }
  if (parts.agreement != nullptr && parts.agreement->compared > 0) body += against(parts, origin.decode);
  if (found.failed > 0) body += failures_html(found);
  body += origin_html(origin, {{"pictures", parts.set}}, {origin.command});
  return page("How often the network is right", subtitle(parts), body);
}

}  // namespace alexnet::cli
