#include "cli/diagnosis_text.h"

#include <cmath>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "base/text.h"

namespace alexnet::cli {
namespace {

std::string line(int indent, const std::string& text, const Terminal& terminal) {
  return fmt::format("{:{}}{}\n", "", indent, wrapped(printable(text), terminal.columns, indent + 2));
}

std::string cause_text(const Cause& cause, const Terminal& terminal) {
  std::string text = line(4, fmt::format("{}: the reference {}", place_text(cause), cause.finding), terminal);
  for (const auto& advice : cause.advice) text += line(6, "change: " + advice, terminal);
  return text;
}

std::string finding_text(const Finding& finding, const Terminal& terminal) {
  std::string text;
  for (std::size_t i = 0; i < finding.explanations.size(); ++i) {
    if (i > 0) text += line(2, "or, which this network and these pictures can't tell apart:", terminal);
    for (const auto& cause : finding.explanations[i].causes) text += cause_text(cause, terminal);
  }
  return text + line(4,
                     fmt::format("the largest relative error in {} goes from {} to {}", join(finding.layers, ", "),
                                 residual_text(finding.before), residual_text(finding.after)),
                     terminal);
}

}  // namespace

std::string place_text(const Cause& cause) { return cause.layers.empty() ? "preprocessing" : join(cause.layers, ", "); }

std::string residual_text(double value) { return std::isfinite(value) ? fmt::format("{:.1e}", value) : "another shape"; }

std::string diagnosis_text(const Diagnosis& diagnosis, const Terminal& terminal) {
  std::string text = "\n" + styled("Diagnosis", Style::bold, terminal.color) + "\n";
  if (diagnosis.nothing_wrong()) return text + "  Nothing is wrong.\n";
  for (std::size_t i = 0; i < diagnosis.findings.size(); ++i) {
    text += fmt::format("  {}.\n", i + 1) + finding_text(diagnosis.findings[i], terminal);
  }
  if (!diagnosis.unexplained.empty()) {
    text += line(2,
                 fmt::format("{}: not one of the usual suspects (docs/compare.md lists them), alone or in pairs",
                             join(diagnosis.unexplained, ", ")),
                 terminal);
  }
  return text;
}

Json diagnosis_json(const Diagnosis& diagnosis) {
  const auto finite = [](double value) { return std::isfinite(value) ? Json(value) : Json(); };
  Json findings = Json::array();
  for (const auto& finding : diagnosis.findings) {
    Json explanations = Json::array();
    for (const auto& explanation : finding.explanations) {
      Json causes = Json::array();
      for (const auto& cause : explanation.causes) {
        causes.push_back({{"suspect", cause.suspect},
                          {"variant", cause.variant},
                          {"layers", cause.layers},
                          {"finding", cause.finding},
                          {"change", cause.advice}});
      }
      explanations.push_back(std::move(causes));
    }
    findings.push_back({{"layers", finding.layers},
                        {"relative_before", finite(finding.before)},
                        {"relative_after", finite(finding.after)},
                        {"explanations", std::move(explanations)}});
  }
  return {{"nothing_wrong", diagnosis.nothing_wrong()}, {"findings", std::move(findings)}, {"unexplained", diagnosis.unexplained}};
}

}  // namespace alexnet::cli
