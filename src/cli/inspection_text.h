// What `inspect` prints.
#pragma once

#include <optional>
#include <string>

#include "cli/terminal.h"
#include "model/model.h"
#include "tasks/golden.h"
#include "tasks/inspect.h"
#include "tasks/named_network.h"

namespace alexnet::cli {

struct InspectionParts {
  std::string name;
  const Model& model;
  Inspection inspection;
  bool tensors = false;
  std::optional<NamedNetwork> network = {};  // for its plan
  std::optional<GoldenCheck> check = {};
};

std::string inspection_text(const InspectionParts& parts, const Terminal& terminal);
std::string inspection_json(const InspectionParts& parts);

// "its logits for the golden picture differ by up to 1.2e-06, of 12.3; 1.2e-04 are allowed"
std::string check_text(const GoldenCheck& check);

}  // namespace alexnet::cli
