#include "cli/html.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"
#include "image/encode_png.h"
#include "image/resample.h"

namespace alexnet::cli {
namespace {

// Nothing is fetched and nothing runs, whatever a file name or label holds.
constexpr std::string_view kPolicy = "default-src 'none'; img-src data:; style-src 'unsafe-inline'";

constexpr std::string_view kStyle = R"(
:root { color-scheme: light dark;
  --ground: #f7f7f5; --surface: #ffffff; --ink: #1c1f22; --soft: #5a6067; --rule: #dfe0dc;
  --right: #17708c; --wrong: #bf4a2f; --faint: #e9eae6; }
@media (prefers-color-scheme: dark) { :root {
  --ground: #14171a; --surface: #1c2024; --ink: #e9ebec; --soft: #a3abb2; --rule: #343a40;
  --right: #63b9d6; --wrong: #f0896b; --faint: #272c31; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto,
  "Helvetica Neue", "DejaVu Sans", sans-serif; overflow-wrap: break-word; }
main, header { max-width: 1120px; margin: 0 auto; padding: 0 clamp(16px, 4vw, 40px); }
header { padding-top: clamp(28px, 6vw, 64px); padding-bottom: 20px; }
header p { margin: 0; color: var(--soft); }
h1 { margin: 0 0 6px; font-size: clamp(26px, 5vw, 40px); line-height: 1.15; letter-spacing: -0.02em; font-weight: 650; }
h2 { margin: 0 0 6px; font-size: 22px; line-height: 1.25; letter-spacing: -0.01em; font-weight: 650; }
section { margin: 56px 0; }
.lead { max-width: 70ch; margin: 0 0 20px; color: var(--soft); }
.lead strong, .note strong { color: var(--ink); font-weight: 600; }
.note { margin: 12px 0 0; color: var(--soft); font-size: 14px; max-width: 76ch; }
.tiles { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 200px), 1fr)); gap: 12px; }
.tile, figure, .card { background: var(--surface); border: 1px solid var(--rule); border-radius: 10px; }
.tile { padding: 16px 18px; }
.tile b { display: block; font-size: 30px; line-height: 1.2; font-weight: 600; letter-spacing: -0.02em; white-space: nowrap;
  font-variant-numeric: tabular-nums; }
.tile span { display: block; font-size: 14px; color: var(--soft); }
.pair { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 440px), 1fr)); gap: 16px; align-items: start; }
figure { margin: 0; padding: 16px 18px; min-width: 0; }
figcaption { font-weight: 600; margin-bottom: 4px; }
.plot { padding: 30px 14px 46px 44px; }
.plot.low { padding-bottom: 4px; }
.plot svg { overflow: visible; display: block; }
svg text { font-size: 12px; fill: var(--soft); font-variant-numeric: tabular-nums; }
svg text.axis { fill: var(--ink); }
.grid { stroke: var(--rule); stroke-width: 1; }
.aim { stroke: var(--wrong); stroke-width: 3; }
.crisp { shape-rendering: crispEdges; }
.ideal { stroke: var(--soft); stroke-width: 1.5; stroke-dasharray: 4 4; }
.whisker { stroke: var(--ink); stroke-width: 1.5; }
.right { fill: var(--right); } .wrong { fill: var(--wrong); }
.count { fill: var(--soft); opacity: 0.45; }
.open-wrong { fill: var(--surface); stroke: var(--wrong); stroke-width: 2; }
.strip th, .strip td { padding: 5px 12px 5px 0; border: 0; vertical-align: middle; font-weight: 400; color: var(--ink); white-space: nowrap; }
.strip td:nth-child(2) { width: 100%; padding: 5px 20px; }
.strip .bad th, .strip .bad td { color: var(--wrong); font-weight: 600; }
.open { fill: var(--surface); stroke: var(--soft); stroke-width: 1.5; }
.cloud { fill: var(--right); opacity: 0.45; }
.legend { display: flex; flex-wrap: wrap; gap: 4px 18px; margin: 0; padding: 0; list-style: none; font-size: 14px; color: var(--soft); }
.legend i { display: inline-block; width: 11px; height: 11px; border-radius: 3px; margin-right: 7px; background: currentColor; }
.legend .is-right i { color: var(--right); } .legend .is-wrong i { color: var(--wrong); }
.legend .is-aim i { height: 3px; border-radius: 0; vertical-align: 4px; color: var(--wrong); } .legend .is-count i { opacity: 0.5; }
.legend .is-open i { background: none; border: 1.5px solid var(--soft); border-radius: 50%; }
.legend .is-mark i { width: 2px; border-radius: 0; color: var(--ink); }
.square { padding: 26px 0 30px 26px; max-width: 680px; margin: 0 auto; }
.square svg { overflow: visible; }
.square > svg { display: block; width: 100%; aspect-ratio: 1; overflow: visible; }
.ground { fill: var(--faint); }
.group { fill: none; stroke: var(--soft); stroke-width: 1; vector-effect: non-scaling-stroke; }
.groups { columns: 3 260px; column-gap: 28px; margin: 14px 0 0; padding: 0; list-style: none; font-size: 14px; }
.groups li { break-inside: avoid; margin-bottom: 8px; padding-left: 24px; text-indent: -24px; color: var(--soft); }
.groups b { display: inline-block; width: 24px; text-indent: 0; color: var(--ink); }
.narrow { max-width: 560px; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; font-size: 14px; font-variant-numeric: tabular-nums; }
th { text-align: left; font-weight: 600; color: var(--soft); vertical-align: bottom; }
th, td { padding: 6px 14px 6px 0; border-bottom: 1px solid var(--rule); vertical-align: top; overflow-wrap: anywhere; }
th:last-child, td:last-child { padding-right: 0; }
.number { text-align: right; white-space: nowrap; }
.track { display: block; width: 100%; min-width: 70px; height: 14px; overflow: visible; }
.gallery { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 320px), 1fr)); gap: 12px; }
.card { display: grid; grid-template-columns: 112px minmax(0, 1fr); gap: 14px; padding: 12px; }
.card img, .card .none { width: 112px; height: 112px; object-fit: cover; border-radius: 6px; background: var(--faint); display: block; }
.card .none { display: grid; place-items: center; font-size: 12px; color: var(--soft); text-align: center; }
.card h3 { margin: 0 0 2px; font-size: 15px; line-height: 1.3; font-weight: 600; }
.card p { margin: 0; font-size: 12px; color: var(--soft); overflow-wrap: anywhere; }
.card .path { grid-column: 1 / -1; }
.answers { margin: 6px 0 0; padding: 0; list-style: none; font-size: 13px; line-height: 1.35; }
.answers li { position: relative; display: flex; justify-content: space-between; gap: 8px; padding: 2px 6px; border-radius: 4px; overflow: hidden; }
.answers li::before { content: ""; position: absolute; inset: 0 auto 0 0; width: var(--share); background: var(--wrong); opacity: 0.16; }
.answers li.hit::before { background: var(--right); opacity: 0.28; }
.answers li.hit { font-weight: 600; }
.answers span { position: relative; min-width: 0; overflow-wrap: anywhere; } .answers span + span { flex: none; white-space: nowrap; color: var(--soft); font-weight: 400; }
.answers-head { margin-top: 8px !important; font-weight: 600; color: var(--ink) !important; }
.findings { display: grid; gap: 12px; max-width: 84ch; }
.finding { margin: 10px 0 6px; }
details { background: var(--surface); border: 1px solid var(--rule); border-radius: 10px; padding: 0 18px; margin-top: 16px; }
summary { cursor: pointer; padding: 12px 0; font-weight: 600; }
details[open] { padding-bottom: 14px; }
pre { margin: 0; padding: 14px 18px; background: var(--faint); border-radius: 8px; white-space: pre-wrap; overflow-wrap: anywhere;
  font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace; }
dl { display: grid; grid-template-columns: minmax(110px, max-content) minmax(0, 1fr); gap: 4px 20px; margin: 0 0 20px; font-size: 14px; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
a:focus-visible, summary:focus-visible { outline: 2px solid var(--right); outline-offset: 2px; }
@media print { section { break-inside: avoid; } }
)";

}  // namespace

std::string escaped(std::string_view text) {
  std::string result;
  for (const char c : printable(text)) {
    switch (c) {
      case '&': result += "&amp;"; break;
      case '<': result += "&lt;"; break;
      case '>': result += "&gt;"; break;
      case '"': result += "&quot;"; break;
      case '\'': result += "&#39;"; break;
      default: result += c;
    }
  }
  return result;
}

std::string page(std::string_view title, std::string_view subtitle, std::string_view body) {
  return fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"{}\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<header><h1>{}</h1><p>{}</p></header>\n<main>\n{}</main>\n</body>\n"
      "</html>\n",
      kPolicy, escaped(title), kStyle, escaped(title), escaped(subtitle), body);
}

std::string section(std::string_view title, std::string_view lead, std::string_view body) {
  const std::string said = lead.empty() ? "" : fmt::format("<p class=\"lead\">{}</p>\n", lead);
  return fmt::format("<section>\n<h2>{}</h2>\n{}{}</section>\n", escaped(title), said, body);
}

std::string figure(std::string_view caption, std::string_view body) {
  return fmt::format("<figure>\n<figcaption>{}</figcaption>\n{}</figure>\n", escaped(caption), body);
}

std::string tile(std::string_view name, std::string_view value, std::string_view note) {
  return fmt::format("<div class=\"tile\"><span>{}</span><b>{}</b><span>{}</span></div>\n", escaped(name), escaped(value),
                     escaped(note));
}

std::string html_table(const std::vector<HtmlColumn>& columns, const std::vector<std::vector<std::string>>& rows) {
  const auto kind = [&](std::size_t i) { return columns[i].right ? " class=\"number\"" : ""; };
  std::string text = "<table>\n<thead><tr>";
  for (std::size_t i = 0; i < columns.size(); ++i)
    text += fmt::format("<th scope=\"col\"{}>{}</th>", kind(i), escaped(columns[i].head));
  text += "</tr></thead>\n<tbody>\n";
  for (const auto& row : rows) {
    text += "<tr>";
    for (std::size_t i = 0; i < columns.size(); ++i) text += fmt::format("<td{}>{}</td>", kind(i), row[i]);
    text += "</tr>\n";
  }
  return text + "</tbody>\n</table>\n";
}

std::string picture_uri(const Image& picture, int side) {
  const int longer = std::max(picture.width, picture.height);
  const auto shrunk = [&](int length) { return std::max(1, static_cast<int>(static_cast<std::int64_t>(length) * side / longer)); };
  const Image small = longer > side ? resize(picture, shrunk(picture.width), shrunk(picture.height)) : picture;
  return "data:image/png;base64," + base64(encode_png(small));
}

}  // namespace alexnet::cli
