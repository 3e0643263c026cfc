#include "import/onnx_window.h"

#include "alexnet/error.h"

namespace alexnet {
namespace {

using Ints = std::vector<std::int64_t>;

OnnxNode pool(std::map<std::string, OnnxAttribute> attributes) {
  return {.name = "",
          .op_type = "MaxPool",
          .domain = "",
          .inputs = {},
          .outputs = {},
          .attributes = std::move(attributes),
          .metadata = {}};
}

TEST(OnnxWindow, ReadsEveryWayToSayThePadding) {
  const auto kernel = OnnxAttribute(Ints{3, 3});
  const auto text = [](const char* value) { return OnnxAttribute(std::string(value)); };
  const struct {
    std::string what;
    OnnxNode node;
    Extents input;
    Ints before;
    Ints after;
    Extents output;
  } cases[] = {
      {"nothing", pool({{"kernel_shape", kernel}}), {5, 6}, {0, 0}, {0, 0}, {3, 4}},
      {"pads", pool({{"kernel_shape", kernel}, {"pads", Ints{1, 0, 2, 1}}}), {5, 6}, {1, 0}, {2, 1}, {6, 5}},
      {"an explicit NOTSET", pool({{"kernel_shape", kernel}, {"auto_pad", text("NOTSET")}}), {5, 6}, {0, 0}, {0, 0}, {3, 4}},
      {"VALID",
       pool({{"kernel_shape", kernel}, {"auto_pad", text("VALID")}, {"strides", Ints{2, 2}}}),
       {6, 7},
       {0, 0},
       {0, 0},
       {2, 3}},
      {"SAME_UPPER", pool({{"kernel_shape", Ints{2, 4}}, {"auto_pad", text("SAME_UPPER")}}), {5, 6}, {0, 1}, {1, 2}, {5, 6}},
      {"SAME_LOWER", pool({{"kernel_shape", Ints{2, 4}}, {"auto_pad", text("SAME_LOWER")}}), {5, 6}, {1, 2}, {0, 1}, {5, 6}},
      {"SAME_UPPER with strides",
       pool({{"kernel_shape", kernel}, {"auto_pad", text("SAME_UPPER")}, {"strides", Ints{2, 3}}}),
       {6, 7},
       {0, 1},
       {1, 1},
       {3, 3}},
      {"SAME_UPPER with a stride beyond the kernel",
       pool({{"kernel_shape", Ints{1, 1}}, {"auto_pad", text("SAME_UPPER")}, {"strides", Ints{3, 3}}}),
       {6, 7},
       {0, 0},
       {0, 0},
       {2, 3}},
      {"SAME_LOWER with dilation",
       pool({{"kernel_shape", kernel}, {"auto_pad", text("SAME_LOWER")}, {"dilations", Ints{2, 1}}}),
       {5, 6},
       {2, 1},
       {2, 1},
       {5, 6}},
      {"ceil",
       pool({{"kernel_shape", kernel}, {"strides", Ints{2, 2}}, {"ceil_mode", std::int64_t{1}}}),
       {6, 8},
       {0, 0},
       {0, 0},
       {3, 4}},
      {"ceil, the last window in the padding",
       pool({{"kernel_shape", kernel}, {"strides", Ints{3, 3}}, {"pads", Ints{1, 1, 1, 1}}, {"ceil_mode", std::int64_t{1}}}),
       {2, 5},
       {1, 1},
       {1, 1},
       {1, 2}},
      {"three axes", pool({{"kernel_shape", Ints{5, 1, 1}}}), {9, 4, 4}, {0, 0, 0}, {0, 0, 0}, {5, 4, 4}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto window = window_of(c.node, c.input, {});
    EXPECT_EQ(window.before, c.before);
    EXPECT_EQ(window.after, c.after);
    EXPECT_EQ(sliding_extents(window, c.input), c.output);
  }
}

TEST(OnnxWindow, RefusesParametersOutOfRange) {
  const auto refusal = [](std::map<std::string, OnnxAttribute> attributes) -> std::string {
    attributes.emplace("kernel_shape", Ints{3, 3});
    try {
      sliding_extents(window_of(pool(std::move(attributes)), {4, 4}, {}), {4, 4});
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      return error.message();
    }
    return "accepted";
  };
  EXPECT_EQ(refusal({}), "accepted");
  EXPECT_EQ(refusal({{"kernel_shape", Ints{0, 3}}}), "kernel_shape is 0,3");
  EXPECT_EQ(refusal({{"kernel_shape", Ints{3}}}), "kernel_shape has 1 values, 2 are wanted");
  EXPECT_EQ(refusal({{"strides", Ints{-1, 1}}}), "strides is -1,1");
  EXPECT_EQ(refusal({{"dilations", Ints{1, INT64_MAX}}}), "dilations is 1,9223372036854775807");
  EXPECT_EQ(refusal({{"pads", Ints{1, 1}}}), "pads has 2 values, 4 are wanted");
  EXPECT_EQ(refusal({{"pads", Ints{1, 1, -1, 1}}}), "pads is 1,1,-1,1");
  EXPECT_EQ(refusal({{"auto_pad", std::string("BOTH")}}), "auto_pad is 'BOTH'");
  EXPECT_EQ(refusal({{"dilations", Ints{2, 2}}}), "the output vanishes: its window is larger than the padded input 4x4");
}

}  // namespace
}  // namespace alexnet
