#include "layers/transpose.h"

#include <fmt/ranges.h>

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Transpose, IsWhatPyTorchComputes) { expect_reference_is_golden("transpose"); }

TEST(Transpose, RefusesWhatIsNoPermutation) {
  for (const auto& permutation :
       std::vector<std::vector<std::int64_t>>{{}, {1}, {1, 1}, {0, 1}, {1, 3}, {1, 2, 3}, {2, INT64_MIN}}) {
    EXPECT_EQ(refusal(Transpose{.permutation = permutation}, {Shape{2, 3, 4}}),
              fmt::format("permutation {} does not name each axis of the input 2x3x4 behind its batch once",
                          fmt::join(permutation, ",")));
  }
}

}  // namespace
}  // namespace alexnet::test
