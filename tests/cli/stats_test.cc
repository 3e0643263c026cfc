// stats, and show of layers and weights, as a user and a script see them.
#include <nlohmann/json.hpp>

#include "formats/npz.h"
#include "image/decode.h"
#include "model/model_file.h"
#include "tasks/prepare.h"
#include "tests/cli/fixture.h"

namespace alexnet {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

class StatsVerb : public test::CommandTest {};

TEST_F(StatsVerb, PrintsARowForEachChannel) {
  write_pictures(4);
  const auto result = alexnet({"stats", "--images", "in", "--layer", "data,fc4"});
  EXPECT_EQ(result.exit_code, 0) << result;
  EXPECT_THAT(result.out, StartsWith("layer  channel"));
  EXPECT_EQ(std::ranges::count(result.out, '\n'), 1 + 4 + 11);
  EXPECT_EQ(alexnet({"stats", "--images", "in", "--layer", "data,fc4", "--threads", "1", "--batch", "1"}).out, result.out);
}

TEST_F(StatsVerb, GivesTheSameNumbersAsJsonAndArrays) {
  write_pictures(3);
  const Json json = Json::parse(alexnet({"stats", "--images", "in", "--layer", "conv1", "-f", "json"}).out);
  EXPECT_EQ(json["pictures"], 3);
  EXPECT_EQ(json["layers"]["conv1"]["shape"], Json({16, 14, 14}));
  EXPECT_EQ(json["layers"]["conv1"]["count"], 3 * 14 * 14);
  EXPECT_EQ(alexnet({"stats", "--images", "in", "--layer", "conv1", "-f", "npz", "-o", "s.npz"}).exit_code, 0);
  for (const auto& [name, tensor] : read_npz(path("s.npz"))) {
    if (name == "conv1.count") continue;
    const Json& values = json["layers"]["conv1"][name == "conv1.mean" ? "mean" : "variance"];
    ASSERT_EQ(tensor.values<double>().size(), 16u);
    for (std::size_t c = 0; c < 16; ++c) EXPECT_EQ(values[c].get<double>(), tensor.values<double>()[c]) << name << " " << c;
  }
}

TEST_F(StatsVerb, ReportsPicturesThatCantBeUsed) {
  write_pictures(2);
  folder_.write("in/broken.jpg", "no picture");
  const auto result = alexnet({"stats", "--images", "in", "--layer", "conv1", "-f", "json"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.err, HasSubstr("in/broken.jpg"));
  EXPECT_EQ(Json::parse(result.out)["pictures"], 2);
}

TEST_F(StatsVerb, WritesAModelWithNewStatistics) {
  write_pictures(3);
  Model model = test::tiny_model();
  for (auto& node : model.graph.nodes) {
    if (node.name == "norm1") node.layer = BatchStatisticsNorm{};
  }
  for (const char* name : {"norm1.scale", "norm1.offset"}) {
    Tensor values = Tensor::zeros({16});
    for (float& value : values.mutable_values<float>()) value = 1;
    model.weights[name] = Weight::of(values);
  }
  write_model(model, path("coupled.safetensors"));
  const auto refused = alexnet({"classify", "-m", "coupled.safetensors", "in"});
  EXPECT_EQ(refused.exit_code, 3);
  EXPECT_THAT(refused.err,
              HasSubstr("layer 'norm1': takes its statistics from the batch, so that a picture has no result of its own "
                        "(alexnet stats --recalibrate stores statistics in a model; alexnet run takes a batch as a whole)"));
  const auto result =
      alexnet({"stats", "--images", "in", "-m", "coupled.safetensors", "--recalibrate", "-o", "stored.safetensors"});
  EXPECT_EQ(result.exit_code, 0) << result;
  EXPECT_THAT(result.err, HasSubstr("stored.safetensors: statistics of 3 pictures for norm1"));
  EXPECT_EQ(alexnet({"classify", "-m", "stored.safetensors", "in"}).exit_code, 0);
  // What the layer then makes is standardised, but for its scale and offset of one and its epsilon.
  const Json json =
      Json::parse(alexnet({"stats", "--images", "in", "-m", "stored.safetensors", "--layer", "norm1", "-f", "json"}).out);
  for (std::size_t c = 0; c < 16; ++c) {
    EXPECT_NEAR(json["layers"]["norm1"]["mean"][c].get<double>(), 1, 1e-5);
    EXPECT_NEAR(json["layers"]["norm1"]["variance"][c].get<double>(), 1, 1e-3);
  }
}

TEST_F(StatsVerb, WritesAWhiteningMatrix) {
  write_pictures(3);
  EXPECT_EQ(alexnet({"stats", "--images", "in", "--zca", "pixels", "-o", "w.npz"}).exit_code, 0);
  const auto arrays = read_npz(path("w.npz"));
  ASSERT_EQ(arrays.size(), 2u);
  EXPECT_EQ(arrays[0].name, "zca.matrix");
  EXPECT_EQ(to_string(arrays[0].tensor.shape()), "3x3");
  EXPECT_EQ(to_string(arrays[1].tensor.shape()), "3");
  const auto pictures = alexnet({"stats", "--images", "in", "--zca", "pictures", "-o", "w.npz"});
  EXPECT_EQ(pictures.exit_code, 3) << "fewer pictures than values";
  EXPECT_THAT(pictures.err, HasSubstr("add an epsilon"));
}

TEST_F(StatsVerb, SaysWhatIsMissing) {
  write_pictures(1);
  const struct {
    std::vector<std::string> arguments;
    std::string message;
  } cases[] = {
      {{"--layer", "conv1"}, "alexnet: --images: is needed (the pictures to measure on: --images DIR, a file, or @LIST)\n"},
      {{"--images", "in"}, "alexnet: --layer: is needed (name layers as alexnet inspect lists them: --layer data,conv1)\n"},
      {{"--images", "in", "--layer", "conv3"}, "alexnet: --layer: the network has no layer 'conv3' (did you mean conv1?)\n"},
      {{"--images", "in", "--recalibrate"}, "alexnet: --output: --recalibrate needs a file (give it with -o FILE)\n"},
      {{"--images", "-", "--recalibrate", "-o", "m"},
       "alexnet: --images: '-' can be read once only (give files, folders or @LIST)\n"},
      {{"--images", "in", "--zca", "pixels", "--epsilon", "-1", "-o", "m"},
       "alexnet: --epsilon: '-1' is not allowed (allowed: a number from 0)\n"},
  };
  for (const auto& c : cases) {
    std::vector<std::string> arguments{"stats"};
    arguments.insert(arguments.end(), c.arguments.begin(), c.arguments.end());
    const auto result = alexnet(arguments);
    EXPECT_EQ(result.exit_code, 2) << result;
    EXPECT_EQ(result.err, c.message);
  }
}

TEST_F(StatsVerb, ShowWritesMapsAndFilters) {
  write_pictures(1);
  for (const std::vector<std::string>& what : {std::vector<std::string>{"norm1", "--image", "in/00.ppm"}, {"conv1.weight"}}) {
    std::vector<std::string> arguments{"show"};
    arguments.insert(arguments.end(), what.begin(), what.end());
    arguments.insert(arguments.end(), {"-o", "out.png"});
    const auto result = alexnet(arguments);
    EXPECT_EQ(result.exit_code, 0) << result;
    EXPECT_GT(load_picture(path("out.png").string(), {}, nullptr).image.width, 200) << what[0];
  }
}

}  // namespace
}  // namespace alexnet
