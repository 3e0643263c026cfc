// The page of `evaluate --report`.
#pragma once

#include <string>

#include "cli/evaluation_text.h"
#include "cli/report_parts.h"

namespace alexnet::cli {

std::string evaluation_page(const EvaluationParts& parts, const ReportOrigin& origin);

// Parts of it, as figures.
std::string reliability_html(const Evaluation& evaluation);
std::string class_accuracy_html(const EvaluationParts& parts);
// Who is taken for whom, with groups of classes that are confused with each other.
std::string heat_map_html(const EvaluationParts& parts);

}  // namespace alexnet::cli
