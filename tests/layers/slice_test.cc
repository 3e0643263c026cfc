#include "layers/slice.h"

#include "tests/layers/golden.h"

namespace alexnet::test {
namespace {

TEST(Slice, IsWhatNumPyComputes) { expect_reference_is_golden("slice"); }

TEST(Slice, RefusesElementsThatAreNotThere) {
  const Shape in{1, 5};
  EXPECT_EQ(refusal(Slice{.axis = 1, .begin = 3, .count = 3}, {in}),
            "takes 3 elements from 3 on in steps of 1, axis 1 of 1x5 has 5");
  EXPECT_EQ(refusal(Slice{.axis = 1, .begin = -1, .count = 1}, {in}),
            "takes 1 elements from -1 on in steps of 1, axis 1 of 1x5 has 5");
  EXPECT_EQ(refusal(Slice{.axis = 1, .begin = 1, .count = 3, .step = -1}, {in}),
            "takes 3 elements from 1 on in steps of -1, axis 1 of 1x5 has 5");
  EXPECT_EQ(refusal(Slice{.axis = 1, .begin = 0, .count = 2, .step = 0}, {in}),
            "takes 2 elements from 0 on in steps of 0, axis 1 of 1x5 has 5");
  EXPECT_EQ(refusal(Slice{.axis = 1, .begin = 1, .count = 3, .step = INT64_MAX}, {in}),
            "takes 3 elements from 1 on in steps of 9223372036854775807, axis 1 of 1x5 has 5");
  EXPECT_EQ(refusal(Slice{.axis = 1}, {in}), "count is 0, must be at least 1");
  EXPECT_EQ(refusal(Slice{.axis = 2, .count = 1}, {in}), "axis is 2, the input 1x5 has the axes 1 to 1 behind its batch");
}

}  // namespace
}  // namespace alexnet::test
