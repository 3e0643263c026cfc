// The page of `compare --report`.
#pragma once

#include <string>
#include <vector>

#include "cli/comparison_text.h"
#include "cli/report_parts.h"
#include "formats/label_list.h"

namespace alexnet::cli {

std::string comparison_page(const ComparisonParts& parts, const std::vector<Label>& labels, const ReportOrigin& origin);

}  // namespace alexnet::cli
