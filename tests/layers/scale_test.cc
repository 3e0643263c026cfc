#include "layers/scale.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Scale, IsAProduct) { expect_reference_is_golden("scale"); }

}  // namespace
}  // namespace alexnet::test
