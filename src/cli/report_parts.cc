#include "cli/report_parts.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "base/json.h"
#include "base/text.h"
#include "cli/html.h"
#include "cli/network_options.h"
#include "cli/version.h"
#include "tasks/prepare.h"

namespace alexnet::cli {
namespace {

constexpr int kThumbnailSide = 160;  // sharp on dense screens, where it takes 112 pixels

std::string thumbnail_html(const std::string& path, const std::string& heading, const DecodeOptions& options) {
  try {
    const Decoded decoded = load_picture(path, options, nullptr);
    return fmt::format("<img alt=\"{}\" src=\"{}\">", escaped(heading), picture_uri(decoded.image, kThumbnailSide));
  } catch (const Error&) {
    return "<div class=\"none\">no picture</div>";
  }
}

// "source.name", "..." for each text or number in it.
void append_facts(const Json& json, const std::string& key, std::vector<std::pair<std::string, std::string>>& facts) {
  if (json.is_object() || json.is_array()) {
    for (const auto& [name, value] : json.items()) append_facts(value, key.empty() ? name : key + "." + name, facts);
  } else {
    facts.emplace_back(key, json.is_string() ? json.get<std::string>() : json.dump());
  }
}

}  // namespace

std::optional<Output> report_output(const Arguments& arguments) {
  if (!arguments.has("report")) return std::nullopt;
  if (arguments.text("report") == "-") {
    throw Error(ErrorKind::usage, "--report", "standard output has the results", "name a file for the page");
  }
  return Output(arguments.text("report"));
}

ReportOrigin report_origin(const Arguments& arguments, const Model& model, const std::string& name, const std::string& precision) {
  return {.command = arguments.command_line(),
          .model = name,
          .provenance = model.provenance,
          .precision = precision,
          .decode = arguments.knows("max-pixels") ? decode_options(arguments) : DecodeOptions{}};
}

std::string class_text(const std::vector<Label>& labels, std::int64_t index) {
  const auto at = static_cast<std::size_t>(index);
  if (at < labels.size() && !labels[at].label.empty()) return labels[at].label;
  if (at < labels.size() && !labels[at].id.empty()) return labels[at].id;
  return fmt::format("class {}", index);
}

std::string short_class_text(const std::vector<Label>& labels, std::int64_t index) {
  const std::string text = class_text(labels, index);
  return text.substr(0, text.find(','));
}

std::string percent(double share) { return fmt::format("{:.2f} %", 100 * share); }

std::string answers_html(const std::vector<ScoredClass>& top, const std::vector<Label>& labels,
                         std::optional<std::int64_t> target) {
  std::string text = "<ol class=\"answers\">";
  for (const auto& [index, probability] : top) {
    const bool known = probability >= 0 && probability <= 1;  // another engine may not say
    text += fmt::format("<li{} style=\"--share:{:.1f}%\"><span>{}</span><span>{}</span></li>",
                        target == index ? " class=\"hit\"" : "", known ? 100 * probability : 0,
                        escaped(short_class_text(labels, index)), known ? fmt::format("{:.0f} %", 100 * probability) : "");
  }
  return text + "</ol>";
}

std::string gallery_html(const std::vector<Card>& cards, const DecodeOptions& options) {
  std::string text = "<div class=\"gallery\">\n";
  for (const auto& [path, heading, body] : cards) {
    text += fmt::format("<article class=\"card\">{}<div><h3>{}</h3>{}</div><p class=\"path\">{}</p></article>\n",
                        thumbnail_html(path, heading, options), escaped(heading), body, escaped(path));
  }
  return text + "</div>\n";
}

std::string origin_html(const ReportOrigin& origin, std::vector<std::pair<std::string, std::string>> facts,
                        const std::vector<std::string>& commands) {
  facts.insert(facts.begin(), {{"network", origin.model}, {"computed in", origin.precision}});
  if (!origin.provenance.empty()) append_facts(parse_json(origin.provenance, "provenance"), "", facts);
  for (const auto& line : split(version_text(), '\n')) {
    if (!line.empty()) facts.emplace_back("program", line);
  }
  std::string body = "<dl>\n";
  std::string_view before;
  for (const auto& [name, value] : facts) {
    body += fmt::format("<dt>{}</dt><dd>{}</dd>\n", name == before ? "" : escaped(name), escaped(value));
    before = name;
  }
  body += "</dl>\n<pre>";
  for (const auto& command : commands) body += escaped(command) + "\n";
  return section("Where this comes from", "", body + "</pre>\n");
}

}  // namespace alexnet::cli
