#include "tasks/calibrate.h"

#include <nlohmann/json.hpp>

#include "alexnet/error.h"
#include "runtime/instruction_set.h"
#include "tests/pictures.h"
#include "tests/support.h"
#include "tests/tiny_model.h"

namespace alexnet {
namespace {

class Calibrate : public testing::Test {
 protected:
  // Six pictures, and one that can't be used.
  void SetUp() override {
    for (int i = 0; i < 6; ++i) folder_.write(fmt::format("{}.ppm", i), test::noise_ppm(40 + i, 50 - i, static_cast<unsigned>(i)));
    folder_.write("broken.ppm", "P6\n50");
  }

  Model model_ = test::tiny_model();
  const test::TemporaryFolder folder_;
};

TEST_F(Calibrate, MeasuresARangeForEveryTensor) {
  const Ranges ranges = measured_ranges(model_, {folder_.path().string()}, {.compile = {.threads = 2}});
  EXPECT_EQ(ranges.pictures, 6);
  EXPECT_EQ(ranges.tensors.size(), model_.graph.nodes.size() + 1);
  check(ranges, model_.graph);
  for (const Node& node : model_.graph.nodes) {
    const Range& range = ranges.tensors.at(node.name);
    EXPECT_LE(range.lowest, 0) << node.name;
    EXPECT_GT(range.highest, 0) << node.name;
    if (!std::holds_alternative<Relu>(node.layer)) continue;
    EXPECT_EQ(range.lowest, 0) << node.name;
  }
}

TEST_F(Calibrate, WritesWhatInt8NeedsAndWhatItCosts) {
  calibrate(model_, folder_.path(), {.compile = {.threads = 2}});
  EXPECT_EQ(compile(model_, {.precision = Precision::int8})->plan().precision, "int8");
  const Accuracy accuracy = accuracy_from_json(parse_json(model_.accuracy, ""));
  EXPECT_EQ(accuracy.pictures, 6);
  EXPECT_THAT(accuracy.data, testing::HasSubstr("which do not say what they show: f32's answers count as right"));
  EXPECT_EQ(accuracy.precisions.at("f32").top1, 100) << "by definition";
  const TopShares& int8 = accuracy.precisions.at("int8");
  EXPECT_EQ(int8.better, 0) << "f32 can't be bettered";
  EXPECT_NEAR(int8.top1, 100.0 - 100.0 * static_cast<double>(*int8.worse) / 6, 1e-9);
  EXPECT_EQ(accuracy.precisions.contains("bf16"), instruction_set().simd >= SimdLevel::avx512);
}

TEST_F(Calibrate, CountsByFoldersWhereTheyNameClasses) {
  const test::TemporaryFolder folder;
  for (const auto* target : {"0", "3"}) {
    std::filesystem::create_directory(folder.path() / target);
    for (int i = 0; i < 2; ++i)
      folder.write(fmt::format("{}/{}.ppm", target, i), test::noise_ppm(40, 40, static_cast<unsigned>(i)));
  }
  const auto pictures = labelled_pictures(folder.path(), model_.labels);
  ASSERT_TRUE(pictures.has_value());
  ASSERT_EQ(pictures->size(), 4u);
  EXPECT_EQ(pictures->front().target, 0u);
  EXPECT_EQ(pictures->back().target, 3u);
  EXPECT_EQ(labelled_pictures(folder_.path(), model_.labels), std::nullopt);
}

TEST_F(Calibrate, NeedsAPicture) {
  const test::TemporaryFolder empty;
  EXPECT_THROW(calibrate(model_, empty.path(), {}), Error);
}

}  // namespace
}  // namespace alexnet
