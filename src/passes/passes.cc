#include "passes/passes.h"

#include <array>
#include <utility>

namespace alexnet {
namespace {

// Dropouts go first: what stands behind one is then behind its input.
constexpr std::array<NamedPass, 2> kPasses{{
    {"drop_dropout", drop_dropout},
    {"fold_affine", fold_affine},
}};

}  // namespace

std::span<const NamedPass> passes() { return kPasses; }

const std::string& Optimised::resolved(const std::string& name) const {
  const auto found = aliases.find(name);
  return found == aliases.end() ? name : found->second;
}

Optimised optimised(Model model, std::span<const std::string> keep) {
  Optimised result{.model = std::move(model), .aliases = {}, .notes = {}};
  for (const auto& pass : passes()) result = pass.run(std::move(result), keep);
  return result;
}

}  // namespace alexnet
