// What `evaluate` prints (docs/evaluate.md).
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "cli/terminal.h"
#include "formats/label_list.h"
#include "tasks/agreement.h"
#include "tasks/evaluate.h"
#include "tasks/statistics.h"

namespace alexnet::cli {

struct EvaluationParts {
  std::string model;
  std::string set;
  std::string precision;
  int crops = 1;
  const std::vector<Label>& labels;
  const Evaluation& evaluation;
  bool whole = true;  // false: ended early
  std::string against = {};
  const Agreement* agreement = nullptr;  // with `against`
};

std::string evaluation_text(const EvaluationParts& parts, const Terminal& terminal);
std::string evaluation_json(const EvaluationParts& parts);

// "p = 0.013 (chi-squared with continuity correction)"
std::string p_value_text(const McNemar& test);

}  // namespace alexnet::cli
