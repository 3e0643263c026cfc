// What TensorFlow itself computes for the layers that it defines.
#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

// TensorFlow has lrn in float32 alone: sums of up to 11 squares and a handful of operations, 2^-24 each.
TEST(TensorFlow, GivesWhatOurLayersCompute) {
  for (const auto& golden : golden_cases("tensorflow")) {
    SCOPED_TRACE(golden.name);
    expect_golden(golden, reference(golden.layer, golden.inputs, golden.parameters), 16 * 0x1p-24, 1e-12);
  }
}

}  // namespace
}  // namespace alexnet::test
