#include "layers/relu.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Relu, IsWhatPyTorchComputes) { expect_reference_is_golden("relu"); }

}  // namespace
}  // namespace alexnet::test
