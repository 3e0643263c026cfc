#include "cli/diagnosis_report.h"

#include <fmt/format.h>

#include "base/text.h"
#include "cli/diagnosis_text.h"
#include "cli/html.h"

namespace alexnet::cli {
namespace {

std::string cause_html(const Cause& cause) {
  std::string changes;
  for (const auto& advice : cause.advice) changes += escaped(advice) + "\n";
  return fmt::format("<p class=\"finding\"><strong>{}</strong>: the reference {}</p>\n<pre>{}</pre>\n", escaped(place_text(cause)),
                     escaped(cause.finding), changes);
}

std::string finding_html(const Finding& finding) {
  std::string causes;
  for (std::size_t i = 0; i < finding.explanations.size(); ++i) {
    if (i > 0) causes += "<p class=\"finding\">or, which this network and these pictures can't tell apart:</p>\n";
    for (const auto& cause : finding.explanations[i].causes) causes += cause_html(cause);
  }
  return figure(fmt::format("Largest relative error in {}: {} \u2192 {}", join(finding.layers, ", "), residual_text(finding.before),
                            residual_text(finding.after)),
                causes);
}

}  // namespace

std::string diagnosis_html(const Diagnosis& diagnosis) {
  if (diagnosis.nothing_wrong()) return section("Diagnosis", "Nothing is wrong.", "");
  std::string body;
  for (const auto& finding : diagnosis.findings) body += finding_html(finding);
  if (!diagnosis.unexplained.empty()) {
    body += fmt::format("<p class=\"note\"><strong>{}</strong>: not one of the usual suspects, alone or in pairs.</p>\n",
                        escaped(join(diagnosis.unexplained, ", ")));
  }
  return section("Diagnosis",
                 "What was tried and made the difference vanish, each with what to change: an option of <strong>alexnet "
                 "convert</strong>, or a key and its value in the model's graph or preprocessing.",
                 "<div class=\"findings\">\n" + body + "</div>\n");
}

}  // namespace alexnet::cli
