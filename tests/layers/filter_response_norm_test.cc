#include "layers/filter_response_norm.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(FilterResponseNorm, IsWhatItsFormulaGivesInPyTorch) { expect_reference_is_golden("filter_response_norm"); }

TEST(FilterResponseNorm, AsksForOnlyTheParametersItHas) {
  const Shape input{2, 3, 5, 7};
  const auto names = [&](const FilterResponseNorm& layer) {
    std::string text;
    for (const auto& parameter : parameters(layer, std::span(&input, 1))) {
      EXPECT_EQ(parameter.shape, Shape{3});
      text += fmt::format("{} ", parameter.name);
    }
    return text;
  };
  EXPECT_EQ(names({}), "threshold scale offset ");
  EXPECT_EQ(names({.learned_epsilon = true}), "epsilon threshold scale offset ");
  EXPECT_EQ(names({.threshold = false, .offset = false}), "scale ");
}

TEST(FilterResponseNorm, RefusesAnInputWithoutChannels) {
  EXPECT_EQ(refusal(FilterResponseNorm{}, {Shape{5}}), "wants an input with a channel axis, found 5");
}

}  // namespace
}  // namespace alexnet::test
