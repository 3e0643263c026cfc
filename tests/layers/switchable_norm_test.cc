#include "layers/switchable_norm.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(SwitchableNorm, IsWhatItsAuthorsCodeComputes) { expect_reference_is_golden("switchable_norm"); }

TEST(SwitchableNorm, CouplesItsBatchOnlyByStatisticsOfTheBatch) {
  EXPECT_TRUE(batch_coupled(SwitchableNorm{.batch_part = BatchPart::of_batch}));
  EXPECT_FALSE(batch_coupled(SwitchableNorm{.batch_part = BatchPart::stored}));
  EXPECT_FALSE(batch_coupled(SwitchableNorm{.batch_part = BatchPart::none}));
}

TEST(SwitchableNorm, RefusesWhatMakesNoSense) {
  EXPECT_EQ(refusal(SwitchableNorm{}, {Shape{2, 5}}), "wants an input of maps, NxCx..., found 2x5");
  EXPECT_EQ(refusal(SwitchableNorm{.epsilon = -1}, {Shape{1, 5, 2}}), "epsilon is -1, must not be negative");
}

}  // namespace
}  // namespace alexnet::test
