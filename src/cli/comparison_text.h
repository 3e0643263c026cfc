// A comparison as people and as programs read it.
#pragma once

#include <optional>
#include <string>

#include "cli/terminal.h"
#include "tasks/compare.h"
#include "tasks/diagnose.h"

namespace alexnet::cli {

struct ComparisonParts {
  std::string model;      // as messages call it
  std::string reference;  // the file
  const Comparison& comparison;
  const std::optional<Diagnosis>& diagnosis;  // if it was asked for
};

std::string comparison_text(const ComparisonParts& parts, const Terminal& terminal);
std::string comparison_json(const ComparisonParts& parts);

// Which layers are past their tolerance, in one sentence.
std::string disagreement_text(const Comparison& comparison);

}  // namespace alexnet::cli
