#include "import/parameter_names.h"

#include <algorithm>
#include <array>

namespace alexnet {
namespace {

struct Spellings {
  std::string_view ours;
  std::array<std::string_view, 5> theirs;
};

// docs/checkpoints.md has the table.
constexpr std::array<Spellings, 11> kSpellings{{
    {"weight", {"weight", "kernel", "w"}},
    {"bias", {"bias", "b"}},
    {"scale", {"weight", "gamma", "scale"}},
    {"offset", {"bias", "beta", "offset"}},
    {"mean", {"running_mean", "moving_mean", "mean"}},
    {"variance", {"running_var", "moving_variance", "variance", "var"}},
    {"moment", {"running_var", "running_moment", "moment"}},
    {"mean_weight", {"mean_weight"}},
    {"variance_weight", {"var_weight", "variance_weight"}},
    {"epsilon", {"eps", "epsilon"}},
    {"threshold", {"tau", "threshold"}},
}};

}  // namespace

std::span<const std::string_view> spellings(std::string_view ours) {
  const auto found = std::ranges::find(kSpellings, ours, &Spellings::ours);
  if (found == kSpellings.end()) return {};
  const auto end = std::ranges::find(found->theirs, std::string_view());
  return {found->theirs.begin(), end};
}

const SourceParameter* find_spelled(std::span<const SourceLayer* const> layers, std::string_view ours) {
  for (const auto spelling : spellings(ours)) {
    for (const auto* layer : layers) {
      if (const auto* found = find(*layer, spelling); found != nullptr) return found;
    }
  }
  return nullptr;
}

}  // namespace alexnet
