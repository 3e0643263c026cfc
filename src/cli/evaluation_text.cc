#include "cli/evaluation_text.h"

#include <algorithm>
#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/json.h"
#include "base/text.h"
#include "cli/json_text.h"
#include "cli/report_parts.h"
#include "cli/table.h"

namespace alexnet::cli {
namespace {

constexpr std::size_t kShown = 10;  // rows of a list
constexpr double kSignificant = 0.05;

double share(std::uint64_t part, std::uint64_t all) { return static_cast<double>(part) / static_cast<double>(all); }

std::string count_text(std::uint64_t count) { return fmt::format("{}", count); }

std::string interval_text(std::uint64_t hits, std::uint64_t trials) {
  const Interval interval = wilson_interval(hits, trials);
  return fmt::format("{:.2f} to {}", 100 * interval.low, percent(interval.high));
}

std::string heading(const std::string& text, const Terminal& terminal) {
  return "\n" + styled(text, Style::bold, terminal.color) + "\n";
}

// How much of a list is not shown.
std::string rest(std::size_t all) { return all > kShown ? fmt::format("and {} more\n", all - kShown) : ""; }

std::string measures(const Evaluation& found, const Terminal& terminal) {
  const auto row = [&](const char* name, std::uint64_t hits) {
    return std::vector<std::string>{name, percent(share(hits, found.all.pictures)), interval_text(hits, found.all.pictures),
                                    fmt::format("{} of {}", hits, found.all.pictures)};
  };
  std::string text = table({{""}, {"", true}, {"95 % interval", true}, {"right", true}},
                           {row("top-1", found.all.top1), row("top-5", found.all.top5)}, terminal);
  return text + fmt::format("\nexpected calibration error {}: it is {} sure on average, and right in {}\n",
                            percent(expected_calibration_error(found.calibration)), percent(mean_probability(found.calibration)),
                            percent(share(found.all.top1, found.all.pictures)));
}

std::string classes(const EvaluationParts& parts, const Terminal& terminal) {
  const Evaluation& found = parts.evaluation;
  const auto order = by_accuracy(found);
  std::vector<std::vector<std::string>> rows;
  for (const auto index : std::span(order).first(std::min(order.size(), kShown))) {
    const Tally& tally = found.of_class[static_cast<std::size_t>(index)];
    rows.push_back({count_text(tally.pictures), percent(share(tally.top1, tally.pictures)),
                    percent(share(tally.top5, tally.pictures)), printable(short_class_text(parts.labels, index))});
  }
  return heading("classes least often right", terminal) +
         table({{"pictures", true}, {"top-1", true}, {"top-5", true}, {"class", false, true}}, rows, terminal) + rest(order.size());
}

std::string confusions(const EvaluationParts& parts, const Terminal& terminal) {
  std::vector<std::vector<std::string>> rows;
  for (const auto& [target, answer, pictures] : most_confused(parts.evaluation, kShown)) {
    rows.push_back({count_text(pictures), printable(short_class_text(parts.labels, target)),
                    printable(short_class_text(parts.labels, answer))});
  }
  if (rows.empty()) return "";
  return heading("most often taken for another", terminal) +
         table({{"pictures", true}, {"class", false, true}, {"taken for", false, true}}, rows, terminal) +
         rest(parts.evaluation.wrong.size());
}

std::string agreement(const EvaluationParts& parts, const Terminal& terminal) {
  const Agreement& found = *parts.agreement;
  const McNemar test = mcnemar(found.only_ours, found.only_theirs);
  std::string text = heading(fmt::format("compared with {}", printable(parts.against)), terminal);
  text += fmt::format("{} pictures", found.compared);
  if (found.missing > 0) text += fmt::format("; it has no prediction for {} more", found.missing);
  if (found.compared == 0) return text + "\n";
  text += fmt::format("\nthe same first answer for {} ({})\n", found.same, percent(share(found.same, found.compared)));
  text += fmt::format("right: both {}, this network alone {}, the other alone {}, neither {}\n", found.both, found.only_ours,
                      found.only_theirs, found.neither);
  text += fmt::format("McNemar's test: {}; {}\n", p_value_text(test),
                      test.p_value < kSignificant
                          ? fmt::format("the {} is more often right", found.only_ours > found.only_theirs ? "network" : "other")
                          : "no sign that one is more often right");
  std::vector<std::vector<std::string>> rows;
  for (const auto& [ours, theirs] : std::span(found.differences).first(std::min(found.differences.size(), kShown))) {
    rows.push_back({printable(ours.path), printable(short_class_text(parts.labels, *ours.target)),
                    printable(short_class_text(parts.labels, ours.top.front().index)),
                    printable(short_class_text(parts.labels, theirs.front().index))});
  }
  if (rows.empty()) return text;
  return text + heading("pictures with another first answer", terminal) +
         table({{"picture"}, {"class", false, true}, {"this network", false, true}, {"the other", false, true}}, rows, terminal) +
         rest(static_cast<std::size_t>(found.compared - found.same));
}

// A share of nothing is no number.
Json json_share(std::uint64_t part, std::uint64_t all) { return all == 0 ? Json() : Json(share(part, all)); }

Json json_tally(std::uint64_t hits, std::uint64_t trials) {
  const Interval interval = wilson_interval(hits, trials);
  return {{"share", json_share(hits, trials)}, {"right", hits}, {"interval", {interval.low, interval.high}}};
}

Json json_class(const EvaluationParts& parts, std::int64_t index) {
  const auto at = static_cast<std::size_t>(index);
  const Label label = at < parts.labels.size() ? parts.labels[at] : Label{};
  return {{"index", index}, {"id", label.id}, {"label", label.label}};
}

Json json_picture(std::string_view path) {
  Json json{{"path", to_utf8_lossy(path)}};
  if (!is_utf8(path)) json["path_base64"] = base64(path);
  return json;
}

Json json_calibration(const Evaluation& found) {
  Json json{{"expected_error", expected_calibration_error(found.calibration)}, {"bins", Json::array()}};
  for (const auto& bin : found.calibration) {
    const auto probability = bin.pictures == 0 ? Json() : Json(bin.probabilities / static_cast<double>(bin.pictures));
    json["bins"].push_back(
        {{"pictures", bin.pictures}, {"probability", probability}, {"right", json_share(bin.right, bin.pictures)}});
  }
  return json;
}

Json json_agreement(const EvaluationParts& parts) {
  const Agreement& found = *parts.agreement;
  const McNemar test = mcnemar(found.only_ours, found.only_theirs);
  Json json{{"file", to_utf8_lossy(parts.against)},
            {"compared", found.compared},
            {"missing", found.missing},
            {"same", found.same},
            {"right",
             {{"both", found.both}, {"only_here", found.only_ours}, {"only_there", found.only_theirs}, {"neither", found.neither}}},
            {"mcnemar", {{"p_value", test.p_value}, {"exact", test.exact}}},
            {"differences", Json::array()}};
  for (const auto& [ours, theirs] : found.differences) {
    Json one = json_picture(ours.path);
    one["target"] = *ours.target;
    one["here"] = ours.top.front().index;
    one["there"] = theirs.front().index;
    json["differences"].push_back(std::move(one));
  }
  return json;
}

}  // namespace

std::string p_value_text(const McNemar& test) {
  const std::string p = test.p_value < 1e-4 ? "p < 0.0001" : fmt::format("p = {:.4f}", test.p_value);
  return fmt::format("{} ({})", p, test.exact ? "exact, binomial" : "chi-squared with continuity correction");
}

std::string evaluation_text(const EvaluationParts& parts, const Terminal& terminal) {
  const Evaluation& found = parts.evaluation;
  const auto classes_seen = by_accuracy(found).size();
  std::string text =
      styled(fmt::format("{} pictures of {} classes", found.all.pictures, classes_seen), Style::bold, terminal.color);
  text += fmt::format(", {}{}", parts.precision, parts.crops > 1 ? fmt::format(", {} crops", parts.crops) : "");
  if (!parts.whole) text += ", ended early: the results so far";
  text += "\n";
  if (found.failed > 0) text += fmt::format("{} more could not be used and are not counted\n", found.failed);
  if (found.all.pictures == 0) return text;
  text += "\n" + measures(found, terminal) + classes(parts, terminal) + confusions(parts, terminal);
  if (parts.agreement != nullptr) text += agreement(parts, terminal);
  return text;
}

std::string evaluation_json(const EvaluationParts& parts) {
  const Evaluation& found = parts.evaluation;
  Json json{{"model", to_utf8_lossy(parts.model)},
            {"set", to_utf8_lossy(parts.set)},
            {"precision", parts.precision},
            {"crops", parts.crops},
            {"whole", parts.whole},
            {"pictures", found.all.pictures},
            {"failed", found.failed},
            {"top1", json_tally(found.all.top1, found.all.pictures)},
            {"top5", json_tally(found.all.top5, found.all.pictures)},
            {"calibration", json_calibration(found)},
            {"classes", Json::array()},
            {"confused", Json::array()}};
  for (std::int64_t i = 0; i < found.options.classes; ++i) {
    const Tally& tally = found.of_class[static_cast<std::size_t>(i)];
    if (tally.pictures == 0) continue;
    Json one = json_class(parts, i);
    one["pictures"] = tally.pictures;
    one["top1"] = json_tally(tally.top1, tally.pictures);
    one["top5"] = json_tally(tally.top5, tally.pictures);
    json["classes"].push_back(std::move(one));
  }
  for (const auto& [target, answer, pictures] : most_confused(found, found.wrong.size())) {
    json["confused"].push_back({{"target", target}, {"answer", answer}, {"pictures", pictures}});
  }
  if (parts.agreement != nullptr) json["against"] = json_agreement(parts);
  json["failures"] = Json::array();
  for (const auto& failure : found.failures) {
    Json one = json_picture(failure.path);
    one["error"] = {{"kind", name(failure.error->kind())}, {"message", message_of(*failure.error)}};
    json["failures"].push_back(std::move(one));
  }
  return json.dump(2) + "\n";
}

}  // namespace alexnet::cli
