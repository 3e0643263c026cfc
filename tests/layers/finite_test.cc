// Finite in, finite out: whatever |x| <= 1e4 holds, as long as k and epsilon are positive.
#include <cmath>

#include "tests/layers/finite_cases.h"
#include "tests/support.h"

namespace alexnet::test {
namespace {

TEST(Normalisations, AreFiniteForAllFiniteInputs) {
  std::size_t checked = 0;
  for (const auto& layer : normalisations()) {
    for (const auto& input : finite_inputs()) {
      const auto y = reference(layer, std::span(&input, 1), finite_parameters(layer, input.shape()));
      EXPECT_THAT(y.values<float>(), testing::Each(testing::Truly([](float value) { return std::isfinite(value); })))
          << to_string(input.shape()) << " through " << kind(layer);
      ++checked;
    }
  }
  EXPECT_EQ(checked, normalisations().size() * 27);
}

}  // namespace
}  // namespace alexnet::test
