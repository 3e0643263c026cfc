#include <fmt/format.h>

#include "base/text.h"
#include "passes/edit.h"
#include "passes/passes.h"

namespace alexnet {

Optimised drop_dropout(Optimised in, std::span<const std::string>) {
  std::vector<std::string> names;
  for (const auto& node : in.model.graph.nodes) {
    if (std::holds_alternative<Dropout>(node.layer)) names.push_back(node.name);
  }
  for (const auto& name : names) {
    bypass(in, name);
    in.notes.push_back(fmt::format("dropped dropout {}", shown(name)));
  }
  return in;
}

}  // namespace alexnet
