#include "import/onnx_fold.h"

#include <limits>

#include "alexnet/error.h"

namespace alexnet {
namespace {

using Ints = std::vector<std::int64_t>;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Tensor wholes(const Ints& values, const Shape& shape) { return Tensor::of<std::int64_t>(shape, values); }
Tensor row(const Ints& values) { return wholes(values, {std::ssize(values)}); }

struct Call {
  std::string op;
  std::vector<Tensor> operands = {};
  std::map<std::string, OnnxAttribute> attributes = {};
  std::int64_t opset = 17;
  std::size_t outputs = 1;
};

std::optional<std::vector<OnnxConstant>> run(const Call& c, std::uint64_t budget_bytes = 1 << 20) {
  OnnxNode node{.name = "", .op_type = c.op, .domain = "", .inputs = {}, .outputs = {}, .attributes = c.attributes, .metadata = {}};
  for (std::size_t i = 0; i < c.outputs; ++i) node.outputs.push_back(fmt::format("y{}", i));
  std::vector<OnnxConstant> constants;
  for (const auto& tensor : c.operands) constants.push_back({tensor, fmt::format("c{}", constants.size()), ""});
  std::vector<OnnxOperand> operands;
  for (const auto& constant : constants) {
    operands.push_back({&constant, extents_of(constant.tensor)});
    node.inputs.push_back(constant.source);
  }
  FoldBudget budget(budget_bytes);
  return fold({node, operands, c.opset, std::nullopt}, budget);
}

TEST(OnnxFold, ComputesTheArithmeticOfShapes) {
  const auto most = std::numeric_limits<std::int64_t>::max();
  const auto matrix = wholes({1, 2, 3, 4, 5, 6}, {2, 3});
  const struct {
    std::string what;
    Call call;
    Ints values;
    Shape shape;
  } cases[] = {
      {"Constant ints", {"Constant", {}, {{"value_ints", Ints{3, 4}}}}, {3, 4}, {2}},
      {"Constant int", {"Constant", {}, {{"value_int", std::int64_t{3}}}}, {3}, {}},
      {"ConstantOfShape", {"ConstantOfShape", {row({2, 2})}, {{"value", wholes({7}, {1})}}}, {7, 7, 7, 7}, {2, 2}},
      {"Shape", {"Shape", {matrix}}, {2, 3}, {2}},
      {"Shape, the last", {"Shape", {matrix}, {{"start", std::int64_t{-1}}}}, {3}, {1}},
      {"Shape, backwards is nothing", {"Shape", {matrix}, {{"start", std::int64_t{1}}, {"end", std::int64_t{0}}}}, {}, {0}},
      {"Size", {"Size", {matrix}}, {6}, {}},
      {"Gather an element", {"Gather", {row({4, 5, 6}), wholes({-1}, {})}}, {6}, {}},
      {"Gather columns", {"Gather", {matrix, row({2, 0})}, {{"axis", std::int64_t{1}}}}, {3, 1, 6, 4}, {2, 2}},
      {"Gather rows", {"Gather", {matrix, row({1})}}, {4, 5, 6}, {1, 3}},
      {"Unsqueeze by input", {"Unsqueeze", {row({1, 2}), row({0, -1})}}, {1, 2}, {1, 2, 1}},
      {"Unsqueeze by attribute", {"Unsqueeze", {row({1, 2})}, {{"axes", Ints{1}}}, 11}, {1, 2}, {2, 1}},
      {"Squeeze all", {"Squeeze", {wholes({1, 2}, {1, 2, 1})}}, {1, 2}, {2}},
      {"Squeeze one", {"Squeeze", {wholes({1, 2}, {1, 2, 1}), row({-1})}}, {1, 2}, {1, 2}},
      {"Concat", {"Concat", {row({1}), row({}), row({2, 3})}, {{"axis", std::int64_t{0}}}}, {1, 2, 3}, {3}},
      {"Concat columns", {"Concat", {matrix, matrix}, {{"axis", std::int64_t{-1}}}}, {1, 2, 3, 1, 2, 3, 4, 5, 6, 4, 5, 6}, {2, 6}},
      {"Reshape", {"Reshape", {matrix, row({-1, 2})}}, {1, 2, 3, 4, 5, 6}, {3, 2}},
      {"Reshape keeping", {"Reshape", {matrix, row({0, 3, 1})}}, {1, 2, 3, 4, 5, 6}, {2, 3, 1}},
      {"Slice", {"Slice", {row({1, 2, 3, 4}), row({1}), row({3})}}, {2, 3}, {2}},
      {"Slice beyond", {"Slice", {row({1, 2, 3, 4}), row({-9}), row({most})}}, {1, 2, 3, 4}, {4}},
      {"Slice backwards", {"Slice", {matrix, row({-1}), row({-most}), row({0}), row({-1})}}, {4, 5, 6, 1, 2, 3}, {2, 3}},
      {"Slice by twos backwards", {"Slice", {row({1, 2, 3, 4, 5}), row({3}), row({0}), row({0}), row({-2})}}, {4, 2}, {2}},
      {"Slice to nothing", {"Slice", {row({1, 2}), row({2}), row({1})}}, {}, {0}},
      {"Slice by attributes",
       {"Slice", {matrix}, {{"starts", Ints{1}}, {"ends", Ints{3}}, {"axes", Ints{1}}}, 9},
       {2, 3, 5, 6},
       {2, 2}},
      {"Transpose", {"Transpose", {matrix}}, {1, 4, 2, 5, 3, 6}, {3, 2}},
      {"Transpose as said", {"Transpose", {matrix}, {{"perm", Ints{0, 1}}}}, {1, 2, 3, 4, 5, 6}, {2, 3}},
      {"Flatten", {"Flatten", {matrix}, {{"axis", std::int64_t{0}}}}, {1, 2, 3, 4, 5, 6}, {1, 6}},
      {"Cast", {"Cast", {Tensor::of<float>({2}, std::vector<float>{1.9f, -1.9f})}, {{"to", std::int64_t{7}}}}, {1, -1}, {2}},
      {"Add", {"Add", {matrix, row({10, 20, 30})}}, {11, 22, 33, 14, 25, 36}, {2, 3}},
      {"Sub", {"Sub", {row({5}), row({7})}}, {-2}, {1}},
      {"Mul both ways", {"Mul", {wholes({2, 3}, {2, 1}), row({5, 7})}}, {10, 14, 15, 21}, {2, 2}},
      {"Div towards zero", {"Div", {row({7, -7}), row({2})}}, {3, -3}, {2}},
      {"Identity", {"Identity", {row({4})}}, {4}, {1}},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    const auto folded = run(c.call);
    ASSERT_TRUE(folded);
    EXPECT_EQ(to_string((*folded)[0].tensor.shape()), to_string(c.shape));
    EXPECT_THAT((*folded)[0].tensor.values<std::int64_t>(), testing::ElementsAreArray(c.values));
  }
}

TEST(OnnxFold, DecidesConditions) {
  const auto folded = run({"Equal", {row({1, 2}), wholes({1}, {})}});
  ASSERT_TRUE(folded);
  EXPECT_EQ((*folded)[0].tensor.type(), ElementType::boolean);
  EXPECT_THAT((*folded)[0].tensor.bytes(), ElementsAre(std::byte{1}, std::byte{0}));
}

TEST(OnnxFold, SplitsAndComputesWithFloats) {
  const auto parts = run({"Split", {row({1, 2, 3})}, {}, 18, 2});
  ASSERT_TRUE(parts);
  EXPECT_THAT((*parts)[0].tensor.values<std::int64_t>(), ElementsAre(1, 2));
  EXPECT_THAT((*parts)[1].tensor.values<std::int64_t>(), ElementsAre(3));
  const auto power = run({"Pow", {Tensor::of<float>({2}, std::vector<float>{2, 3}), Tensor::of<float>({}, std::vector<float>{2})}});
  ASSERT_TRUE(power);
  EXPECT_THAT((*power)[0].tensor.values<float>(), ElementsAre(4, 9));
}

TEST(OnnxFold, DoesNotKnowWhatDependsOnAFreeBatch) {
  EXPECT_FALSE(run({"Mul", {row({kBatch}), row({2})}}));
  EXPECT_FALSE(run({"Equal", {row({kBatch}), row({1})}}));
  EXPECT_FALSE(run({"ConstantOfShape", {row({kBatch})}}));
  const auto moved = run({"Concat", {row({kBatch}), row({-1})}, {{"axis", std::int64_t{0}}}});
  ASSERT_TRUE(moved);
  EXPECT_THAT((*moved)[0].tensor.values<std::int64_t>(), ElementsAre(kBatch, -1));
}

TEST(OnnxFold, RemembersWhereAWeightComesFrom) {
  const Tensor weight = Tensor::zeros({2, 3});
  const auto turned = run({"Transpose", {weight}});
  ASSERT_TRUE(turned);
  EXPECT_EQ((*turned)[0].source, "c0");
  EXPECT_EQ((*turned)[0].done, "transposed");
  EXPECT_EQ((*run({"Concat", {weight, weight}, {{"axis", std::int64_t{0}}}}))[0].source, "c0 + c1");
}

TEST(OnnxFold, RefusesCallsAgainstTheRules) {
  const auto most = std::numeric_limits<std::int64_t>::max();
  const auto least = std::numeric_limits<std::int64_t>::min();
  const auto matrix = wholes({1, 2, 3, 4, 5, 6}, {2, 3});
  const struct {
    std::string what;
    Call call;
    std::string message;
  } cases[] = {
      {"nothing in Constant", {"Constant", {}}, "holds no value of a kind that is read"},
      {"a negative shape", {"ConstantOfShape", {row({-1})}}, "makes the impossible shape -1"},
      {"a shape beyond all memory",
       {"ConstantOfShape", {row({1 << 20, 1 << 20})}},
       "makes larger constants than a network of this size needs"},
      {"an element that is not there", {"Gather", {row({1}), row({1})}}, "takes element 1 of 1"},
      {"an axis that is not there", {"Gather", {matrix, row({0})}, {{"axis", std::int64_t{2}}}}, "axis 2 of a tensor with 2 axes"},
      {"two open extents", {"Reshape", {matrix, row({-1, -1})}}, "leaves more than one extent open"},
      {"an extent that does not divide", {"Reshape", {matrix, row({-1, 4})}}, "can't make -1x4 of 2x3"},
      {"open among zeros",
       {"Reshape",
        {
            wholes({}, {0, 3}),
            row({-1, 0}),
        },
        {{"allowzero", std::int64_t{1}}}},
       "can't make -1x0 of 0x3"},
      {"an extent of -2", {"Reshape", {matrix, row({-2, 3})}}, "wants the extent -2"},
      {"nine axes", {"Reshape", {matrix, row({1, 1, 1, 1, 1, 1, 1, 2, 3})}}, "makes 9 axes, more than 8"},
      {"an overflowing extent", {"Reshape", {matrix, row({most, most})}}, "has the impossible shape"},
      {"squeezing a wide axis", {"Squeeze", {matrix, row({0})}}, "removes axis 0 of 2x3, whose extent is not 1"},
      {"unsqueezing twice", {"Unsqueeze", {matrix, row({0, 0})}}, "adds an axis twice"},
      {"a step of 0", {"Slice", {matrix, row({0}), row({1}), row({0}), row({0})}}, "has a step of 0"},
      {"slices of unequal lengths", {"Slice", {matrix, row({0, 1}), row({1})}}, "are not equally many"},
      {"slicing an axis twice", {"Slice", {matrix, row({0, 0}), row({1, 1}), row({0, -2})}}, "names axis 0 twice"},
      {"no permutation", {"Transpose", {matrix}, {{"perm", Ints{0, 0}}}}, "does not name each of 2 axes once"},
      {"parts that do not add up", {"Split", {row({1, 2, 3}), row({1, 1})}, {}, 17, 2}, "splits into parts that do not add up"},
      {"unequal parts before they were allowed", {"Split", {row({1, 2, 3})}, {}, 17, 2}, "splits 3 into 2 equal parts"},
      {"joining different ranks", {"Concat", {matrix, row({1})}, {{"axis", std::int64_t{0}}}}, "joins 2x3 and 1 along axis 0"},
      {"adding what does not fit", {"Add", {row({1, 2}), row({1, 2, 3})}}, "combines 2 and 3, which do not fit"},
      {"an overflow", {"Mul", {row({most}), row({2})}}, "has no whole number as its result for 9223372036854775807 and 2"},
      {"the least number negated", {"Div", {row({least}), row({-1})}}, "has no whole number as its result"},
      {"a division by zero", {"Div", {row({1}), row({0})}}, "has no whole number as its result for 1 and 0"},
      {"a cast of infinity",
       {"Cast", {Tensor::of<float>({1}, std::vector<float>{std::numeric_limits<float>::infinity()})}, {{"to", std::int64_t{7}}}},
       "casts a number that is too large"},
      {"a cast to text", {"Cast", {matrix}, {{"to", std::int64_t{8}}}}, "casts to STRING, which is not supported"},
  };
  for (const auto& c : cases) {
    SCOPED_TRACE(c.what);
    try {
      run(c.call);
      ADD_FAILURE() << "accepted";
    } catch (const Error& error) {
      EXPECT_EQ(error.kind(), ErrorKind::model);
      EXPECT_THAT(error.message(), HasSubstr(c.message));
    }
  }
}

}  // namespace
}  // namespace alexnet
