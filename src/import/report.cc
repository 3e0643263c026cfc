#include "import/report.h"

#include <algorithm>

#include <fmt/format.h>

#include "base/text.h"

namespace alexnet {

void warn_of_odd_weights(Imported& imported) {
  for (const auto& node : imported.model.graph.nodes) {
    if (!std::holds_alternative<Convolution>(node.layer)) continue;
    const auto weight = imported.model.weights.find(node.name + ".weight");
    if (weight == imported.model.weights.end()) return;
    const Tensor values = widened(weight->second);
    if (std::ranges::all_of(values.values<float>(), [](float value) { return value == 0; })) {
      imported.warnings.push_back(fmt::format("all weights of layer {} are 0", shown(node.name)));
    }
    return;
  }
}

}  // namespace alexnet
