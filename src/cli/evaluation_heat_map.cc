#include "cli/evaluation_report.h"

#include <algorithm>
#include <map>

#include <fmt/format.h>

#include "cli/html.h"
#include "tasks/class_groups.h"

namespace alexnet::cli {
namespace {

// More classes would be less than a pixel each on a telephone; more cells, a page of many megabytes.
constexpr std::size_t kMostClasses = 250;
constexpr std::size_t kMostCells = 6000;
constexpr std::size_t kLetters = 26;

struct Placed {
  std::vector<std::vector<std::int64_t>> groups;
  std::map<std::int64_t, std::size_t> place;  // of each class
};

Placed placed(const std::vector<Confusion>& mistakes) {
  Placed result{.groups = class_groups(mistakes, kMostClasses), .place = {}};
  for (const auto& group : result.groups) {
    for (const auto index : group) result.place.emplace(index, result.place.size());
  }
  return result;
}

double share_of(const Tally& tally, std::uint64_t part) {
  return tally.pictures == 0 ? 0 : static_cast<double>(part) / static_cast<double>(tally.pictures);
}

std::string cell(std::size_t x, std::size_t y, std::string_view kind, double strength, const std::string& tip) {
  return fmt::format(R"(<rect class="{}" x="{}" y="{}" width="1" height="1" opacity="{:.2f}"><title>{}</title></rect>)", kind, x, y,
                     0.25 + 0.75 * std::min(1.0, strength), escaped(tip));
}

// Which groups are large enough for a letter beside the map.
std::size_t lettered(const Placed& map) {
  const std::size_t least = std::max<std::size_t>(3, map.place.size() / 40);
  const auto small = std::ranges::find_if(map.groups, [&](const auto& group) { return group.size() < least; });
  return std::min(kLetters, static_cast<std::size_t>(small - map.groups.begin()));
}

std::string cells(const EvaluationParts& parts, const Placed& map, const std::vector<Confusion>& mistakes) {
  const auto tally = [&](std::int64_t index) -> const Tally& { return parts.evaluation.of_class[static_cast<std::size_t>(index)]; };
  const auto label = [&](std::int64_t index) { return short_class_text(parts.labels, index); };
  std::string text;
  for (const auto& [index, at] : map.place) {
    const Tally& own = tally(index);
    if (own.top1 == 0) continue;
    text +=
        cell(at, at, "right", share_of(own, own.top1), fmt::format("{}: right in {} of {}", label(index), own.top1, own.pictures));
  }
  std::size_t drawn = 0;
  for (const auto& [target, answer, pictures] : mistakes) {
    const auto row = map.place.find(target);
    const auto column = map.place.find(answer);
    if (row == map.place.end() || column == map.place.end()) continue;
    if (++drawn > kMostCells) break;
    text += cell(column->second, row->second, "wrong", 2 * share_of(tally(target), pictures),
                 fmt::format("{} taken for {}: {} of {}", label(target), label(answer), pictures, tally(target).pictures));
  }
  return text;
}

std::string group_list(const EvaluationParts& parts, const Placed& map) {
  std::string text = "<ul class=\"groups\">";
  const std::size_t letters = lettered(map);
  const auto names = [&](const std::vector<std::int64_t>& group) {
    std::string all;
    for (const auto index : group) all += (all.empty() ? "" : ", ") + escaped(short_class_text(parts.labels, index));
    return all;
  };
  for (std::size_t i = 0; i < letters; ++i) {
    text += fmt::format("<li><b>{}</b>{}</li>", static_cast<char>('A' + i), names(map.groups[i]));
  }
  std::vector<std::int64_t> rest;
  for (std::size_t i = letters; i < map.groups.size(); ++i) rest.insert(rest.end(), map.groups[i].begin(), map.groups[i].end());
  if (!rest.empty()) text += fmt::format("<li><b>\u2013</b>in smaller groups: {}</li>", names(rest));
  return text + "</ul>\n";
}

}  // namespace

std::string heat_map_html(const EvaluationParts& parts) {
  const auto mistakes = most_confused(parts.evaluation, parts.evaluation.wrong.size());
  const Placed map = placed(mistakes);
  const std::size_t n = map.place.size();
  if (n == 0) return "";
  std::string inside = fmt::format(R"(<rect class="ground" width="{0}" height="{0}"/>)", n) + cells(parts, map, mistakes);
  std::string outside;
  std::size_t begin = 0;
  for (std::size_t i = 0; i < lettered(map); ++i) {
    const std::size_t size = map.groups[i].size();
    inside += fmt::format(R"(<rect class="group" x="{0}" y="{0}" width="{1}" height="{1}"/>)", begin, size);
    const double middle = 100 * (static_cast<double>(begin) + static_cast<double>(size) / 2) / static_cast<double>(n);
    const char letter = static_cast<char>('A' + i);
    outside += fmt::format(R"(<text class="axis" x="{0:.2f}%" y="-8" text-anchor="middle">{1}</text>)"
                           R"(<text class="axis" x="-12" y="{0:.2f}%" dy="4" text-anchor="middle">{1}</text>)",
                           middle, letter);
    begin += size;
  }
  const std::string svg = fmt::format(
      R"(<div class="square"><svg role="img" aria-label="Confusion heat map"><desc>A row for each class, a column for each answer; )"
      R"(classes that are confused with each other stand together.</desc><svg viewBox="0 0 {0} {0}" preserveAspectRatio="none" )"
      R"(width="100%" height="100%" shape-rendering="crispEdges">{1}</svg>{2}<text class="axis" x="50%" y="100%" dy="20" )"
      R"(text-anchor="middle">taken for</text></svg></div>)",
      n, inside, outside);
  const std::size_t classes = by_accuracy(parts.evaluation).size();
  const std::string limits = n >= kMostClasses ? fmt::format("The {} classes with the most mistakes are shown. ", n)
                             : n < classes     ? fmt::format("The {} classes with mistakes among each other are shown. ", n)
                                               : "";
  const std::string cut =
      mistakes.size() > kMostCells ? fmt::format("Of the pairs, the {} most frequent are drawn. ", kMostCells) : "";
  return figure(
      "Which classes it takes for which",
      "<ul class=\"legend\"><li class=\"is-right\"><i></i>right</li><li class=\"is-wrong\"><i></i>taken for another; the "
      "stronger, the more often</li></ul>\n" +
          svg + group_list(parts, map) +
          fmt::format("<p class=\"note\">{}{}Rows are what pictures show, columns what they were taken for. Letters are groups of "
                      "classes that are confused with each other more often than by chance. Cells have their names under "
                      "the pointer.</p>\n",
                      limits, cut));
}

}  // namespace alexnet::cli
